package mapping

import (
	"errors"
	"strings"
	"testing"
)

// One set of rules for file:// in a mapping and in files that are parsed.
func TestFilePath(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text, folder string
		want         string // the path; "out" when it leads out of the repository
		rooted, up   bool
		err          error
	}{
		{text: "file://README.md", want: "README.md"},
		{text: "file://README.md", folder: "docs", want: "docs/README.md"},
		{text: " file://README.md\n", folder: "docs", want: "docs/README.md"},
		{text: "file://./a//b/./c", folder: ".", want: "a/b/c"},
		{text: "file://a b#?.txt", want: "a b#?.txt"},
		{text: "file:///README.md", folder: "docs", want: "README.md", rooted: true},
		{text: "file://../README.md", folder: "docs/api", want: "docs/README.md", up: true},
		{text: "file://../../x", folder: "docs/api", want: "x", up: true},
		{text: "file://../../../x", folder: "docs/api", want: "out", up: true},
		{text: "file://../../r/docs/x", folder: "docs", want: "out", up: true},
		{text: "file:///../x", want: "out", rooted: true, up: true},
		{text: "file://a b#?%25.md", folder: "svc", want: "svc/a b#?%25.md"},
		{text: "file://..hidden/...", folder: "svc", want: "svc/..hidden/..."},
		{text: "file://x/../../../etc/passwd", folder: "svc", want: "out", up: true},
		{text: "file:////..///..//x", folder: "a/b", want: "out", rooted: true, up: true},
		{text: "file://..", folder: "docs", want: "", up: true},
		{text: "file://", err: ErrNoFile},
		{text: "file://.", err: ErrNoFile},
		{text: "file:///", err: ErrNoFile},
		{text: "file://docs/", err: ErrFolder},
		{text: "file://a\x00b", err: ErrNoPath},
		{text: "file://" + strings.Repeat("a", 4096), want: strings.Repeat("a", 4096)},
		{text: "file://" + strings.Repeat("a", 4097), err: ErrNoPath},
	} {
		name, ok := FileName(tt.text)
		p, err := ParseFilePath(name)
		if !ok || !errors.Is(err, tt.err) || p.Rooted != tt.rooted || p.Up != tt.up {
			t.Errorf("%.40q: got %v, %+v, %v, want rooted %v, up %v, %v", tt.text, ok, p, err, tt.rooted, tt.up, tt.err)
			continue
		}
		got, inside := p.From(tt.folder)
		if !inside {
			got = "out"
		}
		if err == nil && got != tt.want {
			t.Errorf("%.40q from %q: got %q, want %q", tt.text, tt.folder, got, tt.want)
		}
	}
	for _, text := range []string{"see file://README.md", "FILE://README.md", "file:/README.md", ".readme"} {
		if name, ok := FileName(text); ok {
			t.Errorf("%q: got the file %q, want none", text, name)
		}
	}
}
