package kind

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/reach"
	"port-bitbucket-exporter/internal/state"
)

// maxSpan is how many commits of one span are read: such a long one is not a release, but a branch that
// was rewritten.
const maxSpan = 1000

// span is what the commits are that one commit has in its history and another one has not. It never
// changes, as long as both are there.
type span struct {
	// Count is nil where it is not known: a commit is gone, or there are more than maxSpan.
	Count *int `json:"count"`
	// First is the oldest of them, as Bitbucket lists it; nil for none, and where Count is.
	First json.RawMessage `json:"first,omitempty"`
}

// spans are those of one repository. What earlier runs have asked for is in the memory between runs. It
// is for one goroutine.
type spans struct {
	ws         *Workspace
	repository bitbucket.Repository
	known      map[string]span
}

// between returns the commits of a head's history that are not in that of another commit.
func (s *spans) between(ctx context.Context, before, head string) (found span, err error) {
	if before == head {
		return span{Count: new(int)}, nil
	}
	name := before + ".." + head
	if found, ok := s.known[name]; ok {
		return found, nil
	}
	key := []string{s.repository.Key(), "commits", name}
	if text, ok := s.ws.options.State.Get(state.List, key...); ok && json.Unmarshal(text, &found) == nil {
		return found, nil
	}
	if found, err = s.ask(ctx, before, head); err != nil {
		return span{}, err
	}
	s.known[name] = found
	if text, err := json.Marshal(found); err == nil {
		s.ws.options.State.Put(text, state.List, key...)
	}
	return found, nil
}

// commitReads is what is kept of a commit.
func commitReads() *reach.Paths {
	reads := &reach.Paths{}
	for _, path := range [][]string{{"type"}, {"hash"}, {"date"}, {"message"}, {"author"}, {"links", "html", "href"}} {
		reads.Add(path...)
	}
	return reads
}

// ask sends one request for each 100 commits. They come in topological order, the newest first.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commits/#api-repositories-workspace-repo-slug-commits-get;
// the order is that which public clients see, read 2026-11.
func (s *spans) ask(ctx context.Context, before, head string) (span, error) {
	list := bitbucket.List(ctx, s.ws.client, bitbucket.Endpoint[bitbucket.Listed]{
		Name:    fmt.Sprintf("commits of repository %q since the deployment before", s.repository.Slug),
		Path:    s.ws.client.Path("repositories", s.repository.Slug, "commits"),
		Route:   "commits",
		Pagelen: 100,
		Key:     keyOf("hash"),
		Fixed:   true, NoJSON: true,
		Reads: commitReads(),
	}, url.Values{"include": {head}, "exclude": {before}})
	n := 0
	var first Object
	for l, err := range list {
		if err != nil {
			return span{}, s.orGone(ctx, before, head, err)
		}
		if n++; n > maxSpan {
			return span{}, nil
		}
		first = l.Object
	}
	if n == 0 {
		return span{Count: &n}, nil
	}
	text, err := json.Marshal(first)
	return span{&n, text}, err
}

// orGone is nil for the error of a span of which a commit is not there any more, as after a branch was
// rewritten: that the list answers 404 does not say so alone.
func (s *spans) orGone(ctx context.Context, before, head string, err error) error {
	if none := s.ws.orNone(ctx, s.repository, err); none != nil {
		return none
	}
	for _, hash := range []string{before, head} {
		if there, askErr := s.ws.client.HasCommit(ctx, s.repository.Slug, hash); askErr != nil || !there {
			return askErr
		}
	}
	return err
}

// into puts the commits of a span into an object; null for what is not known.
func (f span) into(o Object) error {
	o[firstCommitKey], o[commitCountKey] = nil, nil
	if f.Count == nil {
		return nil
	}
	o[commitCountKey] = json.Number(fmt.Sprint(*f.Count))
	if f.First == nil {
		return nil
	}
	first, err := bitbucket.Decode(f.First)
	if err != nil {
		return errors.Join(errors.New("the first commit of a deployment"), err)
	}
	o[firstCommitKey] = first
	return nil
}
