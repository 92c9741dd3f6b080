#!/usr/bin/env bash
# bbolt 1.5.0: a database file is as long as the memory mapping, which doubles up to 1 GiB, and
# not as long as its pages: 4 MiB and a bit of values, written in one transaction and closed, are
# a file of 8 MiB, of which the second half is zeros. NoGrowSync, by its name about syncing, makes
# it end behind the last page that is used. Who packs a database into a cache or an artifact, or
# bounds its size by its length on disk, counts the zeros too.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
go mod init finding 2>/dev/null
go get go.etcd.io/bbolt@v1.5.0 2>/dev/null
cat > main.go <<'GO'
package main

import (
	"bytes"
	"fmt"
	"os"

	"go.etcd.io/bbolt"
)

func main() {
	for _, noGrowSync := range []bool{false, true} {
		name := fmt.Sprint("sync-", noGrowSync)
		db, err := bbolt.Open(name, 0o600, &bbolt.Options{NoGrowSync: noGrowSync, PageSize: 4096})
		if err != nil {
			panic(err)
		}
		err = db.Update(func(tx *bbolt.Tx) error {
			bucket, err := tx.CreateBucket([]byte("values"))
			if err != nil {
				return err
			}
			bucket.FillPercent = 1
			for i := range 4200 {
				if err := bucket.Put(fmt.Appendf(nil, "%08d", i), bytes.Repeat([]byte("x"), 980)); err != nil {
					return err
				}
			}
			return nil
		})
		if err := db.Close(); err != nil {
			panic(err)
		}
		if err != nil {
			panic(err)
		}
		text, err := os.ReadFile(name)
		if err != nil {
			panic(err)
		}
		used := len(bytes.TrimRight(text, "\x00"))
		fmt.Printf("NoGrowSync %t: %d bytes, zeros at the end: %t\n", noGrowSync, len(text), len(text)-used > 1<<20)
	}
}
GO
go mod tidy 2>/dev/null
seen="$(go run .)"
printf '%s\n' "$seen"
[[ "$seen" == $'NoGrowSync false: 8388608 bytes, zeros at the end: true
NoGrowSync true: 4358144 bytes, zeros at the end: false' ]]
