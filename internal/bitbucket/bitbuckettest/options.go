package bitbuckettest

import (
	"strings"

	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
)

// Options are the ways in which answers differ that were all recorded of the real service. The zero value is
// the newest way, as far as the years tell it, else the more frequent one.
type Options struct {
	// Owner makes the workspace that of a person: projects and repositories have this account as their owner,
	// with the workspace's uuid. Else the owner is a team.
	Owner *User
	// Old leaves out what answers of 2017 to 2020 do not have: has_publicly_visible_repos of projects; workspace,
	// parent, override_settings and enforced_signed_commits of repositories; merge strategies of branches; draft,
	// and links to request changes, of pull requests; the state of participants; the type of a file's content,
	// its escaped path and its history.
	Old bool
	// SizedSource tells the size of source listings. It is recorded for one level; that it counts that level alone
	// where more are asked for is assumed.
	SizedSource bool
	// PlainNotFound says of a missing file or folder no more than "Not Found", in plain text. Else it names the
	// path. Source: recorded answers of both forms; that the short one comes from this route is assumed.
	PlainNotFound bool
	// SlashedFiles takes a path that ends with a slash for that of a file. Else it is not found. Neither is recorded.
	SlashedFiles bool
	// MovedLFS answers 301 for a file of Git LFS, as the documentation says. Else it is 302, as recorded.
	MovedLFS bool
	// MediaHost is where files of Git LFS are kept; "" is that of recorded answers, https://api.media.atlassian.com.
	MediaHost string
	// Git is what the git host can do, and what it breaks, see ConfigureGit too.
	Git gitwiretest.Options
	// HiddenGit is the status of the git host for a repository that is not there or that the credential may not
	// see; 0 means 404. Neither is recorded: a client takes it for 401, as of a wrong credential, see
	// https://github.com/google/osv-scalibr/blob/main/veles/secrets/gitbasicauth/bitbucket/validator_test.go, read 2026-11.
	HiddenGit int
	// EscapedLinks escapes in the paths and links of folders and files all but letters, digits, "-", "_", "." and
	// "~", as Python's quote does. Else "@", "+", "&", "=", "$" and ":" stay. Neither is recorded.
	EscapedLinks bool
	// BodyLinks is what the links in bodies begin with, such as "https://bitbucket.org/!api/2.0", but that of a
	// next page. Else they begin as the request does.
	BodyLinks string
}

// Configure sets the options.
func (s *Server) Configure(o Options) {
	o.BodyLinks = strings.TrimRight(o.BodyLinks, "/")
	s.workspace.change(func() { s.workspace.options = o })
}

// FormerUser is the author of a pull request whose account is deleted, in newer answers. In older ones it is
// null. Source: a recorded answer of 2026.
func FormerUser() *User { return &User{Name: "Former user", Nickname: "Former user"} }

// without leaves out members that older answers do not have.
func (v view) without(o object, keys ...string) object {
	if !v.w.options.Old {
		return o
	}
	kept := make(object, 0, len(o))
	for _, m := range o {
		old := false
		for _, k := range keys {
			old = old || k == m.key
		}
		if !old {
			kept = append(kept, m)
		}
	}
	return kept
}
