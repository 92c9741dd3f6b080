package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"port-bitbucket-exporter/internal/bitbucket"
)

// maxLinks is how many symbolic links in a row are followed.
const maxLinks = 5

// DeadLink is a symbolic link that leads to no file of its repository.
type DeadLink struct{ Why string }

func (d *DeadLink) Error() string { return d.Why }

// Followed is File, but for a symbolic link the file of the repository that it leads to, and
// the path of that. The error is a *DeadLink when there is none. Only the last name of a path
// may be a link.
//
// Where nothing at hand shows whether a file is a link, Bitbucket is asked, but only if its
// text looks like a path: one line without blanks.
func (c *files) Followed(ctx context.Context, name string) (at string, text []byte, err error) {
	at = strings.Trim(name, "/")
	for links := 0; ; links++ {
		b, err := c.body(ctx, at)
		if err != nil {
			return at, nil, err
		}
		if links > 0 && !b.there && b.err == nil {
			return at, nil, &DeadLink{"a symbolic link leads to a file that is not there"}
		}
		text, err := c.bytes(at, b)
		if err != nil || text == nil {
			return at, text, err
		}
		link, err := c.isLink(ctx, at, b, text)
		switch {
		case err != nil || !link:
			return at, text, err
		case links == maxLinks:
			return at, nil, &DeadLink{fmt.Sprintf("a symbolic link leads to more than %d others", maxLinks)}
		}
		to := path.Join(path.Dir(at), string(text))
		if path.IsAbs(string(text)) || to == ".." || strings.HasPrefix(to, "../") {
			return at, nil, &DeadLink{"a symbolic link leads out of its repository"}
		}
		at = to
	}
}

// isLink reports whether a file is a symbolic link.
func (c *files) isLink(ctx context.Context, name string, b body, text []byte) (bool, error) {
	if b.overGit || !isPath(text) {
		return b.link, nil
	}
	if link, ok := c.tree.link(name); ok {
		return link, nil
	}
	is, size, err := c.folders.look(name)
	link := is == present && size == isLink
	if err == nil && is == unknown {
		var e Entry
		e, err = c.Meta(ctx, name)
		link = slices.Contains(e.Attributes, Link)
		if errors.Is(err, bitbucket.ErrNoFile) {
			err = nil
		}
	}
	if err == nil {
		c.tree.setLink(name, link)
	}
	return link, err
}

// maxTarget is how long the path may be that a symbolic link holds, in bytes.
const maxTarget = 1024

// isPath reports whether a text can be all that a symbolic link holds.
func isPath(text []byte) bool {
	odd := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
	return len(text) > 0 && len(text) <= maxTarget && utf8.Valid(text) && !bytes.ContainsFunc(text, odd)
}
