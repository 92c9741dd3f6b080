package gitwire_test

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/gitwire"
)

// Numbers of kinds in a pack.
const (
	commit   = 1
	tree     = 2
	blob     = 3
	tag      = 4
	ofsDelta = 6
	refDelta = 7
)

var kinds = map[int]string{commit: "commit", tree: "tree", blob: "blob", tag: "tag"}

// nameOf is the hash of an object.
func nameOf(kind int, text string) gitwire.Hash {
	return sha1.Sum(fmt.Appendf(nil, "%s %d\x00%s", kinds[kind], len(text), text))
}

// packer writes packs that no honest server sends.
type packer struct {
	buf   bytes.Buffer
	z     *zlib.Writer
	count int
}

// deflate compresses what is written to it into the pack.
func (p *packer) deflate() *zlib.Writer {
	if p.z == nil {
		p.z, _ = zlib.NewWriterLevel(nil, zlib.BestSpeed) // a level that there is
	}
	p.z.Reset(&p.buf)
	return p.z
}

func (p *packer) offset() int { return 12 + p.buf.Len() }

// head writes what stands before a text.
func (p *packer) head(kind int, size uint64) {
	p.count++
	first := byte(kind<<4) | byte(size&15)
	for size >>= 4; size > 0; size >>= 7 {
		p.buf.WriteByte(first | 0x80)
		first = byte(size & 0x7f)
	}
	p.buf.WriteByte(first)
}

func (p *packer) text(text string) {
	z := p.deflate()
	io.WriteString(z, text)
	z.Close()
}

// add writes a whole object and returns its hash and its offset.
func (p *packer) add(kind int, text string) (h gitwire.Hash, at int) {
	at = p.offset()
	p.head(kind, uint64(len(text)))
	p.text(text)
	return nameOf(kind, text), at
}

func (p *packer) ref(base gitwire.Hash, delta string) {
	p.head(refDelta, uint64(len(delta)))
	p.buf.Write(base[:])
	p.text(delta)
}

func (p *packer) ofs(base int, delta string) (at int) {
	at = p.offset()
	p.head(ofsDelta, uint64(len(delta)))
	back := at - base
	digits := []byte{byte(back & 0x7f)}
	for back >>= 7; back > 0; back >>= 7 {
		back--
		digits = append([]byte{0x80 | byte(back&0x7f)}, digits...)
	}
	p.buf.Write(digits)
	p.text(delta)
	return at
}

// pack is all of it, with the count that it should have.
func (p *packer) pack(count int) []byte {
	b := binary.BigEndian.AppendUint32([]byte("PACK\x00\x00\x00\x02"), uint32(count))
	b = append(b, p.buf.Bytes()...)
	sum := sha1.Sum(b)
	return append(b, sum[:]...)
}

func varint(n uint64) string { return string(binary.AppendUvarint(nil, n)) }

// delta copies a base, as often as it takes to make a text of a size that ends with a suffix.
func delta(base, size int, suffix string) string {
	var d strings.Builder
	d.WriteString(varint(uint64(base)) + varint(uint64(size)))
	for left := size - len(suffix); left > 0; {
		n := min(left, base, 0xffffff)
		d.WriteString("\xf0" + string([]byte{byte(n), byte(n >> 8), byte(n >> 16)}))
		left -= n
	}
	if suffix != "" {
		d.WriteString(string([]byte{byte(len(suffix))}) + suffix)
	}
	return d.String()
}

func item(mode, name string, h gitwire.Hash) string { return mode + " " + name + "\x00" + string(h[:]) }

func commitOf(root gitwire.Hash) string {
	return "tree " + root.String() + "\nauthor A <a@acme.test> 1700000000 +0000\ncommitter A <a@acme.test> 1700000000 +0000\n\nChange\n"
}

func packet(text string) string { return fmt.Sprintf("%04x%s", len(text)+4, text) }

// answer puts a pack into packets of a size.
func answer(pack []byte, size int) string {
	var b strings.Builder
	b.WriteString(packet("packfile\n"))
	for len(pack) > 0 {
		n := min(size, len(pack))
		b.WriteString(packet("\x01" + string(pack[:n])))
		pack = pack[n:]
	}
	b.WriteString("0000")
	return b.String()
}

// played is a server that gives the same answer to everything.
type played struct {
	status int
	kind   string
	body   io.Reader // is at its beginning for each request when it can
	folder string    // for temporary files; "" is a new one
}

func (p played) do(req *http.Request) (*http.Response, error) {
	kind := p.kind
	if kind == "" {
		kind = "application/x-git-upload-pack-result"
	}
	if s, ok := p.body.(io.Seeker); ok {
		if _, err := s.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
	}
	return &http.Response{StatusCode: max(p.status, 200), Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(p.body), Request: req}, nil
}

// read reads everything that an answer has of a commit, and reports the entries, the files and
// those that are missing, one a line. Nothing may stay on disk.
func read(t testing.TB, p played, head gitwire.Hash, limits gitwire.Limits, sample func()) (string, error) {
	t.Helper()
	folder := p.folder
	if folder == "" {
		folder = t.TempDir()
	}
	r := &gitwire.Remote{URL: "https://git.test/acme/r.git", TempDir: folder, Limits: limits, Do: func(req *http.Request) (*http.Response, error) {
		resp, err := p.do(req)
		if err == nil && sample != nil {
			resp.Body = sampled{resp.Body, sample}
		}
		return resp, err
	}}
	var out strings.Builder
	s, err := r.Snapshot(t.Context(), gitwire.Want{Head: head, Enter: all, Keep: everyFile, Blob: func(h gitwire.Hash, size int64, text []byte) error {
		if size == int64(len(text)) && nameOf(blob, string(text)) != h {
			t.Errorf("a file is not what its hash says: %s", h)
		}
		fmt.Fprintln(&out, "file", h, size)
		return nil
	}})
	if err == nil {
		for e, err := range s.Entries() {
			if err != nil {
				t.Errorf("entries: %v", err)
			}
			if out.Len() < 2<<20 {
				fmt.Fprintf(&out, "%o %s %s\n", e.Mode, e.Hash, e.Path)
			}
		}
		n, first := s.LeftOut()
		fmt.Fprintln(&out, "left out", n, first)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	left, failure := os.ReadDir(folder)
	if len(left) > 0 || failure != nil {
		t.Errorf("%d files stay on disk: %v", len(left), failure)
	}
	return out.String(), err
}

// small is a pack with an object of each kind and deltas of both kinds, and its head.
func small() (p *packer, head gitwire.Hash) {
	p = &packer{}
	texts := []string{"one\n", "two two two two two two two two\n", strings.Repeat("abc ", 40)}
	sub := item("100644", "a", nameOf(blob, texts[0])) + item("100755", "b", nameOf(blob, texts[1]))
	of := sub + item("120000", "link", nameOf(blob, texts[0]))
	third := of + item("160000", "module", nameOf(commit, "x"))
	fourth := texts[2] + "fourth"
	root := item("100644", "abc", nameOf(blob, texts[2])) + item("100644", "d", nameOf(blob, fourth)) +
		item("40000", "of", nameOf(tree, of)) + item("40000", "sub", nameOf(tree, sub)) + item("40000", "third", nameOf(tree, third))
	head, _ = p.add(commit, commitOf(nameOf(tree, root)))
	p.add(tag, "object "+head.String()+"\n")
	p.add(tree, root)
	_, at := p.add(tree, sub)
	p.ofs(at, delta(len(sub), len(of), of[len(sub):]))
	p.add(blob, texts[0])
	p.ref(nameOf(tree, of), delta(len(of), len(third), third[len(of):]))
	p.add(blob, texts[1])
	p.add(blob, texts[2])
	p.ref(nameOf(blob, texts[2]), delta(len(texts[2]), len(fourth), "fourth"))
	return p, head
}

func TestSmall(t *testing.T) {
	t.Parallel()
	p, head := small()
	got, err := read(t, played{body: strings.NewReader(answer(p.pack(p.count), 50))}, head, gitwire.Limits{}, nil)
	if err != nil || strings.Count(got, "file ") != 4 || strings.Count(got, "\n") != 4+5+3+2+4+1 {
		t.Errorf("got %v\n%s", err, got)
	}
}

// An answer that was cut off is ErrCut, unless nothing of it was needed.
func TestEveryCut(t *testing.T) {
	t.Parallel()
	p, head := small()
	whole := answer(p.pack(p.count), 50)
	want, err := read(t, played{body: strings.NewReader(whole)}, head, gitwire.Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	enough, folder := 0, t.TempDir()
	for n := 1; n < len(whole); n++ {
		got, err := read(t, played{body: strings.NewReader(whole[:n]), folder: folder}, head, gitwire.Limits{}, nil)
		switch {
		case err == nil && got == want:
			enough++
		case !errors.Is(err, gitwire.ErrCut):
			t.Errorf("%d of %d bytes: got %v, want ErrCut", n, len(whole), err)
		}
	}
	if enough > 20+4+10 {
		t.Errorf("%d cuts were not noticed, want those of the checksum behind the last object", enough)
	}
}

// A bit that was flipped makes an error or nothing: never another result.
func TestEveryFlip(t *testing.T) {
	t.Parallel()
	p, head := small()
	whole := []byte(answer(p.pack(p.count), 50))
	want, err := read(t, played{body: bytes.NewReader(whole)}, head, gitwire.Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	noticed, folder := 0, t.TempDir()
	step := 7 // each bit of a byte somewhere
	if full() {
		step = 1
	}
	for i := 0; i < 8*len(whole); i += step {
		whole[i/8] ^= 1 << (i % 8)
		got, err := read(t, played{body: bytes.NewReader(whole), folder: folder}, head, gitwire.Limits{}, nil)
		whole[i/8] ^= 1 << (i % 8)
		if err != nil {
			noticed++
			continue
		}
		// A file may be missing, which the caller sees; what was handed on is right.
		for line := range strings.Lines(got) {
			if !strings.Contains(want, line) {
				t.Errorf("bit %d: got %q", i, line)
			}
		}
		if strings.Count(got, "\n")-strings.Count(got, "file ") != strings.Count(want, "\n")-strings.Count(want, "file ") {
			t.Errorf("bit %d: entries are missing:\n%s", i, got)
		}
	}
	if noticed < 4*len(whole)/step {
		t.Errorf("%d of %d flips were noticed", noticed, 8*len(whole)/step)
	}
}

// limited is the limit that a failure must name.
func limited(what string) func(error) bool {
	return func(err error) bool {
		var limit *gitwire.LimitError
		return errors.As(err, &limit) && limit.What == what
	}
}

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func said(text string) func(error) bool {
	return func(err error) bool {
		var server *gitwire.ServerError
		return errors.As(err, &server) && server.Text == text
	}
}

// Packets and sections that git does not send.
func TestBrokenAnswers(t *testing.T) {
	t.Parallel()
	p, head := small()
	pack := string(p.pack(p.count))
	data := packet("\x01" + pack)
	for name, tt := range map[string]struct {
		body string
		want func(error) bool
	}{
		"empty":                  {"", is(gitwire.ErrNotUnderstood)},
		"a flush":                {"0000", is(gitwire.ErrBroken)},
		"a delimiter":            {"0001", is(gitwire.ErrBroken)},
		"an end":                 {"0002", is(gitwire.ErrBroken)},
		"a length of 3":          {"0003", is(gitwire.ErrBroken)},
		"a length of 65,521":     {"fff1" + strings.Repeat("x", 65521), is(gitwire.ErrBroken)},
		"no digits":              {"<html></html>", is(gitwire.ErrBroken)},
		"a sign":                 {"-001", is(gitwire.ErrBroken)},
		"an unknown section":     {packet("packfile-uris\n"), is(gitwire.ErrBroken)},
		"a section without end":  {packet("shallow-info\n") + packet("shallow "+head.String()), is(gitwire.ErrCut)},
		"a section, no pack":     {packet("shallow-info\n") + packet("shallow "+head.String()) + "0000", is(gitwire.ErrBroken)},
		"an error":               {packet("ERR go away\n"), said("go away")},
		"not our ref":            {packet("ERR upload-pack: not our ref " + head.String()), is(gitwire.ErrNoObject)},
		"not valid":              {packet("ERR want " + head.String() + " not valid"), is(gitwire.ErrNoObject)},
		"an error in a section":  {packet("shallow-info\n") + packet("ERR later"), said("later")},
		"band 3":                 {packet("packfile\n") + packet("\x01"+pack[:40]) + packet("\x03fatal: dead\n\x00"), said("fatal: dead")},
		"band 3, cut":            {packet("packfile\n") + "0099\x03fatal", is(gitwire.ErrCut)},
		"band 4":                 {packet("packfile\n") + packet("\x04"+pack), is(gitwire.ErrBroken)},
		"band 0":                 {packet("packfile\n") + packet("\x00"+pack), is(gitwire.ErrBroken)},
		"no band, then a byte":   {packet("packfile\n") + "0004\x01abcdefgh", is(gitwire.ErrBroken)},
		"no band":                {packet("packfile\n") + "0004" + data + "0000", is(gitwire.ErrBroken)},
		"a delimiter in a pack":  {packet("packfile\n") + packet("\x01"+pack[:40]) + "0001" + packet("\x01"+pack[40:]) + "0000", is(gitwire.ErrBroken)},
		"a flush in a pack":      {packet("packfile\n") + packet("\x01"+pack[:40]) + "0000" + packet("\x01"+pack[40:]) + "0000", is(gitwire.ErrCut)},
		"no pack in it":          {packet("packfile\n") + "0000", is(gitwire.ErrCut)},
		"another file":           {answer([]byte("PK\x03\x04"+pack), 9999), is(gitwire.ErrBroken)},
		"version 4":              {answer([]byte("PACK\x00\x00\x00\x04"+pack[8:]), 9999), is(gitwire.ErrBroken)},
		"progress, and no end":   {packet("packfile\n") + strings.Repeat(packet("\x02still here"), 1000), is(gitwire.ErrCut)},
		"keep-alives, and a cut": {packet("packfile\n") + strings.Repeat("0005\x01", 1000) + data[:100], is(gitwire.ErrCut)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := read(t, played{body: strings.NewReader(tt.body)}, head, gitwire.Limits{}, nil); !tt.want(err) {
				t.Errorf("got %v\n%s", err, got)
			}
		})
	}
}

// What is unusual but right is read.
func TestUnusualAnswers(t *testing.T) {
	t.Parallel()
	p, head := small()
	pack := p.pack(p.count)
	want, err := read(t, played{body: strings.NewReader(answer(pack, 9999))}, head, gitwire.Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	loud := strings.ReplaceAll(answer(pack, 1), "0006\x01", "0005\x01"+packet("\x02counting\r")+"0005\x02"+"0006\x01")
	for name, body := range map[string]string{
		"one byte a packet":    answer(pack, 1),
		"keep-alives":          loud,
		"sections":             packet("acknowledgments\n") + packet("NAK\n") + "0001" + packet("shallow-info") + packet("shallow "+head.String()) + "0001" + answer(pack, 70),
		"upper case":           "000Dpackfile\n" + answer(pack, 60)[13:],
		"version 3":            answer(append([]byte("PACK\x00\x00\x00\x03"), pack[8:]...), 9999),
		"nothing behind it":    strings.TrimSuffix(answer(pack, 9999), "0000"),
		"something behind it":  answer(pack, 9999) + strings.Repeat("x", 100_000),
		"the pack twice in it": answer(append(bytes.Clone(pack), pack...), 9999),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := read(t, played{body: strings.NewReader(body)}, head, gitwire.Limits{}, nil); err != nil || got != want {
				t.Errorf("got %v\n%s", err, got)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	for _, status := range []int{201, 302, 401, 403, 404, 410, 429, 500, 503} {
		_, err := read(t, played{status: status, body: strings.NewReader(strings.Repeat("no. ", 9000))}, gitwire.Hash{1}, gitwire.Limits{}, nil)
		var refused *gitwire.StatusError
		if !errors.As(err, &refused) || refused.Status != status || !strings.HasPrefix(refused.Body, "no. no. ") || len(refused.Body) > 4096 {
			t.Errorf("%d: got %v", status, err)
		}
	}
	_, err := read(t, played{kind: "text/html; charset=utf-8", body: strings.NewReader("<html>log in</html>")}, gitwire.Hash{1}, gitwire.Limits{}, nil)
	if !errors.Is(err, gitwire.ErrNotUnderstood) {
		t.Errorf("a web page: got %v", err)
	}
}
