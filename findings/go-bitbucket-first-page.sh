#!/usr/bin/env bash
# github.com/ktrysmt/go-bitbucket v0.10.0, Go: with its paging left at "all pages", the default,
# one method follows "next" and its neighbour does not. ListForAccount and ListTags read all pages,
# ListBranches reads the first alone, ten of them, and only a field of its result tells. Those that
# follow end at a first page without values, although it names a next one. No error in any case: a
# program that deletes what such a list lacks deletes what is there.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
go mod init finding 2>/dev/null
go get github.com/ktrysmt/go-bitbucket@v0.10.0 2>/dev/null
cat > main.go <<'GO'
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/ktrysmt/go-bitbucket"
)

// pages are two of a list, of which the first leads to the second.
func pages(first, second string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Get("page") == "2" {
			fmt.Fprintf(w, `{"pagelen": 10, "page": 2, "values": [%s]}`, second)
			return
		}
		fmt.Fprintf(w, `{"pagelen": 10, "page": 1, "next": "http://%s%s?page=2", "values": [%s]}`, r.Host, r.URL.Path, first)
	}
}

// named are ten values from a number on.
func named(from int) string {
	var all []string
	for i := from; i < from+10; i++ {
		all = append(all, fmt.Sprintf(`{"type": "branch", "name": "n%d", "slug": "n%d"}`, i, i))
	}
	return strings.Join(all, ",")
}

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("/repositories/full", pages(named(0), named(10)))
	mux.HandleFunc("/repositories/late", pages("", named(0)))
	mux.HandleFunc("/repositories/full/api/refs/branches", pages(named(0), named(10)))
	mux.HandleFunc("/repositories/full/api/refs/tags", pages(named(0), named(10)))
	server := httptest.NewServer(mux)
	defer server.Close()
	c, err := bitbucket.NewBasicAuth("user", "password")
	if err != nil {
		panic(err)
	}
	base, _ := url.Parse(server.URL)
	c.SetApiBaseURL(*base)
	for _, workspace := range []string{"full", "late"} {
		list, err := c.Repositories.ListForAccount(&bitbucket.RepositoriesOptions{Owner: workspace})
		if err != nil {
			panic(err)
		}
		fmt.Printf("repositories of %s: %d\n", workspace, len(list.Items))
	}
	branches, err := c.Repositories.Repository.ListBranches(&bitbucket.RepositoryBranchOptions{Owner: "full", RepoSlug: "api"})
	if err != nil {
		panic(err)
	}
	fmt.Println("branches:", len(branches.Branches), branches.Next != "")
	tags, err := c.Repositories.Repository.ListTags(&bitbucket.RepositoryTagOptions{Owner: "full", RepoSlug: "api"})
	if err != nil {
		panic(err)
	}
	fmt.Println("tags:", len(tags.Tags), tags.Next != "")
}
GO
go mod tidy 2>/dev/null
got="$(go run .)"
want="repositories of full: 20
repositories of late: 0
branches: 10 true
tags: 20 false"
printf '%s\n' "$got"
[[ "$got" == "$want" ]]
