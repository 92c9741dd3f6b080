package kind_test

import (
	"context"
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
		"large": strings.Repeat("x", 1<<20+1), "full": strings.Repeat("x", 1<<20), "latin": "caf\xe9", "docs/a.md": "A", "empty": "",
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
		w.equal("files", summary(got.objects[0]), "lfs.bin=null module=null link=docs/a.md nul=null large=long full=long latin=caf\uFFFD docs=null empty=")
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
		w.equal("requests: not one for what is known", w.wire(), " r:@1 r:empty r:full r:large r:latin r:link r:nul")
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
			{"repository", "", "/docs/index.md", "i", "mono-repo:docs/index.md"},
			{"folder", "folders: [{path: 'apps/w*', repos: [{name: mono-repo}]}]", "README.md", "# Web", "mono-repo:apps/web/README.md"},
			{"folder", "folders: [{path: 'apps/w*', repos: [{name: mono-repo}]}]", "src/main.go", "m", "mono-repo:apps/web/src/main.go"},
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
