package gitbackend

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Repository is what Make makes. The zero value is an empty repository.
type Repository struct {
	Commits []Commit // in order
	Tags    []Tag
	// Branches are made at the end, by short name: each is the name of a commit. main is the
	// last commit that names no branch of its own, without being named here.
	Branches map[string]string
	// Filter lets clients leave objects out: uploadpack.allowFilter.
	Filter bool
	// AnySHA1 lets clients of protocol v0 want any object: uploadpack.allowAnySHA1InWant. In
	// protocol v2 they always may.
	AnySHA1 bool
	// SHA256 makes it one of the other object format.
	SHA256 bool
	// Loose leaves the objects as they were packed for the import. Else they are repacked, as
	// a server does: that takes long for many of them.
	Loose bool
}

// Commit is a commit, by git fast-import's rules: its files are those of its first parent,
// without the deleted ones, with the given ones.
type Commit struct {
	Name string // by which others name it; "" is its index, "0" for the first
	// Branch is the short name of the branch that it is put on; "" is main.
	Branch string
	// Parents are names of commits; nil means the one before on the branch, if there is one.
	Parents []string
	Message string // "" is "Change"
	Delete  []string
	Files   []File
}

// File is an entry of a tree.
type File struct {
	Path    string
	Mode    uint32 // 0 means 0o100644; 0o100755, 0o120000 and 0o160000 are the others
	Content string // of a submodule: the hash of the commit; of a link: its target
}

// Tag is a tag; with a message it is an annotated one.
type Tag struct {
	Name, Of string // Of is the name of a commit
	Message  string
}

// Make makes a bare repository in folder, such as root/acme/r.git, with the main branch main.
// It returns the hash of each commit by its name.
func Make(tb testing.TB, folder string, r Repository) (hashes map[string]string) {
	tb.Helper()
	r.begin(tb, folder)
	if len(r.Commits) == 0 {
		return nil
	}
	marks := filepath.Join(folder, "marks")
	Git(tb, folder, strings.NewReader(r.stream(tb)), "fast-import", "--quiet", "--export-marks="+marks)
	text, err := os.ReadFile(marks)
	if err != nil {
		tb.Fatal(err)
	}
	byMark := map[string]string{}
	for line := range bytes.Lines(text) {
		mark, hash, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		byMark[mark] = hash
	}
	hashes = map[string]string{}
	for name, mark := range r.marks() {
		hashes[name] = byMark[mark]
	}
	r.end(tb, folder)
	return hashes
}

// Mirror copies the repository with that address, with all of its refs, into folder. The header
// goes with each request, such as "Authorization: Bearer secret". r holds the settings alone.
func Mirror(tb testing.TB, folder, address, header string, r Repository) {
	tb.Helper()
	r.begin(tb, folder)
	Git(tb, folder, nil, "-c", "http.extraHeader="+header, "fetch", "--quiet", address, "+refs/*:refs/*")
	r.end(tb, folder)
}

// begin makes an empty repository with its settings.
func (r Repository) begin(tb testing.TB, folder string) {
	tb.Helper()
	if err := os.MkdirAll(folder, 0o755); err != nil {
		tb.Fatal(err)
	}
	format := "sha1"
	if r.SHA256 {
		format = "sha256"
	}
	Git(tb, folder, nil, "init", "--quiet", "--bare", "--object-format="+format, "--initial-branch=main")
	for name, value := range map[string]bool{"allowFilter": r.Filter, "allowAnySHA1InWant": r.AnySHA1} {
		Git(tb, folder, nil, "config", "uploadpack."+name, fmt.Sprint(value))
	}
}

func (r Repository) end(tb testing.TB, folder string) {
	tb.Helper()
	if !r.Loose {
		Git(tb, folder, nil, "repack", "-adfq")
	}
}

// name is the name of the commit with that index.
func (r Repository) name(i int) string {
	if r.Commits[i].Name != "" {
		return r.Commits[i].Name
	}
	return fmt.Sprint(i)
}

// marks are the names that the stream has for commits.
func (r Repository) marks() map[string]string {
	marks := map[string]string{}
	for i := range r.Commits {
		marks[r.name(i)] = fmt.Sprintf(":%d", i+1)
	}
	return marks
}

// stream writes the repository in the language of git fast-import.
// Source: https://git-scm.com/docs/git-fast-import, read 2026-11.
func (r Repository) stream(tb testing.TB) string {
	tb.Helper()
	marks := r.marks()
	mark := func(name string) string {
		if marks[name] == "" {
			tb.Fatalf("no commit of the repository has the name %q", name)
		}
		return marks[name]
	}
	var out strings.Builder
	const who = "Dana Ruiz <dana@acme.test>"
	for i, c := range r.Commits {
		branch := "main"
		if c.Branch != "" {
			branch = c.Branch
		}
		message := c.Message
		if message == "" {
			message = "Change"
		}
		date := 1700000000 + i
		if c.Parents != nil { // else fast-import takes the tip of the branch
			fmt.Fprintf(&out, "reset refs/heads/%s\n\n", branch)
		}
		fmt.Fprintf(&out, "commit refs/heads/%s\nmark %s\nauthor %s %d +0000\ncommitter %s %d +0000\ndata %d\n%s\n",
			branch, marks[r.name(i)], who, date, who, date, len(message), message)
		for j, parent := range c.Parents {
			verb := "merge"
			if j == 0 {
				verb = "from"
			}
			fmt.Fprintf(&out, "%s %s\n", verb, mark(parent))
		}
		for _, path := range c.Delete {
			fmt.Fprintf(&out, "D %s\n", quoted(path))
		}
		for _, f := range c.Files {
			f.write(&out)
		}
		out.WriteByte('\n')
	}
	for _, name := range slices.Sorted(maps.Keys(r.Branches)) {
		fmt.Fprintf(&out, "reset refs/heads/%s\nfrom %s\n\n", name, mark(r.Branches[name]))
	}
	for _, tag := range r.Tags {
		if tag.Message == "" {
			fmt.Fprintf(&out, "reset refs/tags/%s\nfrom %s\n\n", tag.Name, mark(tag.Of))
			continue
		}
		fmt.Fprintf(&out, "tag %s\nfrom %s\ntagger %s 1700000000 +0000\ndata %d\n%s\n", tag.Name, mark(tag.Of), who, len(tag.Message), tag.Message)
	}
	out.WriteString("done\n")
	return out.String()
}

func (f File) write(out *strings.Builder) {
	switch f.Mode {
	case 0:
		f.Mode = 0o100644
	case 0o160000:
		fmt.Fprintf(out, "M 160000 %s %s\n", f.Content, quoted(f.Path))
		return
	}
	fmt.Fprintf(out, "M %o inline %s\ndata %d\n%s\n", f.Mode, quoted(f.Path), len(f.Content), f.Content)
}

// quoted writes a path as a C string, which may hold any byte.
func quoted(path string) string {
	var out strings.Builder
	out.WriteByte('"')
	for _, b := range []byte(path) {
		if b < ' ' || b >= 0x7f || b == '"' || b == '\\' {
			fmt.Fprintf(&out, `\%03o`, b)
		} else {
			out.WriteByte(b)
		}
	}
	out.WriteByte('"')
	return out.String()
}
