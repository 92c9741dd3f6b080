package gitwire

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Capabilities asks for the server's capabilities. The error is ErrNoV2 when the server does
// not speak version 2 of the protocol.
//
// Source: https://git-scm.com/docs/protocol-v2#_capability_advertisement, read 2026-11.
func (r *Remote) Capabilities(ctx context.Context) (Capabilities, error) {
	c := Capabilities{SHA1: true}
	err := r.ask(ctx, http.MethodGet, "/info/refs?service=git-upload-pack", "advertisement", nil, func(p packets) error {
		m, text, err := p.line()
		if err == nil && m == isData && strings.HasPrefix(text, "# service=") { // some servers leave it out
			if m, _, err = p.line(); err == nil && m == isFlush {
				m, text, err = p.line()
			}
		}
		if err != nil {
			return err
		}
		if m != isData || text != "version 2" {
			return ErrNoV2
		}
		return p.capabilities(&c)
	})
	if err != nil {
		return Capabilities{}, err
	}
	return c, nil
}

// capabilities reads the lines after the one of the version.
func (p packets) capabilities(c *Capabilities) error {
	for {
		m, text, err := p.line()
		if err != nil {
			return err
		}
		if m == isFlush {
			return nil
		}
		if m != isData {
			return fmt.Errorf("%w: a list of capabilities with sections", ErrBroken)
		}
		name, value, _ := strings.Cut(text, "=")
		switch name {
		case "agent":
			c.Agent = value
		case "object-format":
			c.SHA1 = value == "sha1"
		case "fetch":
			for feature := range strings.FieldsSeq(value) {
				c.Filter = c.Filter || feature == "filter"
				c.Shallow = c.Shallow || feature == "shallow"
			}
		}
	}
}

// agent is what requests call the program.
const agent = "port-bitbucket-exporter"

// command begins the body of a request.
func command(name string) []byte {
	b := appendPacket(nil, "command="+name+"\n")
	b = appendPacket(b, "agent="+agent+"\n")
	b = appendPacket(b, "object-format=sha1\n")
	return append(b, delim...)
}

// Refs returns the hashes, in hexadecimal digits, of the refs with the given full names
// ("HEAD", "refs/heads/a/b"), by name. A ref that does not exist is not in the map. The hash
// of an annotated tag is the one of the object that it names.
//
// Source: https://git-scm.com/docs/protocol-v2#_ls_refs, read 2026-11.
func (r *Remote) Refs(ctx context.Context, names []string) (map[string]string, error) {
	refs := map[string]string{}
	body := append(command("ls-refs"), appendPacket(nil, "peel\n")...)
	wanted := map[string]bool{}
	for _, name := range names {
		if name == "" || strings.ContainsAny(name, "\x00\n") || len(name) > maxPath {
			continue // no ref has such a name
		}
		if !wanted[name] {
			wanted[name] = true
			body = appendPacket(body, "ref-prefix "+name+"\n")
		}
	}
	if len(wanted) == 0 {
		return refs, nil
	}
	body = append(body, flush...)
	err := r.ask(ctx, http.MethodPost, "/git-upload-pack", "result", body, func(p packets) error {
		for {
			m, text, err := p.line()
			if err != nil || m == isFlush {
				return err
			}
			hash, name, err := ref(m, text)
			if err != nil {
				return err
			}
			if wanted[name] {
				refs[name] = hash
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return refs, nil
}

// ref reads a line of ls-refs.
func ref(m mark, line string) (hash, name string, err error) {
	hash, rest, ok := strings.Cut(line, " ")
	if m != isData || !ok {
		return "", "", fmt.Errorf("%w: a line of refs is %q", ErrBroken, line)
	}
	name, attributes, _ := strings.Cut(rest, " ")
	for attribute := range strings.FieldsSeq(attributes) {
		if peeled, ok := strings.CutPrefix(attribute, "peeled:"); ok {
			hash = peeled
		}
	}
	if _, err := ParseHash(hash); err != nil {
		if errors.Is(err, ErrObjectFormat) {
			return "", "", err
		}
		return "", "", fmt.Errorf("%w: a line of refs is %q", ErrBroken, line)
	}
	return hash, name, nil
}
