package gitwire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Packets frame everything that is said: four hexadecimal digits of length, which count
// themselves, and the payload. Lengths below 4 are marks.
//
// Source: https://git-scm.com/docs/gitprotocol-common#_pkt_line_format, read 2026-11.
const (
	maxPacket = 65520
	packetBuf = 32 << 10

	flush = "0000" // the end of a message
	delim = "0001" // the end of a section
)

// mark is what a packet is.
type mark int

const (
	isFlush mark = iota
	isDelim
	isEnd
	isData
)

// appendPacket adds a packet of text.
func appendPacket(b []byte, text string) []byte {
	return append(fmt.Appendf(b, "%04x", len(text)+4), text...)
}

// packets reads packets. An answer that ends inside one is ErrCut.
type packets struct {
	in *bufio.Reader
}

// header reads the mark of the next packet and the length of its payload. The error is
// io.EOF at the end of the answer.
func (p packets) header() (m mark, length int, err error) {
	digits, err := p.in.Peek(4)
	if err != nil {
		if errors.Is(err, io.EOF) && len(digits) > 0 {
			err = ErrCut
		}
		return 0, 0, err
	}
	for _, c := range digits {
		length <<= 4
		switch {
		case c >= '0' && c <= '9':
			length |= int(c - '0')
		case c >= 'a' && c <= 'f':
			length |= int(c-'a') + 10
		case c >= 'A' && c <= 'F':
			length |= int(c-'A') + 10
		default:
			return 0, 0, fmt.Errorf("%w: the length of a packet is %q", ErrBroken, digits)
		}
	}
	if length == 3 || length > maxPacket {
		return 0, 0, fmt.Errorf("%w: the length of a packet is %d", ErrBroken, length)
	}
	if _, err := p.in.Discard(4); err != nil {
		return 0, 0, err
	}
	if length < 3 {
		return mark(length), 0, nil
	}
	return isData, length - 4, nil
}

// line reads a packet of text, without the line feed at its end. An answer of git's that is an
// error is a *ServerError or ErrNoObject.
func (p packets) line() (m mark, text string, err error) {
	m, length, err := p.header()
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %w", ErrCut, io.ErrUnexpectedEOF)
	}
	if err != nil || m != isData {
		return m, "", err
	}
	var b bytes.Buffer // grows with what comes, not with what is promised
	if _, err := io.CopyN(&b, p.in, int64(length)); err != nil {
		return 0, "", cut(err)
	}
	text = strings.TrimSuffix(b.String(), "\n")
	if said, ok := strings.CutPrefix(text, "ERR "); ok {
		return 0, "", serverError(said)
	}
	return isData, text, nil
}

// cut is the error for an answer that ends too early.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %w", ErrCut, io.ErrUnexpectedEOF)
	}
	return err
}

// serverError is the error for words of the server's git.
func serverError(text string) error {
	text = strings.TrimRight(text, "\x00\r\n ")
	err := &ServerError{Text: text}
	// The first are the words of git, the second those of JGit, learned by trial and from its
	// source, 2026-11.
	if strings.Contains(text, "not our ref") || strings.HasPrefix(text, "want ") && strings.HasSuffix(text, " not valid") {
		return fmt.Errorf("%w: %w", ErrNoObject, err)
	}
	return err
}
