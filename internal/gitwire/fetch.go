package gitwire

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// fetching is what one request for objects asks.
type fetching struct {
	wants   []Hash
	shallow bool // leave out the history of the wanted commit
	filter  bool // leave out files
}

// fetch asks for objects and hands the pack of the answer to read.
//
// Source: https://git-scm.com/docs/protocol-v2#_fetch, read 2026-11.
func (r *Remote) fetch(ctx context.Context, f fetching, read func(*stream) error) error {
	body := command("fetch")
	body = appendPacket(body, "no-progress\n")
	body = appendPacket(body, "ofs-delta\n")
	for _, h := range f.wants {
		body = appendPacket(body, "want "+h.String()+"\n")
	}
	if f.shallow {
		body = appendPacket(body, "deepen 1\n")
	}
	if f.filter {
		body = appendPacket(body, "filter blob:none\n")
	}
	body = appendPacket(body, "done\n")
	body = append(body, flush...)
	return r.ask(ctx, http.MethodPost, "/git-upload-pack", "result", body, func(p packets) error {
		if err := p.packfile(); err != nil {
			return err
		}
		return read(&stream{packets: p})
	})
}

// packfile passes over the sections before the pack.
func (p packets) packfile() error {
	for section := ""; ; {
		m, text, err := p.line()
		switch {
		case err != nil:
			return err
		case m == isDelim && section != "":
			section = ""
		case m != isData:
			return fmt.Errorf("%w: an answer without a pack", ErrBroken)
		case section != "":
		case text == "packfile":
			return nil
		case text == "shallow-info" || text == "acknowledgments" || text == "wanted-refs":
			section = text
		default:
			return fmt.Errorf("%w: a section %q", ErrBroken, text)
		}
	}
}

// Bands of a section: each of its packets begins with one.
const (
	bandData     = 1
	bandProgress = 2
	bandError    = 3
)

// stream is the bytes of a pack, out of the packets of their band.
type stream struct {
	packets
	left  int    // bytes of the packet that are not read from below yet
	chunk []byte // read from below, lies in its buffer
	pos   int    // in chunk
	taken int64  // bytes of the pack before the end of chunk
	ended bool
}

// offset is the number of bytes that were read.
func (s *stream) offset() int64 { return s.taken - int64(len(s.chunk)-s.pos) }

// fill puts the next bytes into chunk, which was read to its end. The error is io.EOF at the end of the section.
func (s *stream) fill() error {
	for s.left == 0 {
		if s.ended {
			return io.EOF
		}
		if err := s.packet(); err != nil {
			return cut(err)
		}
	}
	if _, err := s.in.Peek(1); err != nil {
		return cut(err)
	}
	n := min(s.left, s.in.Buffered())
	chunk, err := s.in.Peek(n)
	if err != nil {
		return err
	}
	if _, err := s.in.Discard(n); err != nil { // chunk is valid until the next read
		return err
	}
	s.chunk, s.pos, s.left, s.taken = chunk, 0, s.left-n, s.taken+int64(n)
	return nil
}

// packet begins the next packet, or ends the section.
func (s *stream) packet() error {
	m, length, err := s.header()
	if err != nil {
		return err
	}
	if m == isFlush {
		s.ended = true
		return nil
	}
	if m != isData || length == 0 {
		return fmt.Errorf("%w: a packet without a band in a pack", ErrBroken)
	}
	band, err := s.in.ReadByte()
	if err != nil {
		return err
	}
	length--
	switch band {
	case bandData:
		s.left = length
		return nil
	case bandProgress:
		_, err := s.in.Discard(length)
		return err
	case bandError:
		var text strings.Builder
		if _, err := io.CopyN(&text, s.in, int64(length)); err != nil {
			return err
		}
		return serverError(text.String())
	default:
		return fmt.Errorf("%w: a packet of band %d", ErrBroken, band)
	}
}

// ReadByte returns the next byte. The error is ErrCut at the end.
func (s *stream) ReadByte() (byte, error) {
	if s.pos == len(s.chunk) {
		if err := s.fill(); err != nil {
			return 0, cut(err)
		}
	}
	s.pos++
	return s.chunk[s.pos-1], nil
}

// Read reads what is at hand.
func (s *stream) Read(p []byte) (int, error) {
	if s.pos == len(s.chunk) {
		if err := s.fill(); err != nil {
			return 0, cut(err)
		}
	}
	n := copy(p, s.chunk[s.pos:])
	s.pos += n
	return n, nil
}

// drain reads what is left of an answer whose pack was read to its end, so that the connection
// can be used again. Errors of what is left do not matter.
func (s *stream) drain() {
	_, _ = io.CopyN(io.Discard, s.in, maxDrain)
}
