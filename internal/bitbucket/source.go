package bitbucket

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"port-bitbucket-exporter/internal/transport"
)

// Entry is a folder or a file of a commit.
type Entry struct {
	Type       string // commit_directory or commit_file
	Path       string
	Size       int64
	Attributes []string // of a file: link, executable, subrepository, binary, lfs
	JSON       json.RawMessage
}

// UnmarshalJSON keeps the JSON whole, besides the fields that it reads.
func (e *Entry) UnmarshalJSON(text []byte) error {
	var fields struct {
		Type, Path string
		Size       integer
		Attributes []string
	}
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	*e = Entry{Type: fields.Type, Path: fields.Path, Size: int64(fields.Size), Attributes: fields.Attributes, JSON: bytes.Clone(text)}
	return nil
}

// StatusTooDeep is what Bitbucket answers to a listing that takes it too long.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-source/#api-repositories-workspace-repo-slug-src-commit-path-get, read 2026-11.
const StatusTooDeep = 555

// TooDeep is true for the error of a Tree that should be asked for in parts.
func TooDeep(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == StatusTooDeep
}

// Tree yields what is in a folder at a commit, breadth first, down to a depth: 1 is
// the folder's own entries. An empty folder is the root. The commit is a hash: a
// branch with "/" in its name is not found. The error is ErrNoFile when the commit
// has no such folder, and TooDeep when the server gave up on a depth above 1.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-source/#api-repositories-workspace-repo-slug-src-commit-path-get
func (c *Client) Tree(ctx context.Context, slug, commit, folder string, depth int) iter.Seq2[Entry, error] {
	address := sourcePath(c.workspace, slug, commit, folder)
	if folder != "" {
		address += "/"
	}
	e := Endpoint[Entry]{
		Name:    fmt.Sprintf("folder %q of repository %q", "/"+folder, slug),
		Path:    address,
		Route:   "source",
		Pagelen: 100,
		Key: func(e Entry) (string, error) {
			if e.Path == "" {
				return "", errors.New("it has no path")
			}
			return e.Path, nil
		},
		Fixed: true, // a commit does not change, and to remember its paths would cost memory
		Files: true,
	}
	if depth > 1 {
		e.Final = []int{StatusTooDeep}
	}
	return func(yield func(Entry, error) bool) {
		for entry, err := range List(ctx, c, e, url.Values{"max_depth": {strconv.Itoa(depth)}}) {
			if isOther(err) && folder != "" {
				if is, metaErr := c.meta(ctx, slug, commit, folder, 1); metaErr == nil && is.Type == "commit_file" {
					err = fmt.Errorf("list %s: a file, no directory: %w", e.Name, ErrNoFile)
				}
			}
			if !yield(entry, err) {
				return
			}
		}
	}
}

// isOther reports whether an error is of an answer that may be that for something other than
// what was asked for: no header tells a file from what a proxy answers, say.
func isOther(err error) bool {
	var b *broken
	return errors.As(err, &b) || errors.Is(err, errRedirect)
}

// Meta returns what is known of a path without reading it. The error is ErrNoFile when the
// commit has no such path.
func (c *Client) Meta(ctx context.Context, slug, commit, path string) (Entry, error) {
	e, err := c.meta(ctx, slug, commit, strings.TrimPrefix(path, "/"), 0)
	if err != nil {
		return Entry{}, fmt.Errorf("look at %q of repository %q: %w", path, slug, err)
	}
	return e, nil
}

// meta makes so many attempts at most; 0 is the usual number.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-source/#api-repositories-workspace-repo-slug-src-commit-path-get
func (c *Client) meta(ctx context.Context, slug, commit, name string, attempts int) (e Entry, err error) {
	address := c.url(sourcePath(c.workspace, slug, commit, name), url.Values{"format": {"meta"}})
	err = c.json(ctx, question{address: address, attempts: attempts}, &e)
	return e, err
}

// sourcePath is the path of a file, or of a folder without the last slash but for the root.
func sourcePath(workspace, slug, commit, name string) string {
	segments := append([]string{"repositories", workspace, slug, "src", commit}, strings.Split(name, "/")...)
	return transport.Path(segments...)
}

// routeFile is the route of files. While one was waited for in vain for as many attempts
// as any, the others are asked for so often: each attempt may take a minute.
const (
	routeFile    = "file"
	lateAttempts = 2
)

// File reads a file at a commit, at most limit bytes of it. The error is ErrNoFile
// when the commit has no such file, or has a directory of that name, and
// ErrElsewhere when another host keeps it. Proven is true where nothing leaves a doubt that
// the commit's file was answered, or that there is none: then the answer holds for ever.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-source/#api-repositories-workspace-repo-slug-src-commit-path-get
func (c *Client) File(ctx context.Context, slug, commit, name string, limit int64) (text []byte, proven bool, err error) {
	path := strings.TrimPrefix(name, "/")
	address := c.url(sourcePath(c.workspace, slug, commit, path), nil)
	q := question{address: address, accept: "*/*"}
	if _, down := c.down.Load(routeFile); down {
		q.attempts = lateAttempts
	}
	err = c.do(ctx, q, func(resp *http.Response) error {
		text, err = readBody(ctx, resp, limit)
		proven = err == nil && ofFile(resp, path, text)
		switch {
		case err != nil:
			return err
		case listing(resp.Header, text, name):
			return fmt.Errorf("GET %s: a directory: %w", resp.Request.URL.EscapedPath(), ErrNoFile)
		case isHTML(resp.Header, name):
			return again("GET %s: the answer is a web page, and not the file", resp.Request.URL.EscapedPath())
		}
		return nil
	})
	if errors.Is(err, errLate) {
		c.down.Store(routeFile, true)
	} else {
		c.down.Delete(routeFile)
	}
	if errors.Is(err, errRedirect) && !errors.Is(err, ErrElsewhere) {
		if is, metaErr := c.meta(ctx, slug, commit, path, 1); metaErr == nil && slices.Contains(is.Attributes, "lfs") {
			return nil, true, fmt.Errorf("read file %q of repository %q: %w: %w", name, slug, ErrElsewhere, err)
		}
	}
	if err != nil {
		return nil, ProvenAbsent(err, path) || toMedia(err), fmt.Errorf("read file %q of repository %q: %w", name, slug, err)
	}
	return text, proven, nil
}

// ofFile reports whether an answer bears the marks of a file: an ETag, as every recorded one
// has it, no charset but UTF-8, since Bitbucket names none, and JSON only where the name says
// so. A body without a length that ends with the connection may have lost its end.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-source/#api-repositories-workspace-repo-slug-src-commit-path-get, and recorded answers, read 2026-11.
func ofFile(resp *http.Response, name string, text []byte) bool {
	_, parameters, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	charset := strings.ToLower(parameters["charset"])
	foreign := charset != "" && charset != "utf-8" && charset != "us-ascii"
	named := strings.ToLower(name[strings.LastIndex(name, "/")+1:])
	isJSON := mediaType(resp.Header) == "application/json"
	openEnd := resp.ContentLength < 0 && !resp.Uncompressed && resp.ProtoMajor < 2 && !slices.Contains(resp.TransferEncoding, "chunked")
	refusal := isJSON && bytes.HasPrefix(bytes.TrimSpace(text), []byte(`{"type": "error"`)) || bytes.HasPrefix(text, []byte(`{"type":"error"`))
	return err == nil && !foreign && !openEnd && !refusal && resp.Header.Get("ETag") != "" && (!isJSON || strings.Contains(named, "json"))
}

// ProvenAbsent reports whether an ErrNoFile holds for ever: an answer that says so names the
// path that it is about, or a folder above it. One that names none may be of something on the
// way.
func ProvenAbsent(err error, path string) bool {
	var e *Error
	if !errors.Is(err, ErrNoFile) {
		return false
	}
	if !errors.As(err, &e) || !e.MissingPath {
		return true // a listing, or what is known of the path, shows it
	}
	named := strings.Trim(e.Missed, "/")
	return named != "" && (named == oneLine(path) || strings.HasPrefix(oneLine(path), named+"/"))
}

// listing distinguishes the page that a directory answers with from a file, whatever that holds: its
// entries lie below the path that was asked for. No header tells them apart: the vendor documents
// Content-Disposition for files, and no recorded answer has it.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-source/#api-repositories-workspace-repo-slug-src-commit-path-get, read 2026-11.
func listing(h http.Header, text []byte, name string) bool {
	if mediaType(h) != "application/json" {
		return false
	}
	first, ok := firstValue(text)
	return ok && strings.HasPrefix(first.Type, "commit_") && strings.HasPrefix(first.Path, strings.Trim(name, "/")+"/")
}

// firstValue returns the first value of a page, of which the end may be missing.
func firstValue(text []byte) (first struct{ Type, Path string }, ok bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return first, false
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return first, false
		}
		if key != "values" {
			var other json.RawMessage
			if d.Decode(&other) != nil {
				return first, false
			}
			continue
		}
		if t, err := d.Token(); err != nil || t != json.Delim('[') || !d.More() {
			return first, false
		}
		err = d.Decode(&first)
		return first, err == nil
	}
	return first, false
}

// isHTML distinguishes an HTML answer of a gateway, say, from a file, whose type its name
// decides. What comes as an attachment is a file: that is documented, and in no recorded answer.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-source/#api-repositories-workspace-repo-slug-src-commit-path-get, read 2026-11.
func isHTML(h http.Header, name string) bool {
	return mediaType(h) == "text/html" && h.Get("Content-Disposition") == "" &&
		!strings.Contains(strings.ToLower(name[strings.LastIndex(name, "/")+1:]), "htm")
}

// Branch is a branch of a repository.
type Branch struct {
	Name   string
	Target struct{ Hash string } // the commit that it points at
}

// Branches are those of a repository, at most a hundred, the ones with the newest commits. What an
// answer does not have of a branch is empty.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-refs/#api-repositories-workspace-repo-slug-refs-branches-get
func (c *Client) Branches(ctx context.Context, slug string) ([]Branch, error) {
	l := newLister(c, Endpoint[Branch]{
		Name:    fmt.Sprintf("branches of repository %q", slug),
		Path:    transport.Path("repositories", c.workspace, slug, "refs", "branches"),
		Route:   "branches",
		Pagelen: 100,
		Key:     func(b Branch) (string, error) { return b.Name, nil },
	}, url.Values{"sort": {"-target.date"}, "fields": {"values.name,values.target.hash"}})
	p, err := l.page(ctx, l.begin(), l.first())
	if err != nil {
		return nil, l.named(err)
	}
	branches := make([]Branch, len(*p.Values))
	for i, raw := range *p.Values {
		branches[i], _, _ = l.value(raw) // an odd one is one branch too
	}
	return branches, nil
}
