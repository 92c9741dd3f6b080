package bitbuckettest

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func TestFile(t *testing.T) {
	t.Parallel()
	s := small(t)
	hash := s.Head("checkout-api")
	for _, ref := range []string{hash, hash[:12], "main"} {
		equal(t, ref, call(t, s, "/repositories/acme/checkout-api/src/"+ref+"/README.md").body, "# Checkout\n")
	}
	g := call(t, s, "/repositories/acme/checkout-api/src/main/docs/a%20b.txt")
	equal(t, "body", g.body, "x")
	equal(t, "type", g.header.Get("Content-Type"), "text/plain")
	equal(t, "disposition", g.header.Get("Content-Disposition"), "")
	equal(t, "ETag is a bare number", strings.Trim(g.header.Get("ETag"), "0123456789")+"|", "|")
	equal(t, "has one", g.header.Get("ETag") != "", true)
	equal(t, "markdown", call(t, s, "/repositories/acme/checkout-api/src/main/README.md").header.Get("Content-Type"), "text/plain")
	equal(t, "json", call(t, s, "/repositories/acme/checkout-api/src/main/docs/deep/c.json").header.Get("Content-Type"), "application/json")

	s.SetFile("orphan", "copy.txt", []byte("x"))
	copied := call(t, s, "/repositories/acme/orphan/src/main/copy.txt")
	equal(t, "same content, same ETag", copied.header.Get("ETag"), g.header.Get("ETag"))
	r := httptest.NewRequest(http.MethodGet, base+"/repositories/acme/orphan/src/main/copy.txt", nil)
	r.Header.Set("Authorization", "Bearer good")
	r.Header.Set("If-None-Match", copied.header.Get("ETag"))
	res, err := s.RoundTripper().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "not modified", res.StatusCode, http.StatusNotModified)

	meta := call(t, s, "/repositories/acme/checkout-api/src/main/README.md?format=meta")
	equal(t, "size", meta.at("size"), any(11.0))
	equal(t, "mimetype", meta.at("mimetype"), any("text/markdown"))
	equal(t, "keys", strings.Join(meta.keys(), " "), "attributes commit escaped_path links mimetype path size type")
	equal(t, "meta of a directory", call(t, s, "/repositories/acme/checkout-api/src/main/docs/?format=meta").at("type"), any("commit_directory"))
	equal(t, "violations", strings.Join(s.Violations(), "\n"), "")
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	s := small(t)
	src := "/repositories/acme/checkout-api/src"
	redirect := call(t, s, src+"?fields=values.path")
	equal(t, "redirect", redirect.status, http.StatusFound)
	equal(t, "location", redirect.header.Get("Location"), base+src+"/"+s.Head("checkout-api")+"/?fields=values.path")

	tests := []struct{ target, want string }{
		{src + "/main/", "docs README.md"},
		{src + "/main/docs", "docs/deep docs/a b.txt"},
		{src + "/main/docs/", "docs/deep docs/a b.txt"},
		{src + "/main/?max_depth=2", "docs README.md docs/deep docs/a b.txt"},
		{src + "/main/docs/?max_depth=9", "docs/deep docs/a b.txt docs/deep/c.json"},
		{src + "/main/?max_depth=9&q=type%3D%22commit_directory%22", "docs docs/deep"},
		{src + "/main/?max_depth=9&sort=-size&q=size%3E0&pagelen=2", "README.md docs/deep/c.json"},
		{"/repositories/acme/r-d-bot/src/" + s.Head("r-d-bot") + "/", ""},
	}
	for _, tt := range tests {
		g := call(t, s, tt.target)
		equal(t, tt.target, g.status, 200)
		equal(t, tt.target, g.column("path"), tt.want)
		equal(t, "no size", g.at("size"), nil)
	}
	first := call(t, s, src+"/main/?pagelen=1&max_depth=2")
	next, _ := first.at("next").(string)
	if !strings.Contains(next, "max_depth=2") || !strings.Contains(next, "page=") || strings.Contains(next, "page=2") {
		t.Fatalf("next: %q", next)
	}
	var paths []string
	for next != "" {
		g := call(t, s, next)
		paths = append(paths, g.column("path"))
		next, _ = g.at("next").(string)
	}
	equal(t, "pages", strings.Join(paths, ", "), "README.md, docs/deep, docs/a b.txt")
	equal(t, "violations", strings.Join(s.Violations(), "\n"), "")
}

func TestAttributes(t *testing.T) {
	t.Parallel()
	s := small(t)
	s.SetFile("checkout-api", "big.bin", []byte("content"))
	s.SetAttributes("checkout-api", "big.bin", "binary", "lfs")
	meta := call(t, s, "/repositories/acme/checkout-api/src/main/big.bin?format=meta")
	attributes, _ := meta.at("attributes").([]any)
	equal(t, "attributes", len(attributes), 2)
	g := call(t, s, "/repositories/acme/checkout-api/src/main/big.bin")
	equal(t, "status", g.status, http.StatusFound)
	address := regexp.MustCompile(`^https://api\.media\.atlassian\.com/file/[0-9a-f-]{36}/binary\?token=[0-9a-f]+$`)
	if got := g.header.Get("Location"); !address.MatchString(got) {
		t.Errorf("got %s, want it to match %s", got, address)
	}
	equal(t, "body", g.body, "")
	s.Configure(Options{MovedLFS: true})
	g = call(t, s, "/repositories/acme/checkout-api/src/main/big.bin")
	equal(t, "status", g.status, http.StatusMovedPermanently)
	equal(t, "violations", strings.Join(s.Violations(), "\n"), "")
}
