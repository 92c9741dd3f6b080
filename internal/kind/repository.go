package kind

import (
	"context"
	"errors"
	"iter"
	"sync"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

var repository = define(Kind{
	Name: "repository", Aliases: []string{"repo", "repos"}, Files: true,
	Manual:  Manual{What: "repositories, with files of their main branch", Requests: "1 for each 100 repositories, shared by all kinds; included files as for file", Scope: "repository", APIScope: "read:repository:bitbucket"},
	Objects: shape.Kind{Object: shape.Of(repositoryShape + repositoryExtras), Identifier: `.slug`},
	place:   itself,
}, extractRepositories)

type repositorySelector struct {
	walked
	IncludedFiles []string `yaml:"includedFiles" help:"Files of the main branch to read with each repository, found as .__includedFiles[\"README.md\"]."`
	reads         Reads
	named         []string // files that expressions name by file://
}

var (
	_ reader = &repositorySelector{}
	_ namer  = repositorySelector{}
)

func (s *repositorySelector) read(reads Reads, named []string) {
	s.reads, s.named = reads, named
}

// namesFiles reports whether expressions name files, which are read as they are evaluated.
func (s repositorySelector) namesFiles() bool { return len(s.named) > 0 }

// included returns the files to read.
func (s repositorySelector) included() []string { return s.reads.of(s.IncludedFiles, includedFiles) }

func (s repositorySelector) readsFiles() bool { return len(s.included()) > 0 }

func (s repositorySelector) cost() Cost {
	return Cost{Sources: includedCost(s.included()), Repositories: len(s.extras())}
}

// extras are the fields that cost requests of their own, and that expressions name.
func (s repositorySelector) extras() []extra { return s.reads.wanted(extrasOfRepositories) }

func (s repositorySelector) problems(raw mapping.Selector) diag.Problems {
	return append(s.walked.problems(raw), checkIncluded(raw, s.IncludedFiles)...)
}

func extractRepositories(ctx context.Context, ws *Workspace, s repositorySelector) iter.Seq2[Task, error] {
	return func(yield func(Task, error) bool) {
		take := s.taking(ws)
		for l, err := range take.repositories(ctx) {
			task := Task{Source: l.source(), Run: repositoryTask(ws, l, s)}
			switch {
			case isOdd(err):
				task, err = failing(unreadable(err)), nil
			case s.readsFiles():
				task.reads = &chosen{repository: l}
			}
			if !yield(task, err) || err != nil {
				return
			}
		}
		if task, ok := take.missing(); ok {
			yield(task, nil)
		}
	}
}

func repositoryTask(ws *Workspace, l *listed, s repositorySelector) Run {
	return func(ctx context.Context) iter.Seq2[Found, error] {
		return func(yield func(Found, error) bool) {
			lazy := &lazyCheckout{ws: ws, repository: l}
			defer lazy.close()
			object, err := l.object()
			unclear := false
			if err == nil && len(s.IncludedFiles) > 0 {
				files := lazy.included(ctx, s.included())
				object[includedFiles], unclear, err = files.texts, files.unclear, files.err
			}
			if err == nil {
				if err = (enricher{ws}).enrich(ctx, l.Repository, object, s.extras()); err != nil {
					err = ws.rest.OrGone(ctx, l.Slug, err)
				}
			}
			var gone *Gone
			switch {
			case Denied(err):
			case errors.As(err, &gone):
				err = &Gone{Slug: gone.Slug, Objects: 1}
			case err != nil && ctx.Err() == nil:
				err = &Unreadable{Object: l.Slug, Err: err}
			}
			if yield(Found{Object: object, Address: address(object, l.source()), Unparsed: unclear, Read: lazy.text}, err) && lazy.checkout != nil {
				lazy.checkout.report(yield)
			}
		}
	}
}

// lazyCheckout is the main branch of a repository, resolved once, when a file of it is first
// read. Files may be read side by side.
type lazyCheckout struct {
	ws         *Workspace
	repository *listed

	mu       sync.Mutex // guards checkout
	checkout *checkout
}

func (l *lazyCheckout) resolve(ctx context.Context) (*checkout, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.checkout == nil {
		c, err := l.ws.checkout(ctx, l.repository, "")
		if err != nil {
			return nil, err
		}
		l.checkout = c
	}
	return l.checkout, nil
}

// close ends the reading of files.
func (l *lazyCheckout) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.checkout != nil {
		l.checkout.Close() // an error would cost room, and nothing else
	}
}

func (l *lazyCheckout) included(ctx context.Context, names []string) included {
	if len(names) == 0 {
		return included{texts: Object{}}
	}
	c, err := l.resolve(ctx)
	if err != nil {
		return included{err: err}
	}
	files := c.included(ctx, "", names)
	c.warn(files.warnings...)
	return files
}

func (l *lazyCheckout) text(ctx context.Context, name string) (any, error) {
	c, err := l.resolve(ctx)
	if err != nil {
		return nil, err
	}
	return c.reader("")(ctx, name)
}
