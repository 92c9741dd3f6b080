package gitwire_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/gitwire"
)

const mib = 1 << 20

// bomb is a pack that asks for more than it is worth.
type bomb struct {
	name   string
	make   func(*packer) (head gitwire.Hash)
	count  int // of objects that the pack promises; 0 means the right one
	limits gitwire.Limits
	want   func(error) bool
}

func none(err error) bool { return err == nil }

// of adds a commit of a root.
func of(p *packer, root string) gitwire.Hash {
	h, _ := p.add(commit, commitOf(nameOf(tree, root)))
	return h
}

// folders is a tree with n items that are one and the same folder.
func folders(n int, h gitwire.Hash) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(item("40000", fmt.Sprintf("%06d", i), h))
	}
	return b.String()
}

// nested adds a chain of trees, each of which holds the next several times, and returns the
// last one. Those who hold it come before or after it.
func nested(p *packer, depth, width int, outerFirst bool) (root string) {
	var texts []string
	inner := item("100644", "f", nameOf(blob, ""))
	for range depth {
		texts = append(texts, inner)
		inner = folders(width, nameOf(tree, inner))
	}
	for i := range texts {
		if outerFirst {
			i = len(texts) - 1 - i
		}
		p.add(tree, texts[i])
	}
	return inner
}

var bombs = []bomb{
	{name: "an object of 2^59 bytes", make: func(p *packer) gitwire.Hash {
		p.head(blob, 1<<59)
		p.text("x")
		return gitwire.Hash{}
	}, want: limited("bytes in the objects of packs")},
	{name: "a size of 70 bits", make: func(p *packer) gitwire.Hash {
		p.count++
		p.buf.WriteString("\xbf\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
		return gitwire.Hash{}
	}, want: is(gitwire.ErrBroken)},
	{name: "a tree of a negative size", make: func(p *packer) gitwire.Hash {
		p.count++
		p.buf.WriteString("\xaf\xff\xff\xff\xff\xff\xff\xff\xff\x0f")
		return gitwire.Hash{}
	}, want: is(gitwire.ErrBroken)},
	{name: "three million objects", count: 3_000_000, make: func(p *packer) gitwire.Hash { return gitwire.Hash{} }, want: limited("objects in a pack")},
	{name: "more objects than there are", count: 9, make: func(p *packer) gitwire.Hash { return of(p, "") }, want: func(err error) bool {
		return errors.Is(err, gitwire.ErrCut) || errors.Is(err, gitwire.ErrBroken) // the checksum is read as an object
	}},
	{name: "a tree above the limit", make: func(p *packer) gitwire.Hash {
		p.head(tree, 8*mib+1)
		return gitwire.Hash{}
	}, want: limited("bytes in a folder")},
	{name: "a commit above the limit", make: func(p *packer) gitwire.Hash {
		p.head(commit, 8*mib+1)
		return gitwire.Hash{}
	}, want: limited("bytes in a folder")},
	{name: "a file of 256 MiB of zeros", make: func(p *packer) gitwire.Hash {
		head := of(p, item("100644", "f", gitwire.Hash{1}))
		p.add(tree, item("100644", "f", gitwire.Hash{1}))
		p.head(blob, 256*mib)
		zeros(p, 256*mib)
		return head
	}, want: none},
	{name: "files above the limit together", limits: gitwire.Limits{MaxInflated: 64 * mib}, make: func(p *packer) gitwire.Hash {
		for range 4 {
			p.head(blob, 24*mib)
			zeros(p, 24*mib)
		}
		return gitwire.Hash{}
	}, want: limited("bytes in the objects of packs")},
	{name: "a text longer than its size", make: func(p *packer) gitwire.Hash {
		p.head(blob, 10)
		zeros(p, 64*mib)
		return gitwire.Hash{}
	}, want: is(gitwire.ErrBroken)},
	{name: "a tree longer than its size", make: func(p *packer) gitwire.Hash {
		p.head(tree, 10)
		zeros(p, 64*mib)
		return gitwire.Hash{}
	}, want: is(gitwire.ErrBroken)},
	{name: "a text shorter than its size", make: func(p *packer) gitwire.Hash {
		p.head(blob, 64*mib)
		p.text("x")
		return gitwire.Hash{}
	}, want: is(gitwire.ErrBroken)},
	{name: "deltas of 8 MiB from 10 bytes each", limits: gitwire.Limits{MaxStored: 64 * mib}, make: func(p *packer) gitwire.Hash {
		base, _ := p.add(tree, folders(1000, gitwire.Hash{1}))
		for i := range 1000 {
			p.ref(base, delta(1000*33, 8*mib, fmt.Sprintf("%05d", i)))
		}
		return gitwire.Hash{}
	}, want: limited("bytes of folders")},
	{name: "deltas of files of 8 MiB from 10 bytes each", limits: gitwire.Limits{MaxInflated: 256 * mib}, make: func(p *packer) gitwire.Hash {
		text := strings.Repeat("x", 100_000)
		root := item("100644", "a", nameOf(blob, text)) + item("100644", "b", gitwire.Hash{1})
		head := of(p, root)
		p.add(tree, root)
		base, _ := p.add(blob, text)
		for i := range 1000 {
			p.ref(base, delta(len(text), 8*mib, fmt.Sprintf("%05d", i)))
		}
		return head
	}, want: limited("bytes in the objects of packs")},
	{name: "deltas of more than a tree", make: func(p *packer) gitwire.Hash {
		base, _ := p.add(tree, folders(1000, gitwire.Hash{1}))
		p.ref(base, varint(1000*33)+varint(1<<40)+"\x90\x01")
		return gitwire.Hash{}
	}, want: limited("bytes in a folder")},
	{name: "a delta of a base of another size", make: func(p *packer) gitwire.Hash {
		root := item("100644", "a", gitwire.Hash{1})
		base, _ := p.add(tree, root)
		p.ref(base, delta(len(root), 2*len(root), "")) // makes a tree with a name twice
		p.ref(base, varint(uint64(len(root)+1))+delta(len(root), 2*len(root), "")[1:])
		return of(p, root)
	}, want: is(gitwire.ErrBroken)},
	{name: "deltas without base", make: func(p *packer) gitwire.Hash {
		head := of(p, item("40000", "d", gitwire.Hash{1}))
		for i := range 60_000 {
			p.ref(gitwire.Hash{byte(i), byte(i >> 8), byte(i >> 16), 1}, "\x01\x01\x01x")
		}
		return head
	}, want: is(gitwire.ErrBroken)},
	{name: "a delta of itself", make: func(p *packer) gitwire.Hash {
		p.count++
		p.buf.WriteString("\x64\x00")
		p.text("\x01\x01\x01x")
		return gitwire.Hash{}
	}, want: is(gitwire.ErrBroken)},
	{name: "a delta of what stands before the pack", make: func(p *packer) gitwire.Hash {
		p.count++
		p.buf.WriteString("\x64\x85\x00")
		p.text("\x01\x01\x01x")
		return gitwire.Hash{}
	}, want: is(gitwire.ErrBroken)},
	{name: "a delta from far away", make: func(p *packer) gitwire.Hash {
		p.count++
		p.buf.WriteString("\x64\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00")
		return gitwire.Hash{}
	}, want: is(gitwire.ErrBroken)},
	{name: "a chain above the limit", make: func(p *packer) gitwire.Hash { return chain(p, 4096) }, want: limited("deltas in a chain")},
	{name: "the longest chain", make: func(p *packer) gitwire.Hash { return chain(p, 4095) }, want: none},
	{name: "a wide tree", make: func(p *packer) gitwire.Hash {
		root := folders(200_000, nameOf(tree, ""))
		head := of(p, root)
		p.add(tree, "")
		p.add(tree, root)
		return head
	}, want: limited("bytes of folders that wait")},
	{name: "trees that double, from the leaves", make: func(p *packer) gitwire.Hash {
		root := nested(p, 40, 2, false)
		p.add(tree, root)
		return of(p, root)
	}, want: limited("folders")},
	{name: "trees that double, from the root", make: func(p *packer) gitwire.Hash {
		p.add(tree, "")
		deep := &packer{}
		root := nested(deep, 40, 2, true)
		head := of(p, root)
		p.add(tree, root)
		p.buf.Write(deep.buf.Bytes())
		p.count += deep.count
		return head
	}, want: limited("bytes of folders that wait")},
	{name: "wide trees in wide trees", make: func(p *packer) gitwire.Hash {
		root := nested(p, 3, 50_000, false)
		p.add(tree, root)
		return of(p, root)
	}, want: limited("bytes of folders that wait")},
	{name: "wide trees of files", limits: gitwire.Limits{MaxEntries: 1_000_000}, make: func(p *packer) gitwire.Hash {
		leaf := strings.ReplaceAll(folders(200_000, nameOf(blob, "")), "40000 ", "100644 ")
		root := folders(1000, nameOf(tree, leaf))
		p.add(tree, leaf)
		p.add(tree, root)
		return of(p, root)
	}, want: limited("files and folders")},
	{name: "a deep tree", make: func(p *packer) gitwire.Hash {
		root := nested(p, 100, 1, false)
		p.add(tree, root)
		return of(p, root)
	}, want: none},
	{name: "a tree deeper than a path", make: func(p *packer) gitwire.Hash {
		root := nested(p, 4000, 1, false)
		p.add(tree, root)
		return of(p, root)
	}, want: none},
	{name: "trees above the limit of the disk", limits: gitwire.Limits{MaxStored: mib}, make: func(p *packer) gitwire.Hash {
		for i := range 40 {
			p.add(tree, folders(1000, gitwire.Hash{byte(i)}))
		}
		return gitwire.Hash{}
	}, want: limited("bytes of folders")},
	{name: "more than is received", limits: gitwire.Limits{MaxBytes: 100}, make: func(p *packer) gitwire.Hash {
		root := folders(1000, gitwire.Hash{1})
		p.add(tree, root)
		return of(p, root)
	}, want: limited("bytes received")},
	{name: "a folder that is a file", make: func(p *packer) gitwire.Hash {
		root := item("40000", "d", nameOf(blob, "text"))
		p.add(blob, "text")
		p.add(tree, root)
		return of(p, root)
	}, want: is(gitwire.ErrBroken)},
	{name: "a folder that is a file with the text of a folder", make: func(p *packer) gitwire.Hash {
		text := item("100644", "f", gitwire.Hash{1})
		sub := item("40000", "d", nameOf(blob, text))
		root := item("100644", "a", nameOf(blob, text)) + item("40000", "sub", nameOf(tree, sub))
		head := of(p, root)
		p.add(tree, root)
		p.add(blob, text)
		p.add(tree, sub)
		return head
	}, want: is(gitwire.ErrBroken)},
	{name: "a commit without a tree", make: func(p *packer) gitwire.Hash {
		h, _ := p.add(commit, "parent x\n")
		return h
	}, want: is(gitwire.ErrBroken)},
	{name: "a commit that is another", make: func(p *packer) gitwire.Hash {
		of(p, "")
		p.add(tree, "")
		return gitwire.Hash{1}
	}, want: is(gitwire.ErrBroken)},
}

// zeros writes a text of n zeros.
func zeros(p *packer, n int) {
	z := p.deflate()
	part := make([]byte, mib)
	for ; n > 0; n -= len(part) {
		z.Write(part)
	}
	z.Close()
}

// chain makes a root by n deltas, each of the one before.
func chain(p *packer, n int) gitwire.Hash {
	first := item("100644", "f", nameOf(blob, "0"))
	text := first
	_, at := p.add(tree, text)
	for i := range n {
		next := item("100644", fmt.Sprintf("g%06d", i), nameOf(blob, "0"))
		at = p.ofs(at, varint(uint64(len(text)))+varint(uint64(len(first)+len(next)))+"\x90"+string([]byte{byte(len(first))})+string([]byte{byte(len(next))})+next)
		text = first + next
	}
	return of(p, text)
}

// Each ends as designed, within the memory of a large read. A third of them is tried where
// TESTS does not say "full".
func TestBombs(t *testing.T) {
	skipShort(t)
	const most = 24 * mib
	for i, b := range bombs {
		if !full() && i%3 > 0 {
			continue
		}
		t.Run(b.name, func(t *testing.T) {
			p := &packer{}
			head := b.make(p)
			if b.count == 0 {
				b.count = p.count
			}
			body := onDisk(t, answer(p.pack(b.count), 65000))
			p = nil
			m := newMeter(t)
			got, err := read(t, played{body: body}, head, b.limits, m.sample)
			m.sample() // what nobody needs now is still held
			if !b.want(err) {
				t.Errorf("got %v\n%s", err, got[:min(len(got), 500)])
			}
			if m.most > most {
				t.Errorf("took %.1f MiB, want at most %d", float64(m.most)/mib, most/mib)
			}
			t.Logf("%.1f MiB, %v", float64(m.most)/mib, err)
		})
	}
}

// A folder below a path that is too long is left out, and told.
func TestLongPath(t *testing.T) {
	t.Parallel()
	p := &packer{}
	root := nested(p, 700, 1, false)
	p.add(tree, root)
	head := of(p, root)
	got, err := read(t, played{body: strings.NewReader(answer(p.pack(p.count), 9999))}, head, gitwire.Limits{}, nil)
	if depth := 4096 / len("/000000"); err != nil || strings.Count(got, "\n") != depth+1 || !strings.Contains(got, "\nleft out 1 000000/") {
		t.Errorf("got %d lines, %v, want %d: %s", strings.Count(got, "\n"), err, depth+1, got[max(0, len(got)-100):])
	}
}

// Folders that wait one after the other do not wait together.
func TestWaiting(t *testing.T) {
	t.Parallel()
	deep := &packer{}
	root := nested(deep, 100, 1, true)
	p := &packer{}
	head := of(p, root)
	p.add(tree, root)
	p.buf.Write(deep.buf.Bytes())
	body := answer(p.pack(p.count+deep.count), 9999)
	for limit, want := range map[int]func(error) bool{1000: none, 500: limited("bytes of folders that wait")} {
		if _, err := read(t, played{body: strings.NewReader(body)}, head, gitwire.Limits{MaxWaiting: limit}, nil); !want(err) {
			t.Errorf("with %d bytes: got %v", limit, err)
		}
	}
}

// A folder that Enter names only later is an error, not an empty folder.
func TestFickleEnter(t *testing.T) {
	t.Parallel()
	p, head := small()
	r := &gitwire.Remote{URL: "https://git.test/acme/r.git", TempDir: t.TempDir(), Do: played{body: strings.NewReader(answer(p.pack(p.count), 9999))}.do}
	enter := false
	s, err := r.Snapshot(t.Context(), gitwire.Want{Head: head, Enter: func(string) bool { return enter }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	enter = true
	err = nil
	for _, failure := range s.Entries() {
		err = failure
	}
	if err == nil || !strings.Contains(err.Error(), `folder "of" was not listed`) {
		t.Errorf("got %v", err)
	}
}

// What a callback says ends the read.
func TestBlobError(t *testing.T) {
	t.Parallel()
	p, head := small()
	enough := errors.New("enough")
	r := &gitwire.Remote{URL: "https://git.test/acme/r.git", TempDir: t.TempDir(), Do: played{body: strings.NewReader(answer(p.pack(p.count), 50))}.do}
	fails := func(gitwire.Hash, int64, []byte) error { return enough }
	if _, err := r.Snapshot(t.Context(), gitwire.Want{Head: head, Enter: all, Keep: everyFile, Blob: fails}); !errors.Is(err, enough) {
		t.Errorf("snapshot: got %v", err)
	}
	if _, err := r.Blobs(t.Context(), []gitwire.Hash{nameOf(blob, "one\n")}, fails); !errors.Is(err, enough) {
		t.Errorf("blobs: got %v", err)
	}
}

// onDisk is a file that holds a text, so that the text is not in the memory that is measured.
func onDisk(t *testing.T, text string) *os.File {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "answer"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	if _, err := file.WriteString(text); err != nil {
		t.Fatal(err)
	}
	return file
}
