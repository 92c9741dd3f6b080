package bitbucket

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/transport"
)

// scopeRepositories is that of the list of repositories, with which most kinds begin.
const scopeRepositories = "repositories"

// scopeOf names what a credential must be allowed to read for a request: a scope for each part of a
// repository or of the workspace, as far as is known. Files, branches and commits are read with
// their repository.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/intro/#authentication, read 2026-11.
func scopeOf(req *http.Request) string {
	path := req.URL.EscapedPath()
	if req.Method != http.MethodGet {
		return "reports on commits" // nothing else is written
	}
	part := partOf(path, "/repositories/", 2)
	switch part {
	case "", "src", "refs", "commit", "commits":
		part = scopeRepositories
		if below := partOf(path, "/workspaces/", 1); below != "" {
			part = below
		}
	case "pullrequests":
		return "pull requests"
	}
	return strings.NewReplacer("-", " ", "_", " ").Replace(part)
}

// partOf is the n-th segment of a path below a collection, counted from 0; "" where it has none.
func partOf(path, collection string, n int) string {
	_, rest, _ := strings.Cut(path, collection)
	if segments := strings.Split(rest, "/"); len(segments) > n {
		return segments[n]
	}
	return ""
}

// leads reports whether what a credential sees decides what a request finds: all of them but
// those below one repository, which a credential may read as a whole or not at all.
func leads(req *http.Request) bool {
	_, rest, below := strings.Cut(req.URL.EscapedPath(), "/repositories/")
	return !below || strings.Count(strings.TrimRight(rest, "/"), "/") == 0
}

// judge reads what an answer of 401, 403 or 404 says of the credential. A path that a commit does
// not have is there for none.
func judge(status int, body []byte) transport.Verdict {
	e := &Error{Status: status}
	e.decode(body)
	switch {
	case e.barred():
		return transport.Verdict{Standing: transport.Barred, Why: e.Message}
	case status == http.StatusUnauthorized:
		return transport.Verdict{Standing: transport.Doubted, Why: e.Message}
	case e.lacksScope():
		return transport.Verdict{Standing: transport.Weak, Why: e.Message, Missing: e.Missing()}
	case e.MissingPath:
		return transport.Verdict{}
	}
	return transport.Verdict{Standing: transport.Blind}
}

// judgeGit is judge for the git host. It has one answer for a wrong credential and for a
// repository that is not there, or that the credential may not see.
//
// Source: https://community.atlassian.com/forums/Bitbucket-questions/Having-trouble-switching-to-API-tokens/qaq-p/3213684, read 2026-11.
func judgeGit(status int, body []byte) transport.Verdict {
	v := judge(status, body)
	if v.Standing == transport.Doubted && strings.Contains(strings.ToLower(string(body)), "may not have access to this repository") {
		v.Standing = transport.Either
	}
	return v
}

// lacksScope reports whether the refusal is about scopes, so that another credential may
// pass, and not about a repository. Not every such answer names the scopes.
//
// Source: "Your credentials lack one or more required privilege scopes.", a recorded answer of 403.
func (e *Error) lacksScope() bool {
	text := e.text()
	return e.Status == http.StatusForbidden &&
		(len(e.Required) > 0 || strings.Contains(text, "privilege scope") || strings.Contains(text, "required scope"))
}

// barred reports whether the account behind the credential is shut out, whatever is asked:
// each further attempt with a password prolongs that. A name in the message, such as that of
// a repository "captcha-account-locked", does not count.
func (e *Error) barred() bool {
	refused := e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden
	return refused && shutOut.MatchString(e.text())
}

// shutOut matches a lower-case sentence that says that an account, or a login, is shut out.
//
// Source, read 2026-11: "Too many invalid password attempts. Log in at https://id.atlassian.com/ to
// restore access." in https://github.com/conduktor/kafka-security-manager/issues/68; "CAPTCHA
// required. Your Bitbucket account has been locked." in https://github.com/desktop/desktop/issues/14680;
// "your Atlassian account admin requires single sign-on" in
// https://github.com/jenkinsci/bitbucket-branch-source-plugin/issues/301.
var shutOut = regexp.MustCompile(`(^|\s)too many (\S+ ){0,3}attempts` +
	`|(^|\s)(account|user) (\S+ ){0,4}(locked|suspended|deactivated|disabled|blocked)\b` +
	`|(^|\s)locked out\b|(^|\s)requires single sign-on\b` +
	`|(^|\s)(complete|solve|answer|pass|enter|require|requires|failed) (\S+ ){0,2}captcha\b|(^|\s)captcha (challenge|required|is required)\b`)

const barredFix = "log in at https://id.atlassian.com with the account of this credential and do what it asks for; use a workspace access token, which no login locks"

// scopesFix says which scopes a credential needs; required is empty when the answer names none.
func scopesFix(required []string) string {
	if len(required) == 0 {
		return "create a credential with all scopes that a run needs: " + allScopes
	}
	return "create a credential with the scopes " + strings.Join(required, ", ")
}

const allScopes = "to read projects, repositories and pull requests"

// Refused describes, for messages, a credential that Bitbucket refused while others went on.
type Refused struct{ What, Fix string }

// Displaced names the credential that decided what there is, when that was refused, and others,
// which may see less, have read in its place; else it is empty.
func (c *Client) Displaced() string { return c.pool.Displaced(scopeRepositories) }

// Refused returns the credentials that Bitbucket's API refused while others went on, in order.
func (c *Client) Refused() []Refused { return refused("Bitbucket", c.pool.Unfit()) }

// refused says what was refused by whom.
func refused(by string, all []transport.Unfit) []Refused {
	var refusals []Refused
	for _, u := range all {
		refusals = append(refusals, refusalOf(by, u))
	}
	return refusals
}

func refusalOf(by string, u transport.Unfit) Refused {
	switch {
	case u.NoToken != nil: // by one host for both the API and git
		return Refused{fmt.Sprintf("a credential has no access token, and the run went on with the others: %s; %v", u.Credential, u.NoToken), Fix(u.NoToken)}
	case u.Standing == transport.Weak:
		why := cmp.Or(u.Why, "a scope is missing")
		fix := "replace it by one with all scopes that a run needs: " + allScopes
		if len(u.Missing) > 0 {
			missing := strings.Join(slices.Sorted(slices.Values(u.Missing)), ", ")
			why, fix = "missing scopes: "+missing, "replace it by one that has the scopes "+missing+" too"
		}
		return Refused{fmt.Sprintf("%s refused a credential for %s (%d), and the others were used for them: %s; %s", by, u.Scope, u.Status, u.Credential, why), fix}
	case u.Standing == transport.Barred:
		return Refused{fmt.Sprintf("%s has shut out a credential (%d), and the run went on with the others: %s; %s", by, u.Status, u.Credential, u.Why), barredFix}
	}
	return Refused{fmt.Sprintf("%s refused a credential (%d), and the run went on with the others: %s", by, u.Status, u.Credential),
		"replace it: it may be expired, revoked, or mistyped"}
}
