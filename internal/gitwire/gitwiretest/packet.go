package gitwiretest

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// The packets without content. maxPacket is how much content fits into one, and into one of a side band.
const (
	flushPacket = "0000"
	delimPacket = "0001"

	maxPacket = 65516
	maxBand   = maxPacket - 1
)

// writer writes packets.
type writer struct{ bytes.Buffer }

func (w *writer) packet(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	fmt.Fprintf(w, "%04x%s", len(text)+4, text)
}

func (w *writer) band(n byte, data []byte) {
	fmt.Fprintf(w, "%04x%c", len(data)+5, n)
	w.Write(data)
}

// packet is one that was read. Its text has no newline at the end.
type packet struct {
	special string // flushPacket or delimPacket; "" for one with text
	text    string
}

func readPackets(body []byte) ([]packet, error) {
	var all []packet
	for len(body) > 0 {
		if len(body) < 4 {
			return nil, fmt.Errorf("%d bytes where a packet begins", len(body))
		}
		head := string(body[:4])
		if head == flushPacket || head == delimPacket {
			all = append(all, packet{special: head})
			body = body[4:]
			continue
		}
		n, err := strconv.ParseUint(head, 16, 16)
		switch {
		case err != nil || n < 5 || n > maxPacket+4:
			return nil, fmt.Errorf("a packet of length %q", head)
		case int(n) > len(body):
			return nil, fmt.Errorf("a packet of %d bytes of which %d are there", n, len(body))
		}
		all = append(all, packet{text: strings.TrimSuffix(string(body[4:n]), "\n")})
		body = body[n:]
	}
	return all, nil
}

// Command is one that a client sent.
type Command struct {
	Name         string // "ls-refs", "fetch"; "capabilities" for the advertisement
	Prefixes     []string
	Wants, Haves []string
	Shallow      []string
	Depth        int
	Filter       string
	Done         bool

	capabilities []string
	arguments    []string
	flags        map[string]bool
}

// parseCommand reads a request of protocol version 2: the command and capabilities, after a delimiter the
// arguments, and a flush packet at the end. The error is what a correct client does not do.
func parseCommand(body []byte) (*Command, error) {
	packets, err := readPackets(body)
	if err != nil {
		return nil, err
	}
	c := &Command{flags: map[string]bool{}}
	behind := false
	for i, p := range packets {
		last := i == len(packets)-1
		switch {
		case p.special == flushPacket && !last:
			return nil, fmt.Errorf("%d packets behind the flush packet", len(packets)-1-i)
		case last && p.special != flushPacket:
			return nil, fmt.Errorf("no flush packet at the end")
		case p.special == delimPacket && behind:
			return nil, fmt.Errorf("a second delimiter")
		case p.special == delimPacket && c.Name == "":
			return nil, fmt.Errorf("a delimiter before the command")
		case p.special == delimPacket:
			behind = true
		case p.special == flushPacket:
		case behind:
			c.arguments = append(c.arguments, p.text)
		case strings.HasPrefix(p.text, "command="):
			if c.Name != "" {
				return nil, fmt.Errorf("a second command")
			}
			c.Name = strings.TrimPrefix(p.text, "command=")
		default:
			c.capabilities = append(c.capabilities, p.text)
		}
	}
	if c.Name == "" {
		return nil, fmt.Errorf("no command")
	}
	return c, c.checkCapabilities()
}

// checkCapabilities wants an agent and an object format, which git itself does without.
func (c *Command) checkCapabilities() error {
	seen := map[string]bool{}
	for _, text := range c.capabilities {
		key, value, _ := strings.Cut(text, "=")
		switch {
		case key == "agent" || key == "object-format":
			if seen[key] {
				return fmt.Errorf("capability %q twice", key)
			}
			if value == "" {
				return fmt.Errorf("capability %q without a value", key)
			}
		case key != "server-option":
			return fmt.Errorf("unknown capability %q", text)
		}
		seen[key] = true
	}
	for _, key := range []string{"agent", "object-format"} {
		if !seen[key] {
			return fmt.Errorf("no capability %q", key)
		}
	}
	return nil
}

// format is the object format that the client speaks.
func (c *Command) format() string {
	for _, text := range c.capabilities {
		if value, ok := strings.CutPrefix(text, "object-format="); ok {
			return value
		}
	}
	return ""
}
