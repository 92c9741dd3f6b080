package bitbuckettest

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
)

// The git host serves the same repositories as REST, outside the prefix of REST, by git's smart HTTP. The real
// one is https://bitbucket.org, another host than that of REST; here both are one server.

// The routes of the git host, as Exchange.Route has them.
const (
	GitRefs   = "/{workspace}/{repo_slug}.git/info/refs"
	GitUpload = "/{workspace}/{repo_slug}.git/git-upload-pack"
)

// gitRequest is what a request to the git host names.
type gitRequest struct{ workspace, slug, route string }

// gitRequestOf is nil when a path, still escaped, is none of the git host.
func gitRequestOf(path string) *gitRequest {
	parts := strings.Split(path, "/")
	if len(parts) < 4 || parts[0] != "" {
		return nil
	}
	g := &gitRequest{}
	switch rest := strings.Join(parts[3:], "/"); rest {
	case "info/refs":
		g.route = GitRefs
	case "git-upload-pack":
		g.route = GitUpload
	default:
		return nil
	}
	slug, ok := strings.CutSuffix(parts[2], ".git")
	if !ok {
		return nil
	}
	var err, err2 error
	g.workspace, err = url.PathUnescape(parts[1])
	g.slug, err2 = url.PathUnescape(slug)
	if err != nil || err2 != nil {
		return nil
	}
	return g
}

// ConfigureGit sets what git can do in one repository, and what it breaks. Else it is as Options.Git says.
func (fs *files) ConfigureGit(slug string, o gitwiretest.Options) {
	fs.repositories.ws.change(func() { fs.repositories.must(slug).gitOptions = &o })
}

// Git returns the repository as git has it, for tests that ask for its objects.
func (fs *files) Git(slug string) *gitwiretest.Repository {
	w := fs.repositories.ws
	w.mu.RLock()
	defer w.mu.RUnlock()
	return fs.repositories.must(slug).served(w.gen)
}

// hiddenRepository is what the git host says of a repository that is not there, or that the credential may not
// see, and of a wrong credential. Source: the sentence as users report it of git, with "remote:" before it,
// which git shows of an answer in plain text, https://community.atlassian.com/forums/Bitbucket-questions/Having-trouble-switching-to-API-tokens/qaq-p/3213684,
// read 2026-11.
const hiddenRepository = "You may not have access to this repository or it no longer exists in this workspace. " +
	"If you think this repository exists and you have access, make sure you are authenticated."

// missingScope is what it says to a credential that lacks a scope.
// Source: https://community.atlassian.com/forums/Bitbucket-questions/Using-APi-Tokens-for-repo-cloning/qaa-p/3129221,
// read 2026-11.
const missingScope = "Your credentials lack one or more required privilege scopes."

func gitRefusal(status int, text string) *answer {
	a := respond(status, "text/plain", []byte(text))
	if status == http.StatusUnauthorized {
		a.header.Set("WWW-Authenticate", basicRealm)
	}
	return a
}

// git answers a request to the git host whose credential is good.
func (s *Server) git(q *request) *answer {
	w := s.workspace
	w.mu.RLock()
	defer w.mu.RUnlock()
	if need := q.cred.missing("repository", "read:repository:bitbucket"); need != "" {
		return gitRefusal(http.StatusForbidden, missingScope).noted("missing scope " + need)
	}
	r, refusal := s.repositories.ofGit(q)
	if refusal != nil {
		return refusal
	}
	o := w.options.Git
	if r.gitOptions != nil {
		o = *r.gitOptions
	}
	from := gitwiretest.Serve(r.served(w.gen), o, q.Request)
	a := &answer{status: from.Status, header: from.Header, body: from.Body, violation: from.Violation, git: from}
	return a
}

// ofGit finds the repository of a request. That a hidden repository is 404 is assumed, see Options.HiddenGit; so
// is that what was renamed is redirected as in REST, a POST too.
func (rs *repositories) ofGit(q *request) (*repository, *answer) {
	of := q.git
	status := http.StatusNotFound
	if rs.ws.options.HiddenGit != 0 {
		status = rs.ws.options.HiddenGit
	}
	if !strings.EqualFold(of.workspace, rs.ws.slug) {
		a := gitRefusal(status, hiddenRepository)
		if !rs.transferred[of.workspace+"/"+of.slug] {
			a.noted("unknown workspace " + strconv.Quote(of.workspace))
		}
		return nil, a
	}
	r := rs.bySlug[of.slug]
	switch {
	case r == nil && rs.moved[of.slug] != "":
		a := respond(http.StatusMovedPermanently, "text/html", nil)
		location := q.root + "/" + rs.moved[of.slug] + ".git" + strings.TrimPrefix(of.route, "/{workspace}/{repo_slug}.git")
		if q.URL.RawQuery != "" {
			location += "?" + q.URL.RawQuery
		}
		a.header.Set("Location", location)
		return nil, a
	case r == nil:
		return nil, gitRefusal(status, hiddenRepository)
	case !q.cred.sees(r):
		return nil, gitRefusal(status, hiddenRepository)
	case r.visibility == ListedForbidden:
		return nil, gitRefusal(http.StatusForbidden, fmt.Sprintf("Access to repository %s/%s is denied", rs.ws.slug, of.slug))
	case r.visibility != Visible:
		return nil, gitRefusal(status, hiddenRepository)
	}
	return r, nil
}

// The users of Basic on the git host: that of access tokens, and that of API tokens, whose e-mail address is
// refused there. Source: https://support.atlassian.com/bitbucket-cloud/docs/using-access-tokens/ and
// https://support.atlassian.com/bitbucket-cloud/docs/using-api-tokens/, read 2026-11; the refusal was tried by a
// user. That an access token sent as Bearer is refused is assumed.
const (
	gitTokenUser    = "x-token-auth"
	gitAPITokenUser = "x-bitbucket-api-token-auth"
)

// findGit finds the credential of a request to the git host.
func (a *access) findGit(r *http.Request) (c *credential, why string) {
	user, secret, ok := r.BasicAuth()
	if !ok {
		return nil, "Authorization of the git host is not Basic"
	}
	switch user {
	case gitTokenUser:
		if c := a.tokens[secret]; c != nil {
			return c, ""
		}
		return nil, "unknown access token on the git host"
	case gitAPITokenUser:
		for k, c := range a.basics {
			if k[1] == secret && strings.Contains(k[0], "@") {
				return c, ""
			}
		}
		return nil, "unknown API token on the git host"
	}
	return nil, "user " + strconv.Quote(user) + " on the git host"
}
