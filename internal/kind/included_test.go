package kind_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

// attributes has a file of every sort that is not read as text.
func attributes() *bitbuckettest.Server {
	s := oneRepository(map[string]string{
		"lfs.bin": "pointer", "module": "0123456789012345678901234567890123456789", "link": "docs/a.md", "nul": "a\x00b",
		"large": strings.Repeat("x", 1<<20+1), "full": strings.Repeat("x", 1<<20), "latin": "caf\xe9", "docs/a.md": "# A", "empty": "",
	})
	s.SetAttributes("r", "lfs.bin", "lfs")
	s.SetAttributes("r", "module", "subrepository")
	s.SetAttributes("r", "link", "link")
	return s
}

// summary is each included file, or its first bytes and its length.
func summary(o kind.Object) string {
	var all []string
	included, _ := o["__includedFiles"].(kind.Object)
	for _, name := range []string{"lfs.bin", "module", "link", "nul", "large", "full", "latin", "docs", "empty"} {
		v, asked := included[name]
		text, isText := v.(string)
		switch {
		case !asked:
		case !isText:
			all = append(all, name+"=null")
		case len(text) > 20:
			all = append(all, name+"=long")
		default:
			all = append(all, name+"="+text)
		}
	}
	return strings.Join(all, " ")
}

func TestIncludedFilesThatHaveNoText(t *testing.T) {
	const names = "includedFiles: [lfs.bin, module, link, nul, large, full, latin, docs, empty]"
	inBubble(t, attributes(), func(w world) {
		got := w.extract("repository", names)
		w.equal("files", summary(got.objects[0]), "lfs.bin=null module=null link=# A nul=null large=long full=long latin=caf\uFFFD docs=null empty=")
		var told []string
		for _, err := range got.failed {
			var warning *kind.Warning
			if !errors.As(err, &warning) {
				w.Fatalf("got %v, want a *Warning", err)
			}
			told = append(told, warning.Message+" ("+warning.Example+")")
		}
		w.equal("warnings", strings.Join(told, "\n"), "a file is kept on another host (Git LFS), and is not read: it is null (r/lfs.bin)\n"+
			"a file is binary, and has no text: it is null (r/nul)")
		w.equal("requests: not one for what is known", w.wire(), " r:@1 r:empty r:full r:large r:latin r:link r:docs/a.md r:nul")
	})
}

// Without a listing the server tells; the credential does not follow a redirect.
func TestIncludedFileOnAnotherHost(t *testing.T) {
	inBubble(t, attributes(), func(w world) {
		got := w.extract("repository", "includedFiles: [lfs.bin, large]")
		w.equal("files", summary(got.objects[0]), "lfs.bin=null large=long")
		w.equal("warnings", len(got.failed), 1)
		for _, x := range w.s.Journal() {
			w.equal("host", x.Host, "bitbucket.test")
		}
		w.equal("requests", w.wire(), " r:large r:lfs.bin")
		w.equal("warnings again", len(w.extract("repository", "includedFiles: [lfs.bin]").failed), 1)
		w.equal("requests again", w.wire(), "")
	})
}

func TestMaxFile(t *testing.T) {
	inBubble(t, attributes(), func(w world) {
		w.ws = w.workspace(kind.Options{MaxFile: 2 << 20})
		w.equal("raised", summary(w.good("repository", "includedFiles: [large]")[0]), "large=long")
		w.ws = w.workspace(kind.Options{MaxFile: 3})
		got := w.extract("repository", "includedFiles: [latin, nul]")
		w.equal("lowered: no object", len(got.objects), 0)
		if len(got.failed) != 1 || !strings.Contains(got.failed[0].Error(), "max_file_size") {
			w.Errorf("got %v, want one error about max_file_size", got.failed)
		}
	})
}

// A file that a mapping names is read when it is asked for, from the object's folder.
func TestFoundRead(t *testing.T) {
	inBubble(t, monorepo(), func(w world) {
		for _, tt := range []struct{ kind, selector, name, want, wire string }{
			{"repository", "", "README.md", "# Mono", "mono-repo:README.md"},
			{"repository", "", "/docs/index.md", "# Index", "mono-repo:docs/index.md"},
			{"folder", "folders: [{path: 'apps/w*', repos: [{name: mono-repo}]}]", "README.md", "# Web", "mono-repo:apps/web/README.md"},
			{"folder", "folders: [{path: 'apps/w*', repos: [{name: mono-repo}]}]", "src/main.go", "package main", "mono-repo:apps/web/src/main.go"},
		} {
			bound, err := kind.Bind(resource(w.TB, tt.kind, tt.selector))
			if err != nil {
				w.Fatal(err)
			}
			for task := range bound.Extract(context.Background(), w.ws) {
				for found, err := range task.Run(context.Background()) {
					if err != nil {
						w.Fatal(err)
					}
					w.wire()
					text, err := found.Read(context.Background(), tt.name)
					w.equal(tt.name, text, any(tt.want))
					w.equal("error", err, nil)
					w.equal("requests", w.wire(), tt.wire)
					missing, err := found.Read(context.Background(), "none")
					w.equal("missing", missing, nil)
					w.equal("error", err, nil)
				}
				break
			}
		}
	})
}

// What reading a file for the mapping has to tell is told after the object.
func TestFoundReadTells(t *testing.T) {
	inBubble(t, attributes(), func(w world) {
		bound, err := kind.Bind(resource(w.TB, "repository", ""))
		if err != nil {
			w.Fatal(err)
		}
		for task := range bound.Extract(context.Background(), w.ws) {
			objects, warnings := 0, 0
			for found, err := range task.Run(context.Background()) {
				if err != nil {
					warnings++
					continue
				}
				objects++
				for range 2 {
					text, err := found.Read(context.Background(), "lfs.bin")
					w.equal("text", text, nil)
					w.equal("error", err, nil)
				}
			}
			w.equal("objects", objects, 1)
			w.equal("warnings", warnings, 1)
		}
	})
}

func TestReadsFiles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind, selector string
		want           bool
	}{
		{"project", "", false},
		{"pull-request", "", false},
		{"repository", "", false},
		{"repository", "includedFiles: [a]", true},
		{"folder", "folders: [{path: a}]", true},
	} {
		bound, err := kind.Bind(resource(t, tt.kind, tt.selector))
		if err != nil || bound.ReadsFiles != tt.want {
			t.Errorf("%s with {%s}: got %v, %v, want %v", tt.kind, tt.selector, bound.ReadsFiles, err, tt.want)
		}
	}
}

// What expressions do not reach is not asked for, and what they do is as it was: the keys
// of included files stay objects, since an expression may ask for their type.
func TestReading(t *testing.T) {
	inBubble(t, monorepo(), func(w world) {
		for _, tt := range []struct{ kind, selector, reached, want, wire string }{
			{"repository", "includedFiles: [README.md, docs/index.md]", "__includedFiles docs/index.md", `{"docs/index.md":"# Index"} none`, "mono-repo:docs/index.md svc:docs/index.md"},
			{"repository", "includedFiles: [README.md]", "slug", `{} none`, ""},
			{"repository", "", "slug", `null none`, ""},
			{"folder", "includedFiles: [README.md, x], folders: [{path: apps/web}]", "__includedFiles README.md", `{"README.md":"# Mono"} {}`, "mono-repo:apps@1 mono-repo:README.md svc:apps@1"},
			{"folder", "includedFiles: [README.md, x], folders: [{path: apps/web}]", "folder __includedFiles README.md", `{} {"README.md":"# Web"}`, "mono-repo:apps@1 mono-repo:apps/web/README.md svc:apps@1"},
			{"folder", "includedFiles: [README.md], folders: [{path: apps/web}]", "repo", `{} {}`, "mono-repo:apps@1 svc:apps@1"},
			{"folder", "folders: [{path: apps/web}]", "repo", `null null`, "mono-repo:apps@1 svc:apps@1"},
			{"file", "includedFiles: [README.md, x], files: [{path: docs/index.md}]", "__includedFiles README.md", `{"README.md":"# Mono"} none`,
				"mono-repo:docs@1 mono-repo:docs/index.md mono-repo:README.md svc:docs@1"},
			{"file", "includedFiles: [README.md], files: [{path: docs/index.md}]", "file", `{} none`, "mono-repo:docs@1 mono-repo:docs/index.md svc:docs@1"},
		} {
			w.ws = w.workspace(kind.Options{KeepFiles: true, TempDir: w.TempDir()})
			bound, err := kind.Bind(resource(w.TB, tt.kind, tt.selector))
			if err != nil {
				w.Fatal(err)
			}
			path := strings.Fields(tt.reached)
			got := w.extractBound(bound.Reading(func(asked ...string) bool {
				return strings.HasPrefix(strings.Join(asked, " ")+" ", strings.Join(path, " ")+" ")
			}))
			if got.err != nil || len(got.failed) > 0 {
				w.Fatalf("got %v and %v", got.err, got.failed)
			}
			w.equal("requests of "+tt.kind+" {"+tt.selector+"}", strings.TrimSpace(w.wire()), tt.wire)
			w.equal(tt.kind+" {"+tt.selector+"}", texts(w, got.objects[0]), tt.want)
		}
	})
}

// texts are the included files of an object and of its folder, as JSON.
func texts(w world, o kind.Object) string {
	of := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			w.Fatal(err)
		}
		return string(text)
	}
	folder, ok := o["folder"].(kind.Object)
	if !ok {
		return of(o["__includedFiles"]) + " none"
	}
	return of(o["__includedFiles"]) + " " + of(folder["__includedFiles"])
}
