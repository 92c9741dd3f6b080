package gitwire

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/zlib"
	"crypto/sha1"
	"errors"
	"io"
	"strings"
	"testing"
)

// streamOf is a pack in packets of a size.
func streamOf(pack []byte, size int) *stream {
	var b []byte
	for len(pack) > 0 {
		n := min(size, len(pack))
		b = appendPacket(b, "\x01"+string(pack[:n]))
		pack = pack[n:]
	}
	return &stream{packets: packets{bufio.NewReader(bytes.NewReader(append(b, flush...)))}}
}

// Packets: what was written is read, and what cannot be read is one of the package's errors.
func FuzzPktLine(f *testing.F) {
	for _, seed := range []string{"", "0000", "0004", "000bERR no\n", "0009abcd\n0001", "0003", "fff0", "fff1", "-001", "00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := packets{bufio.NewReader(strings.NewReader(text))}
		again := ""
		for {
			m, line, err := p.line()
			if err != nil {
				var said *ServerError
				if !errors.Is(err, ErrCut) && !errors.Is(err, ErrBroken) && !errors.As(err, &said) {
					t.Fatalf("%q: %v", text, err)
				}
				break
			}
			switch m {
			case isData:
				again = string(appendPacket([]byte(again), line))
			case isFlush:
				again += flush
			case isDelim:
				again += delim
			case isEnd:
				again += "0002"
			}
		}
		if len(again) > len(text) {
			t.Fatalf("%q was read as %q", text, again)
		}
		if text = text[:min(len(text), 1000)]; !strings.HasSuffix(text, "\n") && !strings.HasPrefix(text, "ERR ") {
			written := packets{bufio.NewReader(bytes.NewReader(appendPacket(nil, text)))}
			if m, line, err := written.line(); m != isData || line != text || err != nil {
				t.Fatalf("%q was read as %q, %v", text, line, err)
			}
		}
	})
}

// An inflater reads what that of the standard library reads, with the same result and the same
// end, whatever the packets.
func FuzzInflate(f *testing.F) {
	for _, text := range []string{"", "a", strings.Repeat("abc", 1000), strings.Repeat("\x00", 100_000), words()} {
		for _, level := range []int{zlib.NoCompression, zlib.BestSpeed, zlib.BestCompression, zlib.HuffmanOnly} {
			var b bytes.Buffer
			z, err := zlib.NewWriterLevel(&b, level)
			if err != nil {
				f.Fatal(err)
			}
			io.WriteString(z, text)
			z.Close()
			f.Add(b.Bytes(), uint32(len(text)), uint16(7))
		}
	}
	// A copy from before the beginning, after one letter: of three bytes from four back.
	far := []byte("\x78\x01\x4b\x04\x62\x00\x00\x00\x00\x00")
	f.Add(far, uint32(4), uint16(99))
	f.Add(far, uint32(1000), uint16(999))
	f.Fuzz(func(t *testing.T, compressed []byte, size uint32, packet uint16) {
		if size > mib {
			return
		}
		behind := []byte("the next object, which must not be touched")
		source := bytes.NewReader(append(bytes.Clone(compressed), behind...))
		var want []byte
		head := make([]byte, 2)
		io.ReadFull(source, head)
		wantErr := headError(head)
		if wantErr == nil {
			want, wantErr = io.ReadAll(io.LimitReader(flate.NewReader(source), int64(size)+1))
		}
		if wantErr == nil && len(want) != int(size) {
			wantErr = errors.New("another size")
		}
		if wantErr == nil {
			// The library may have read no byte after the end: source is an io.ByteReader.
			if _, wantErr = io.ReadFull(source, make([]byte, 4)); wantErr != nil {
				return // the checksum lies after the end of compressed
			}
		}
		for _, whole := range []bool{true, false} {
			s := streamOf(append(bytes.Clone(compressed), behind...), 1+int(packet)%60_000)
			z := inflater{in: s}
			var got []byte
			var err error
			if whole {
				got = make([]byte, size)
				err = z.text(got)
			} else {
				err = z.parts(int64(size), make([]byte, windowBuf), func(part []byte) { got = append(got, part...) })
			}
			if (err == nil) != (wantErr == nil) {
				t.Fatalf("whole %v: got %v, the standard library %v", whole, err, wantErr)
			}
			if err != nil {
				if !errors.Is(err, ErrBroken) && !errors.Is(err, ErrCut) {
					t.Fatalf("got %v", err)
				}
				continue
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("whole %v: got %d bytes, want %d, or others", whole, len(got), len(want))
			}
			if at, want := s.offset(), int64(len(compressed)+len(behind)-source.Len()); at != want {
				t.Fatalf("whole %v: ends at %d, want %d", whole, at, want)
			}
		}
	})
}

// headError is what the standard library says to the two bytes before a text.
func headError(head []byte) error {
	_, err := zlib.NewReader(bytes.NewReader(append(bytes.Clone(head), make([]byte, 8)...)))
	return err
}

func words() string {
	var b strings.Builder
	for i := range 20_000 {
		b.WriteString([]string{"tree ", "blob ", "commit\n", "a", "\x00\xff"}[i*i%5])
		b.WriteByte(byte(i * 31))
	}
	return b.String()
}

// A delta makes a text of its size from its base, or is broken.
func FuzzDelta(f *testing.F) {
	f.Add([]byte("base"), []byte("\x04\x06\x90\x04\x02ab"))
	f.Add([]byte("base"), []byte("\x04\x04\x91\x01\x03\x01x"))
	f.Add([]byte(""), []byte("\x00\x00"))
	f.Add([]byte("x"), []byte("\x01\xff\xff\xff\xff\xff\xff\xff\xff\x01\x80"))
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		of, size, rest, err := deltaSizes(delta)
		if err != nil {
			if !errors.Is(err, ErrBroken) {
				t.Fatal(err)
			}
			return
		}
		if of < 0 || size < 0 {
			t.Fatalf("sizes: got %d and %d", of, size)
		}
		if size > mib {
			return
		}
		result := make([]byte, size)
		if err := applyDelta(result, base, rest); err != nil {
			if !errors.Is(err, ErrBroken) {
				t.Fatal(err)
			}
			return
		}
		if want, ok := plainDelta(base, rest); !ok || !bytes.Equal(result, want) {
			t.Fatalf("got %q, want %q", result, want)
		}
	})
}

// plainDelta applies instructions one byte after the other.
func plainDelta(base, delta []byte) (result []byte, ok bool) {
	next := func() (b byte) {
		b, delta = delta[0], delta[1:]
		return b
	}
	for len(delta) > 0 {
		op := next()
		if op < 0x80 {
			for range op {
				result = append(result, next())
			}
			continue
		}
		var field [7]int
		for i := range field {
			if op&(1<<i) != 0 {
				field[i] = int(next())
			}
		}
		offset := field[0] + field[1]<<8 + field[2]<<16 + field[3]<<24
		size := field[4] + field[5]<<8 + field[6]<<16
		if size == 0 {
			size = 65536
		}
		for i := range size {
			result = append(result, base[offset+i])
		}
	}
	return result, true
}

// The listing of a tree holds its items in order, none twice, and nothing is lost.
func FuzzTree(f *testing.F) {
	const hash = "12345678901234567890"
	for _, seed := range []string{
		"", "100644 a\x00" + hash, "40000 a\x00" + hash + "100644 a\x00" + hash, "040000 .git\x00" + hash + "100664 .\x00" + hash,
		"100644 a\x00" + hash + "100644 a.b\x00" + hash + "40000 a\x00" + hash, "120000 \xff\x00" + hash, "160000 a/b\x00" + hash, "1 \x00" + hash,
		"100644 b\x00" + hash + "100644 a\x00" + hash + "100755 b\x00" + hash,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		before := bytes.Clone(text)
		clean, leftOut, first, err := listing(text)
		if !bytes.Equal(text, before) {
			t.Fatal("the tree was changed")
		}
		if err != nil {
			if !errors.Is(err, ErrBroken) {
				t.Fatal(err)
			}
			return
		}
		all, kept := itemsOf(t, text), itemsOf(t, clean)
		if len(all) != len(kept)+leftOut || (leftOut > 0) != (first != nil) {
			t.Fatalf("got %d items of %d, %d left out, the first %q", len(kept), len(all), leftOut, first)
		}
		names := map[string]bool{}
		for _, i := range kept {
			name := string(i.name)
			if names[name] || name == "." || name == ".." || strings.EqualFold(name, ".git") || strings.ContainsAny(name, "/\x00\n\r\x1b") || strings.ToValidUTF8(name, "") != name {
				t.Fatalf("item %q", name)
			}
			names[name] = true
		}
		for _, i := range all { // each name that can be there is there
			if name := string(i.name); usual(i.name) && !names[name] {
				t.Fatalf("item %q is lost", name)
			}
		}
	})
}

func itemsOf(t *testing.T, text []byte) (items []item) {
	for len(text) > 0 {
		i, rest, err := nextItem(text)
		if err != nil {
			t.Fatal(err)
		}
		items, text = append(items, i), rest
	}
	return items
}

// A pack that is not one ends with an error of the package, and what it hands on is what its
// hash says.
func FuzzPack(f *testing.F) {
	const zipped = "\x78\x01\x01\x01\x00\xfe\xff"
	f.Add([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x01\x31"+zipped+"a\x00\x62\x00\x62"), uint16(3))
	f.Add([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x02\x31"+zipped+"a\x00\x62\x00\x62\x61\x0f"+zipped+"a\x00\x62\x00\x62"), uint16(9))
	f.Add([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x01\x71"+strings.Repeat("h", 20)+zipped+"a\x00\x62\x00\x62"), uint16(999))
	f.Fuzz(func(t *testing.T, pack []byte, packet uint16) {
		remote := Remote{TempDir: t.TempDir(), Limits: Limits{MaxInflated: 4 * mib, MaxTree: mib, MaxFile: 100}}
		r := remote.newReader()
		defer r.store.close()
		r.tree = func(Hash, int32) error { return nil }
		r.commit = func(Hash, []byte) error { return nil }
		r.done = func() bool { return false }
		r.want(sha1.Sum([]byte("blob 1\x00a")))
		r.want(Hash{1})
		r.blob = func(h Hash, size int64, text []byte) error {
			if h != sha1.Sum([]byte("blob 1\x00a")) || size != 1 || string(text) != "a" {
				t.Fatalf("got file %s: %d, %q", h, size, text)
			}
			return nil
		}
		err := r.read(streamOf(pack, 1+int(packet)%60_000))
		var limit *LimitError
		if err != nil && !errors.Is(err, ErrBroken) && !errors.Is(err, ErrCut) && !errors.As(err, &limit) {
			t.Fatal(err)
		}
	})
}
