package bitbuckettest

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
)

type project struct {
	Project
	uuid string
}

type repository struct {
	Repository
	uuid       string
	seed       string // what hashes derive from: the slug it began with, so that they survive a rename
	commits    []*commit
	branches   []*branch
	pulls      []*pullRequest
	nextID     int
	visibility Visibility
	// attributes by path, in all commits
	attributes map[string][]string
	cache      atomic.Pointer[renderedRepository]
}

type branch struct {
	repo *repository
	name string
	head *commit
}

type commit struct {
	hash, message, parent string
	date                  time.Time
	files                 map[string]string // never written to
}

type pullRequest struct {
	PullRequest
	repo *repository
}

// tick moves the server's clock on: no two objects share a date.
func (s *Server) tick() time.Time {
	s.clock = s.clock.Add(37*time.Minute + 11*time.Second + 120*time.Millisecond)
	return s.clock
}

func (s *Server) stamp(created, updated *time.Time) {
	if created.IsZero() {
		*created = s.tick()
	}
	if updated != nil && updated.IsZero() {
		*updated = s.tick()
	}
}

func (s *Server) project(key string) *project {
	i := slices.IndexFunc(s.projects, func(p *project) bool { return p.Key == key })
	if i < 0 {
		return nil
	}
	return s.projects[i]
}

func (s *Server) mustProject(key string) {
	if key != "" && s.project(key) == nil {
		panic("bitbuckettest: no project " + key)
	}
}

func (s *Server) mustRepository(slug string) *repository {
	r := s.bySlug[slug]
	if r == nil {
		panic("bitbuckettest: no repository " + slug)
	}
	return r
}

// place puts a repository under a slug: what it redirected to is forgotten.
func (s *Server) place(slug string, r *repository) {
	s.bySlug[slug] = r
	delete(s.moved, slug)
}

// seed is what uuids and hashes of something new derive from: a key or slug that was there before makes another.
func (s *Server) seed(kind, name string) string {
	s.begun[kind+"/"+name]++
	if n := s.begun[kind+"/"+name]; n > 1 {
		return name + "#" + strconv.Itoa(n)
	}
	return name
}

func (r *repository) pull(id int) int {
	at, ok := slices.BinarySearchFunc(r.pulls, id, func(p *pullRequest, id int) int { return p.ID - id })
	if !ok {
		return -1
	}
	return at
}

func (r *repository) mustPull(id int) int {
	at := r.pull(id)
	if at < 0 {
		panic(fmt.Sprintf("bitbuckettest: no pull request %s/%d", r.Slug, id))
	}
	return at
}

func (r *repository) branch(name string) *branch {
	for _, b := range r.branches {
		if b.name == name {
			return b
		}
	}
	return nil
}

func (r *repository) head() *commit {
	if b := r.branch(r.MainBranch); b != nil && r.MainBranch != "" {
		return b.head
	}
	return nil
}

// commit puts a new commit on the main branch.
func (r *repository) commit(message string, date time.Time, files map[string]string) *commit {
	c := &commit{message: message, date: date, files: files}
	if head := r.head(); head != nil {
		c.parent = head.hash
	}
	c.hash = hashOf("commit", r.seed, strconv.Itoa(len(r.commits)))
	r.commits = append(r.commits, c)
	if b := r.branch(r.MainBranch); b != nil {
		b.head = c
	} else {
		r.branches = append(r.branches, &branch{r, r.MainBranch, c})
	}
	return c
}

// renameMain makes the main branch the one of that name: another that is there, or the old one renamed.
func (r *repository) renameMain(name string) {
	if name == "" || r.branch(name) != nil {
		return
	}
	if len(r.branches) == 0 {
		r.commit("Initial commit", r.UpdatedOn, nil)
		return
	}
	r.branches[0] = &branch{r, name, r.branches[0].head}
}

// Slug derives the slug from a display name, for names that hold at least one letter or digit.
func Slug(name string) string {
	parts := strings.FieldsFunc(strings.ToLower(name), func(c rune) bool {
		return c > unicode.MaxASCII || !(unicode.IsLetter(c) || unicode.IsDigit(c) || c == '_' || c == '.')
	})
	return strings.Join(parts, "-")
}

func hashOf(parts ...string) string {
	sum := sha1.Sum([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}

// uuidOf is written as Bitbucket writes uuids, with braces.
func uuidOf(parts ...string) string {
	h := hashOf(parts...)
	return "{" + h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:32] + "}"
}
