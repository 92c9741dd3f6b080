package bitbuckettest

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// files are those of the repositories, at each of their commits.
type files struct{ repositories *repositories }

func (fs *files) routes() []*route {
	return []*route{
		{path: "/repositories/{workspace}/{repo_slug}/src", scope: "repository", granular: "read:repository:bitbucket",
			parameters: []string{"format", "pagelen", "fields"}, maxPagelen: 100, handle: fs.redirect, slash: true},
		{path: "/repositories/{workspace}/{repo_slug}/src/{commit}/{path}", scope: "repository", granular: "read:repository:bitbucket",
			parameters: []string{"format", "q", "sort", "max_depth", "page", "pagelen", "fields"}, maxPagelen: 100, handle: fs.get, least: 5},
	}
}

func (fs *files) examples(v view) map[string]object {
	r := fs.repositories.all[0]
	return map[string]object{"source": (&entry{repo: r, commit: r.head(), path: "a/b"}).tree(v)}
}

// SetFile commits a file to the main branch, which becomes "main" when there was none. It returns the
// hash of the commit.
func (fs *files) SetFile(slug, path string, content []byte) (hash string) {
	fs.repositories.ws.change(func() {
		r := fs.repositories.must(slug)
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
		r.UpdatedOn = fs.repositories.ws.tick()
		hash = r.commit("Update "+path, r.UpdatedOn, files).hash()
	})
	return hash
}

// RemoveFile commits the removal of a file from the main branch and returns the hash of the commit.
func (fs *files) RemoveFile(slug, path string) (hash string) {
	fs.repositories.ws.change(func() {
		r := fs.repositories.must(slug)
		head := r.head()
		if head == nil {
			panic("bitbuckettest: " + slug + " has no commit")
		}
		files := maps.Clone(head.files)
		delete(files, path)
		r.UpdatedOn = fs.repositories.ws.tick()
		hash = r.commit("Remove "+path, r.UpdatedOn, files).hash()
	})
	return hash
}

// RemoveFolder commits the removal of all files below a folder from the main branch and returns the hash of
// the commit.
func (fs *files) RemoveFolder(slug, path string) (hash string) {
	fs.repositories.ws.change(func() {
		r := fs.repositories.must(slug)
		head := r.head()
		if head == nil || !head.hasDirectory(path) || path == "" {
			panic("bitbuckettest: " + slug + " has no folder " + path)
		}
		files := maps.Clone(head.files)
		maps.DeleteFunc(files, func(name, _ string) bool { return strings.HasPrefix(name, path+"/") })
		r.UpdatedOn = fs.repositories.ws.tick()
		hash = r.commit("Remove "+path, r.UpdatedOn, files).hash()
	})
	return hash
}

// SetAttributes says what a file is besides text, in all commits: link (its content is the path that it
// leads to), subrepository (its content is a hash, or a text whose hash it stands for), executable, binary, or
// lfs: such a file is answered with a redirect to another host, and in git with a pointer. All commits of the
// repository get other hashes: one that was handed out before is that of no commit.
func (fs *files) SetAttributes(slug, path string, attributes ...string) {
	fs.repositories.ws.change(func() {
		r := fs.repositories.must(slug)
		if r.attributes == nil {
			r.attributes = make(map[string][]string)
		}
		r.attributes[path] = attributes
		r.forgetHashes()
	})
}

// Head returns the hash of the last commit of the main branch; "" in an empty repository.
func (fs *files) Head(slug string) string {
	fs.repositories.ws.mu.RLock()
	defer fs.repositories.ws.mu.RUnlock()
	if c := fs.repositories.must(slug).head(); c != nil {
		return c.hash()
	}
	return ""
}

// entry is a file or a directory of a commit.
type entry struct {
	repo      *repository
	commit    *commit
	path      string // of a directory without the last slash
	directory bool
	content   string
}

func (e *entry) tree(v view) object {
	full := v.w.slug + "/" + e.repo.Slug
	hash := e.commit.hash()
	escaped := v.escapedPath(e.path)
	at := hash + "/" + escaped
	repo := v.base + "/repositories/" + full
	kind, self := "commit_file", repo+"/src/"+at
	if e.directory {
		kind, self = "commit_directory", self+"/"
	}
	o := object{
		{"path", e.path, shown},
		{"commit", v.commitStub(e.repo, hash), shown},
		{"type", kind, shown},
	}
	to := links("self", self, "meta", self+"?format=meta")
	if !e.directory { // a folder has no history: recorded answers, read 2026-11
		o = append(o,
			member{"attributes", e.repo.attributesOf(e.path), shown},
			member{"escaped_path", escaped, shown},
			member{"size", len(e.content), shown},
			member{"mimetype", textOrNull(mimeType(e.path)), shown},
		)
		to = append(to, v.without(links("history", repo+"/filehistory/"+at), "history")...)
	}
	return v.without(append(o, member{"links", to, shown}), "escaped_path", "mimetype")
}

// redirect leads to the root of the main branch.
func (fs *files) redirect(v view, q *request) *answer {
	r, refusal := fs.repositories.of(q)
	if refusal != nil {
		return refusal
	}
	head := r.head()
	if head == nil {
		return commitNotFound().noted("source of an empty repository")
	}
	a := respond(http.StatusFound, "text/html", nil)
	location := q.base + "/repositories/" + v.w.slug + "/" + r.Slug + "/src/" + head.hash() + "/"
	if q.URL.RawQuery != "" {
		location += "?" + q.URL.RawQuery
	}
	a.header.Set("Location", location)
	return a
}

// commitNotFound is for a repository without commits, and unknownCommit for one that has others.
// Source: the first as users report it, the second a recorded answer.
func commitNotFound() *answer { return refuse(http.StatusNotFound, "Commit not found") }

func unknownCommit() *answer { return refuse(http.StatusNotFound, "Changeset not found.") }

// get answers with the bytes of a file, a page of a directory, or what is known of either.
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-source/, read 2026-11. The 404s and
// the refusal of branch names with a slash are as users report them, for one in
// https://github.com/MunifTanjim/node-bitbucket/issues/141.
func (fs *files) get(v view, q *request) *answer {
	r, refusal := fs.repositories.of(q)
	if refusal != nil {
		return refusal
	}
	ref, name := q.segments[4], strings.Join(q.segments[5:], "/")
	if len(r.commits) == 0 {
		return commitNotFound().noted("source of an empty repository")
	}
	if strings.Contains(ref, "/") {
		return unknownCommit().noted("branch name with a slash in src")
	}
	c := r.resolve(ref)
	if c == nil {
		return unknownCommit().noted("unknown commit " + strconv.Quote(ref))
	}
	if len(q.segments) == 5 {
		return refuse(http.StatusNotFound, "Resource not found").noted("root listing without the trailing slash")
	}
	format := q.query.Get("format")
	if q.query.Has("format") && format != "meta" {
		return refuse(http.StatusBadRequest, "Invalid format").noted("format " + strconv.Quote(format))
	}
	content, ok := c.files[name]
	if slashed, isSlashed := strings.CutSuffix(name, "/"); isSlashed && v.w.options.SlashedFiles && !ok {
		if content, ok = c.files[slashed]; ok {
			name = slashed
		}
	}
	if ok {
		e := &entry{repo: r, commit: c, path: name, content: content}
		if format == "meta" {
			return v.respond(q, e.tree(v))
		}
		return e.raw(v, q)
	}
	dir := strings.TrimSuffix(name, "/")
	if !c.hasDirectory(dir) || strings.HasSuffix(dir, "/") {
		return v.noSuchPath(name)
	}
	if format == "meta" {
		return v.respond(q, (&entry{repo: r, commit: c, path: dir, directory: true}).tree(v))
	}
	return v.listSource(q, r, c, dir)
}

func (v view) noSuchPath(name string) *answer {
	if v.w.options.PlainNotFound {
		return respond(http.StatusNotFound, "text/plain", []byte("Not Found"))
	}
	return refuse(http.StatusNotFound, "No such file or directory: "+name)
}

// resolve finds a commit by hash, by the first seven or more digits of one, or by branch.
func (r *repository) resolve(ref string) *commit {
	if b := r.branch(ref); b != nil {
		return b.head
	}
	if len(ref) < 7 {
		return nil
	}
	i := slices.IndexFunc(r.commits, func(c *commit) bool { return strings.HasPrefix(c.hash(), ref) })
	if i < 0 {
		return nil
	}
	return r.commits[i]
}

func (c *commit) hasDirectory(dir string) bool {
	if dir == "" {
		return true
	}
	for name := range c.files {
		if strings.HasPrefix(name, dir+"/") {
			return true
		}
	}
	return false
}

// pageName stands for the number of a page of a source listing, whatever is listed: a caller has to follow
// `next`. Source: recorded answers of five repositories for the second and the third page.
func pageName(n int) string {
	switch n {
	case 2:
		return "8xhd"
	case 3:
		return "dbtR"
	}
	return hashOf("page", strconv.Itoa(n))[:2] + strconv.FormatInt(int64(n), 36)
}

// listSource gives a `size` only where the options say so.
func (v view) listSource(q *request, r *repository, c *commit, dir string) *answer {
	depth := 1
	if q.query.Has("max_depth") {
		var err error
		if depth, err = strconv.Atoi(q.query.Get("max_depth")); err != nil || depth < 1 {
			return refuse(http.StatusBadRequest, "Invalid max_depth").noted("bad max_depth")
		}
	}
	items, refusal := v.selectItems(q, selection{
		kind:   "source",
		scope:  strconv.Itoa(depth),
		source: func() []item { return c.entries(r, dir, depth) },
	})
	if refusal != nil {
		return refusal
	}
	n := 1
	if q.query.Has("page") {
		last := len(items)/v.pagelen(q) + 1
		for n <= last && pageName(n) != q.query.Get("page") {
			n++
		}
		if n > last {
			return refuse(http.StatusBadRequest, "Invalid page").noted("bad page of a source listing")
		}
	}
	size := -1
	if v.w.options.SizedSource {
		size = len(c.entries(r, dir, 1))
	}
	return v.page(q, items, n, pageName, size)
}

// entries walks breadth first, folders before files.
func (c *commit) entries(r *repository, dir string, depth int) []item {
	seen := make(map[string]*entry)
	for name, content := range c.files {
		rest := name
		if dir != "" {
			var below bool
			if rest, below = strings.CutPrefix(name, dir+"/"); !below {
				continue
			}
		}
		parts := strings.Split(rest, "/")
		prefix := strings.TrimSuffix(name, rest)
		for i := 1; i <= min(depth, len(parts)); i++ {
			p := prefix + strings.Join(parts[:i], "/")
			e := &entry{repo: r, commit: c, path: p, directory: i < len(parts)}
			if !e.directory {
				e.content = content
			}
			seen[p] = e
		}
	}
	items := make([]item, 0, len(seen))
	for _, e := range seen {
		items = append(items, e)
	}
	slices.SortFunc(items, func(a, b item) int {
		x, y := a.(*entry), b.(*entry)
		if d := strings.Count(x.path, "/") - strings.Count(y.path, "/"); d != 0 {
			return d
		}
		switch {
		case x.directory && !y.directory:
			return -1
		case y.directory && !x.directory:
			return 1
		}
		return strings.Compare(x.path, y.path)
	})
	return items
}
