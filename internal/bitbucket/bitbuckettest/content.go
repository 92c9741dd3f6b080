package bitbuckettest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// User is an account. Its uuid and account id derive from Name.
type User struct {
	Name     string // display name
	Nickname string // "" derives it from Name
}

// Project is a project of the workspace.
type Project struct {
	Key         string
	Name        string // "" is Key
	Description string // "" is null
	Private     bool
	CreatedOn   time.Time // zero: the server's clock
	UpdatedOn   time.Time // zero: CreatedOn
}

// Repository is a repository of the workspace.
type Repository struct {
	Name        string
	Slug        string // "" derives it from Name: lower case, each run of other characters is one "-"
	ProjectKey  string // "" is a null project; another one must have been added
	Private     bool
	Language    string
	Size        int // bytes
	Description string
	// MainBranch "" with no Files is an empty repository: its main branch is null. With Files it is "main".
	MainBranch string
	CreatedOn  time.Time // zero: the server's clock
	UpdatedOn  time.Time // zero: the server's clock
	// NoTarget leaves the target out of the main branch even when `fields` asks for it.
	NoTarget bool
	// Roles the caller has here; nil is all of member, contributor, admin, owner.
	Roles []string
	// Files of the first commit, by path. Later changes go through SetFile.
	Files map[string]string
}

// PullRequest is a pull request of a repository.
type PullRequest struct {
	ID           int // 0: the next one of its repository
	Title        string
	Description  string
	State        string // "" is OPEN; else MERGED, DECLINED, SUPERSEDED
	Draft        bool
	Author       *User // nil is null: a deleted account
	Reviewers    []User
	Participants []Participant // nil: each reviewer, not approved
	SourceBranch string        // "" is feature/<id>
	// DestinationBranch "" is the main branch.
	DestinationBranch string
	DeletedFork       bool      // the source's repository is null
	CreatedOn         time.Time // zero: the server's clock
	UpdatedOn         time.Time // zero: the server's clock
}

// Participant is a user's part in a pull request.
type Participant struct {
	User           User
	Role           string // "" is REVIEWER; else PARTICIPANT
	Approved       bool
	State          string    // "" is null; else approved, changes_requested
	ParticipatedOn time.Time // zero is null
}

// AddProject adds a project. Its key must be new.
func (s *Server) AddProject(p Project) {
	s.change(func() {
		if s.project(p.Key) != nil {
			panic("bitbuckettest: project " + p.Key + " is there already")
		}
		if p.Name == "" {
			p.Name = p.Key
		}
		s.stamp(&p.CreatedOn, nil)
		if p.UpdatedOn.IsZero() {
			p.UpdatedOn = p.CreatedOn
		}
		s.projects = append(s.projects, &project{p, uuidOf("project", s.workspace, s.seed("project", p.Key))})
	})
}

// AddRepository adds a repository. Its slug must be new and its project must be there.
func (s *Server) AddRepository(r Repository) {
	s.change(func() {
		if r.Slug == "" {
			r.Slug = Slug(r.Name)
		}
		if r.Name == "" {
			r.Name = r.Slug
		}
		if s.bySlug[r.Slug] != nil || r.Slug == "" {
			panic(fmt.Sprintf("bitbuckettest: slug %q is empty or there already", r.Slug))
		}
		s.mustProject(r.ProjectKey)
		if r.MainBranch == "" && len(r.Files) > 0 {
			r.MainBranch = "main"
		}
		s.stamp(&r.CreatedOn, &r.UpdatedOn)
		seed := s.seed("repository", r.Slug)
		in := &repository{Repository: r, uuid: uuidOf("repository", s.workspace, seed), seed: seed, nextID: 1}
		if r.MainBranch != "" {
			in.commit("Initial commit", r.CreatedOn, maps.Clone(r.Files))
		}
		in.Files = nil
		s.repos = append(s.repos, in)
		s.place(r.Slug, in)
	})
}

// UpdateRepository changes a repository: f sees its fields but Files. A new slug renames it without a
// redirect, see RenameRepository; its uuid stays. UpdatedOn moves on, unless f sets it.
func (s *Server) UpdateRepository(slug string, f func(*Repository)) {
	s.change(func() { s.update(slug, f) })
}

func (s *Server) update(slug string, f func(*Repository)) {
	r := s.mustRepository(slug)
	before := r.UpdatedOn
	f(&r.Repository)
	s.mustProject(r.ProjectKey)
	if r.UpdatedOn.Equal(before) {
		r.UpdatedOn = s.tick()
	}
	r.Files = nil
	r.renameMain(r.MainBranch)
	delete(s.bySlug, slug)
	if s.bySlug[r.Slug] != nil || r.Slug == "" {
		panic(fmt.Sprintf("bitbuckettest: slug %q is empty or there already", r.Slug))
	}
	s.place(r.Slug, r)
}

// RemoveRepository removes a repository with all that is in it.
func (s *Server) RemoveRepository(slug string) {
	s.change(func() { s.remove(slug) })
}

func (s *Server) remove(slug string) {
	r := s.mustRepository(slug)
	delete(s.bySlug, slug)
	s.repos = slices.DeleteFunc(s.repos, func(o *repository) bool { return o == r })
}

// RemoveProject removes a project; its repositories are left without one.
func (s *Server) RemoveProject(key string) {
	s.change(func() {
		s.projects = slices.DeleteFunc(s.projects, func(p *project) bool { return p.Key == key })
		for _, r := range s.repos {
			if r.ProjectKey == key {
				r.ProjectKey = ""
			}
		}
	})
}

// UpdateProject changes a project. UpdatedOn moves on, unless f sets it. The key stays.
func (s *Server) UpdateProject(key string, f func(*Project)) {
	s.change(func() {
		s.mustProject(key)
		p := s.project(key)
		before := p.UpdatedOn
		f(&p.Project)
		p.Key = key
		if p.UpdatedOn.Equal(before) {
			p.UpdatedOn = s.tick()
		}
	})
}

// AddPullRequest adds a pull request and returns its id.
func (s *Server) AddPullRequest(slug string, p PullRequest) (id int) {
	s.change(func() {
		r := s.mustRepository(slug)
		if p.ID == 0 {
			p.ID = r.nextID
		}
		if r.pull(p.ID) >= 0 {
			panic(fmt.Sprintf("bitbuckettest: pull request %s/%d is there already", slug, p.ID))
		}
		r.nextID = max(r.nextID, p.ID+1)
		if p.State == "" {
			p.State = "OPEN"
		}
		if p.SourceBranch == "" {
			p.SourceBranch = "feature/" + strconv.Itoa(p.ID)
		}
		if p.DestinationBranch == "" {
			p.DestinationBranch = r.MainBranch
		}
		s.stamp(&p.CreatedOn, &p.UpdatedOn)
		at := len(r.pulls)
		for at > 0 && r.pulls[at-1].ID > p.ID {
			at--
		}
		r.pulls = slices.Insert(r.pulls, at, &pullRequest{p, r})
		id = p.ID
	})
	return id
}

// UpdatePullRequest changes a pull request; its id stays. UpdatedOn moves on, unless f sets it.
func (s *Server) UpdatePullRequest(slug string, id int, f func(*PullRequest)) {
	s.change(func() {
		r := s.mustRepository(slug)
		p := r.pulls[r.mustPull(id)]
		before := p.UpdatedOn
		f(&p.PullRequest)
		p.ID = id
		if p.UpdatedOn.Equal(before) {
			p.UpdatedOn = s.tick()
		}
	})
}

// RemovePullRequest removes a pull request. Its id is not used again.
func (s *Server) RemovePullRequest(slug string, id int) {
	s.change(func() {
		r := s.mustRepository(slug)
		at := r.mustPull(id)
		r.pulls = slices.Delete(r.pulls, at, at+1)
	})
}

// SetFile commits a file to the main branch, which becomes "main" when there was none. It returns the
// hash of the commit.
func (s *Server) SetFile(slug, path string, content []byte) (hash string) {
	s.change(func() {
		r := s.mustRepository(slug)
		if r.MainBranch == "" {
			r.MainBranch = "main"
		}
		files := make(map[string]string)
		if head := r.head(); head != nil {
			files = maps.Clone(head.files)
		}
		if files == nil {
			files = make(map[string]string)
		}
		files[path] = string(content)
		r.UpdatedOn = s.tick()
		hash = r.commit("Update "+path, r.UpdatedOn, files).hash
	})
	return hash
}

// RemoveFile commits the removal of a file from the main branch and returns the hash of the commit.
func (s *Server) RemoveFile(slug, path string) (hash string) {
	s.change(func() {
		r := s.mustRepository(slug)
		head := r.head()
		if head == nil {
			panic("bitbuckettest: " + slug + " has no commit")
		}
		files := maps.Clone(head.files)
		delete(files, path)
		r.UpdatedOn = s.tick()
		hash = r.commit("Remove "+path, r.UpdatedOn, files).hash
	})
	return hash
}

// SetAttributes says what a file is besides text, in all commits: link (its content is the path that it
// leads to), subrepository (its content is a hash), executable, binary, or lfs: such a file is answered
// with a redirect to another host.
func (s *Server) SetAttributes(slug, path string, attributes ...string) {
	s.change(func() {
		r := s.mustRepository(slug)
		if r.attributes == nil {
			r.attributes = make(map[string][]string)
		}
		r.attributes[path] = attributes
	})
}

// AddBranch adds a branch at the head of the main branch.
func (s *Server) AddBranch(slug, name string) {
	s.change(func() {
		r := s.mustRepository(slug)
		if r.head() == nil || r.branch(name) != nil {
			panic("bitbuckettest: no commit, or branch " + name + " is there already")
		}
		r.branches = append(r.branches, &branch{r, name, r.head()})
	})
}

// UUID returns the uuid of a repository, with braces.
func (s *Server) UUID(slug string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.mustRepository(slug).uuid
}

// Head returns the hash of the last commit of the main branch; "" in an empty repository.
func (s *Server) Head(slug string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if c := s.mustRepository(slug).head(); c != nil {
		return c.hash
	}
	return ""
}

// Slugs returns the slugs of all repositories in the order in which they were added.
func (s *Server) Slugs() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	slugs := make([]string, len(s.repos))
	for i, r := range s.repos {
		slugs[i] = r.Slug
	}
	return slugs
}

func (s *Server) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gen++
	f()
}
