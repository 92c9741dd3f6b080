#!/usr/bin/env bash
# Go's net/url (go1.26): links to clone a repository that Bitbucket Cloud gave in answers of
# 2017 name the account by its uuid in braces, https://{uuid}@bitbucket.org/…: url.Parse
# refuses them with "invalid userinfo". The same braces pass in a path, where Bitbucket uses
# them to this day. The URL class of Node.js takes the link and escapes the braces.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
go mod init finding 2>/dev/null
cat > main.go <<'GO'
package main

import (
	"fmt"
	"net/url"
)

func main() {
	_, err := url.Parse("https://{00000000-0000-0000-0000-000000000000}@bitbucket.org/acme/demo.git")
	fmt.Println(err)
	_, err = url.Parse("https://bitbucket.org/{00000000-0000-0000-0000-000000000000}/demo.git")
	fmt.Println(err)
}
GO
seen="$(go run .)"
printf '%s\n' "$seen"
[[ "$seen" == $'parse "https://{00000000-0000-0000-0000-000000000000}@bitbucket.org/acme/demo.git": net/url: invalid userinfo\n<nil>' ]]
node="$(node -e 'console.log(new URL("https://{00000000-0000-0000-0000-000000000000}@bitbucket.org/acme/demo.git").username)')"
printf '%s\n' "$node"
[[ "$node" == "%7B00000000-0000-0000-0000-000000000000%7D" ]]
