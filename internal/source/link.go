package source

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"port-bitbucket-exporter/internal/bitbucket"
)

const noFile = "a symbolic link leads to a file that is not there"

// maxLinks is how many symbolic links in a row are followed.
const maxLinks = 5

// DeadLink is a symbolic link that leads to no file of its repository.
type DeadLink struct{ Why string }

func (d *DeadLink) Error() string { return d.Why }

// Followed is File, but for a symbolic link the file of the repository that it leads to, and
// the path of that. The error is a *DeadLink when there is none. Only the last name of a path
// may be a link.
//
// Where nothing at hand shows whether a file is a link, or a submodule, which has no text,
// Bitbucket is asked, but only if the text looks like a path, or the hash of one: one line
// without blanks.
func (c *files) Followed(ctx context.Context, name string) (at string, text []byte, err error) {
	at = strings.Trim(name, "/")
	for links := 0; ; links++ {
		b, err := c.body(ctx, at)
		if err != nil {
			return at, nil, err
		}
		if links > 0 && !b.there && b.err == nil {
			return at, nil, &DeadLink{noFile}
		}
		text, err := c.bytes(at, b)
		if err != nil || text == nil {
			return at, text, err
		}
		is, err := c.special(ctx, at, b, text)
		switch {
		case err != nil || is == "":
			return at, text, err
		case is == Submodule:
			return at, nil, nil
		case links == maxLinks:
			return at, nil, &DeadLink{fmt.Sprintf("a symbolic link leads to more than %d others", maxLinks)}
		}
		to := path.Join(path.Dir(at), string(text))
		if path.IsAbs(string(text)) || to == ".." || strings.HasPrefix(to, "../") {
			return at, nil, &DeadLink{"a symbolic link leads out of its repository"}
		}
		if to == "." { // the root, which is not a file
			return at, nil, &DeadLink{noFile}
		}
		at = to
	}
}

// special returns Link or Submodule for what is not a file of its own, and else nothing.
func (c *files) special(ctx context.Context, name string, b body, text []byte) (attribute string, err error) {
	switch {
	case b.link:
		return Link, nil
	case b.overGit || !isPath(text):
		return "", nil
	}
	if known, ok := c.tree.attribute(name); ok {
		return known, nil
	}
	is, size, err := c.folders.look(name)
	switch {
	case err != nil:
		return "", err
	case is == unknown:
		attribute, err = c.askSpecial(ctx, name, int64(len(text)))
	case size == isLink:
		attribute = Link
	}
	if err == nil {
		c.tree.setAttribute(name, attribute)
	}
	return attribute, err
}

// askSpecial asks Bitbucket's API. A text of another size than the API names is not kept for
// later runs.
func (c *files) askSpecial(ctx context.Context, name string, size int64) (attribute string, err error) {
	e, err := c.Meta(ctx, name)
	switch attribute = attributeOf(e); {
	case errors.Is(err, bitbucket.ErrNoFile):
		c.tree.dropRecord(name)
		return "", nil
	case err == nil && attribute == "" && e.Size != size:
		c.tree.dropRecord(name)
	}
	return attribute, err
}

// attributeOf returns Link or Submodule for an entry that is one, and else nothing.
func attributeOf(e Entry) string {
	for _, attribute := range []string{Link, Submodule} {
		if slices.Contains(e.Attributes, attribute) {
			return attribute
		}
	}
	return ""
}

// maxTarget is how long the path may be that a symbolic link holds, in bytes.
const maxTarget = 1024

// isPath reports whether a text can be all that a symbolic link holds.
func isPath(text []byte) bool {
	odd := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
	return len(text) > 0 && len(text) <= maxTarget && utf8.Valid(text) && !bytes.ContainsFunc(text, odd)
}

// isHash reports whether a text can be all that a submodule has: the hash of a commit.
func isHash(text []byte) bool {
	_, err := hex.DecodeString(string(text))
	return err == nil && (len(text) == 40 || len(text) == 64)
}
