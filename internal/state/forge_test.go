package state

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

var secrets = []string{"secret", "acme", "main", "README.md", "checkout-api", "# Checkout", "5f3a90", string(Text), string(Listing)}

// memoryOf a run that has put a few values.
func memoryOf(t testing.TB, c Config, more ...string) {
	t.Helper()
	s, _ := Open(c)
	s.Put([]byte("# Checkout, in the workspace acme"), Text, "checkout-api", "README.md")
	s.Put([]byte("another text"), Text, "ledger-api", "README.md")
	s.Put([]byte(strings.Repeat("5f3a90 listing ", 500)), Listing, "checkout-api", "5f3a90")
	s.Put(nil, List, "nothing")
	for _, m := range more {
		s.Put([]byte(m), Text, m)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// known returns what a store knows of memoryOf. A value of another key ends the test.
func known(t testing.TB, s *Store) (values int) {
	t.Helper()
	for _, v := range []struct{ want, class, repository, key string }{
		{"# Checkout, in the workspace acme", "text", "checkout-api", "README.md"},
		{"another text", "text", "ledger-api", "README.md"},
		{strings.Repeat("5f3a90 listing ", 500), "listing", "checkout-api", "5f3a90"},
	} {
		got, ok := s.Get(Class(v.class), v.repository, v.key)
		if ok && string(got) != v.want {
			t.Fatalf("%s %s: got %q", v.repository, v.key, got)
		}
		if ok != s.Has(Class(v.class), v.repository, v.key) {
			t.Fatalf("%s %s: Get and Has disagree", v.repository, v.key)
		}
		if ok {
			values++
		}
	}
	return values
}

// reads opens a folder as it is, without a change to it.
func reads(t testing.TB, c Config) (values int, why string) {
	t.Helper()
	c.ReadOnly = true
	s, why := Open(c)
	values = known(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return values, why
}

// files of a folder that hold something.
func files(t testing.TB, folder string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	names, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(text) > 0 {
			all[name] = text
		}
	}
	if len(all) != 2 {
		t.Fatalf("got %d files, want a manifest and a segment", len(all))
	}
	return all
}

func rewrite(t testing.TB, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(file, text, 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestNothingIsReadable(t *testing.T) {
	t.Parallel()
	c := config(t.TempDir())
	memoryOf(t, c)
	for name, text := range files(t, c.Folder) {
		for _, secret := range secrets {
			if bytes.Contains(text, []byte(secret)) || strings.Contains(filepath.Base(name), secret) {
				t.Errorf("%s holds %q", filepath.Base(name), secret)
			}
		}
	}
}

// A file that is shorter, longer, or has one bit turned is known as such, and the memory
// is gone as a whole: half of it would be of another moment.
func TestDamage(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long, and starts no goroutine: left to a run without -short")
	}
	t.Parallel()
	c := config(t.TempDir())
	memoryOf(t, c)
	if values, why := reads(t, c); values != 3 || why != "" {
		t.Fatalf("got %d values, %q", values, why)
	}
	for file, text := range files(t, c.Folder) {
		stride := 1 + len(text)/1000*15   // meets all parts of a page
		if os.Getenv("TESTS") == "full" { // as .ci/run lets them
			stride = 1 + len(text)/1000*2
		}
		gone := func(what string, at int) {
			t.Helper()
			if values, why := reads(t, c); values != 0 || why == "" || strings.Contains(why, "\n") {
				t.Errorf("%s %s %d: got %d values, %q", filepath.Base(file), what, at, values, why)
			}
		}
		for at := 0; at < len(text); at += stride {
			rewrite(t, file, text[:at])
			gone("ends at", at)
			turned := slices.Clone(text)
			turned[at] ^= 1 << (at % 8)
			rewrite(t, file, turned)
			gone("is turned at", at)
		}
		rewrite(t, file, append(slices.Clone(text), 0))
		gone("is longer by", 1)
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		gone("is missing", 0)
		rewrite(t, file, text)
	}
	if values, why := reads(t, c); values != 3 || why != "" {
		t.Fatalf("got %d values, %q", values, why)
	}
}

// A memory of others is not opened, and the next run makes its own of the folder.
func TestForeign(t *testing.T) {
	t.Parallel()
	theirs := config("")
	for _, c := range []Config{
		{Secret: "other", Workspace: "acme", Identifier: "main"},
		{Secret: "secret", Workspace: "other", Identifier: "main"},
		{Secret: "secret", Workspace: "acme", Identifier: "other"},
		{Secret: "secret", Workspace: "acmem", Identifier: "ain"},
		{Secret: "secret", Workspace: "main", Identifier: "acme"},
		{Secret: "secretacme", Workspace: "", Identifier: "main"},
	} {
		theirs.Folder = t.TempDir()
		memoryOf(t, theirs)
		c.Folder = theirs.Folder
		if values, why := reads(t, c); values != 0 || !strings.Contains(why, "another workspace, identifier or Port client secret") {
			t.Errorf("%v: got %d values, %q", c, values, why)
		}
		memoryOf(t, c)
		if values, why := reads(t, c); values != 3 || why != "" {
			t.Errorf("%v: got %d values, %q", c, values, why)
		}
		files(t, c.Folder) // theirs are removed
	}
}

// Segments of another memory with the same keys, or of an older form of this one, do not
// stand in for those of this moment.
func TestMixed(t *testing.T) {
	t.Parallel()
	c, other := config(t.TempDir()), config(t.TempDir())
	memoryOf(t, c)
	old := files(t, c.Folder)
	memoryOf(t, c, "a newer value")
	memoryOf(t, other)
	fresh, foreign := files(t, c.Folder), files(t, other.Folder)
	of := func(m map[string][]byte, end string) (string, []byte) {
		for name, text := range m {
			if strings.HasSuffix(name, end) {
				return name, text
			}
		}
		t.Fatal(end, " is missing")
		return "", nil
	}
	manifest, _ := of(fresh, manifestName)
	segment, _ := of(fresh, segmentEnd)
	oldSegment, _ := of(old, segmentEnd)
	for name, put := range map[string]map[string][]byte{
		"an older segment":             {segment: old[oldSegment]},
		"an older manifest":            {manifest: old[manifest]},
		"both segments, one manifest":  {manifest: old[manifest], oldSegment: fresh[segment]},
		"a segment of another memory":  {segment: second(of(foreign, segmentEnd))},
		"a manifest of another memory": {manifest: second(of(foreign, manifestName))},
	} {
		for file, text := range put {
			rewrite(t, file, text)
		}
		if values, why := reads(t, c); values != 0 || !strings.HasPrefix(why, "it is damaged: ") {
			t.Errorf("%s: got %d values, %q", name, values, why)
		}
		os.Remove(oldSegment)
		for file, text := range fresh {
			rewrite(t, file, text)
		}
	}
	// What cannot be told: the whole memory as it was.
	for file, text := range old {
		rewrite(t, file, text)
	}
	if values, why := reads(t, c); values != 3 || why != "" {
		t.Errorf("an older memory: got %d values, %q", values, why)
	}
}

func second[A, B any](_ A, b B) B { return b }

// A value that is sealed under another name, or is not whole, is absent, also in a file that
// proves itself.
func TestSwapped(t *testing.T) {
	t.Parallel()
	s, _ := Open(config(t.TempDir()))
	defer s.Close()
	mine, theirs := nameOf(Text, []string{"mine"}), nameOf(Text, []string{"theirs"})
	sealed := s.keys.seal([]byte("theirs"), theirs)
	bomb := s.keys.aead.Seal(nil, nil, s.keys.pack.EncodeAll(make([]byte, maxValue+1), nil), mine)
	for name, value := range map[string][]byte{
		"of another key":     sealed,
		"of another class":   s.keys.seal([]byte("theirs"), nameOf(Listing, []string{"mine"})),
		"of joined parts":    s.keys.seal([]byte("theirs"), nameOf(Text, []string{"mi", "ne"})),
		"of no bytes":        {},
		"cut":                sealed[:len(sealed)-1],
		"not compressed":     s.keys.aead.Seal(nil, nil, []byte("mine"), mine),
		"a bomb of too much": bomb,
	} {
		if err := s.memory.add(map[index][]byte{s.keys.index(mine): value}); err != nil {
			t.Fatal(err)
		}
		if got, ok := s.Get(Text, "mine"); ok {
			t.Errorf("a value %s: got %q", name, got[:min(20, len(got))])
		}
	}
	s.Put([]byte("mine"), Text, "mine")
	if got, ok := s.Get(Text, "mine"); !ok || string(got) != "mine" {
		t.Errorf("got %q", got)
	}
}

// What a manifest of any size or form says costs little memory. This test is not parallel: it
// counts what is allocated.
func TestHugeManifest(t *testing.T) {
	c := config(t.TempDir())
	memoryOf(t, c)
	file, segment := filepath.Join(c.Folder, manifestName), ""
	whole := files(t, c.Folder)
	for name := range whole {
		if name != file {
			segment = name
		}
	}
	k, err := newKeys(c)
	if err != nil {
		t.Fatal(err)
	}
	sealed := func(m manifest) []byte {
		text, err := m.seal(k)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	huge := func(size int64) func() {
		return func() {
			if err := os.Truncate(file, size); err != nil {
				t.Fatal(err)
			}
		}
	}
	name := strings.Repeat("a", 26)
	for what, prepare := range map[string]func(){
		"just too long": huge(maxManifest + 1),
		"1 TiB":         huge(1 << 40),
		"of a huge segment": func() {
			rewrite(t, file, sealed(manifest{[]group{{{Name: name + segmentEnd, Size: 1 << 50, Ages: []byte{0}}}}}))
		},
		"of a segment of 1 TiB": func() {
			if err := os.Truncate(segment, 1<<40); err != nil {
				t.Fatal(err)
			}
		},
		"of no segment": func() { rewrite(t, file, sealed(manifest{[]group{{nil}}})) },
		"of itself":     func() { rewrite(t, file, sealed(manifest{[]group{{{Name: manifestName, Size: 10, Ages: []byte{0}}}}})) },
		"of a file above": func() {
			rewrite(t, file, sealed(manifest{[]group{{{Name: "../" + name + segmentEnd, Size: 10, Ages: []byte{0}}}}}))
		},
		"of another format":         func() { rewrite(t, file, bytes.Replace(whole[file], []byte("format 1"), []byte("format 0"), 1)) },
		"of a format still to come": func() { rewrite(t, file, bytes.Replace(whole[file], []byte("format 1"), []byte("format 10"), 1)) },
		"of nothing":                func() { rewrite(t, file, nil) },
	} {
		for name, text := range whole {
			rewrite(t, name, text)
		}
		prepare()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		values, why := reads(t, c)
		runtime.ReadMemStats(&after)
		if values != 0 || !strings.HasPrefix(why, "it is damaged: ") && !strings.Contains(what, "format") || strings.Contains(what, "format") && why != "another version of the program made it" {
			t.Errorf("a manifest %s: got %d values, %q", what, values, why)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
			t.Errorf("a manifest %s takes %d bytes of memory", what, took)
		}
	}
}

func FuzzManifest(f *testing.F) {
	c := config(f.TempDir())
	memoryOf(f, c)
	for _, text := range files(f, c.Folder) {
		f.Add(text[:min(len(text), 1000)])
	}
	k, err := newKeys(c)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(head(k), "sealed?"...))
	f.Add([]byte(title + "1\n"))
	f.Add([]byte(`{"Groups":[[{"Name":"../x","Size":-1,"Ages":null},null],null]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if m, why := parseManifest(text, k); why == "" && !bytes.HasPrefix(text, head(k)) || why != "" && len(m.Groups) > 0 {
			t.Errorf("got %v, %q", m, why)
		}
		if sealed := append(head(k), k.seal(text, named("manifest", string(head(k))))...); len(text) < 1000 { // as if a run had written it
			m, _ := parseManifest(sealed, k)
			m.names()
		}
	})
}

func FuzzValue(f *testing.F) {
	k, err := newKeys(config(""))
	if err != nil {
		f.Fatal(err)
	}
	name := []byte("name")
	f.Add(k.seal([]byte("a value"), name))
	f.Add(k.pack.EncodeAll([]byte("a value"), nil))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, text []byte) {
		if value, err := k.open(text, []byte("another name")); err == nil {
			t.Errorf("what nobody has sealed opens: %q", value)
		}
		opened, err := k.open(k.aead.Seal(nil, nil, text, name), name) // as if it had been packed
		if err == nil && len(opened) > maxValue {
			t.Errorf("got %d bytes", len(opened))
		}
		if back, err := k.open(k.seal(text, name), name); err != nil || !bytes.Equal(back, text) {
			t.Errorf("got %q, %v, want %q", back, err, text)
		}
		numbered(text, 1000)
	})
}
