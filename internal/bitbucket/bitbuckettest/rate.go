package bitbuckettest

import (
	"cmp"
	"net/http"
	"strconv"
	"time"
)

// The resource classes that are counted apart from each other. That the workspace routes are a class of
// their own is assumed: the vendor's page does not list them.
// Source: https://support.atlassian.com/bitbucket-cloud/docs/api-request-limits/, read 2026-11.
const (
	classRepositories = "repositories"
	classWorkspaces   = "workspaces"
	classGit          = "git"
)

const (
	defaultLimit    = 1000
	defaultGitLimit = 60_000
	defaultWindow   = time.Hour
)

// ledger is the sliding log of one allowance: the time of each call in the window, per class.
type ledger struct {
	limit    int // calls per window; below 0: no limit
	gitLimit int // those of the git host
	window   time.Duration
	calls    map[string][]time.Time
}

func newLedger() *ledger {
	return &ledger{limit: defaultLimit, gitLimit: defaultGitLimit, window: defaultWindow, calls: make(map[string][]time.Time)}
}

func (l *ledger) set(a Access) {
	l.limit = cmp.Or(a.Limit, l.limit)
	l.gitLimit = cmp.Or(a.GitLimit, l.gitLimit)
	l.window = cmp.Or(a.Window, l.window)
}

func (l *ledger) limitOf(class string) int {
	if class == classGit {
		return l.gitLimit
	}
	return l.limit
}

// take counts one call and reports whether it is within the limit. A refused call is counted too, unless
// forgiving: whether the service counts it is unknown, and a caller must bear the worse case.
func (l *ledger) take(class string, now time.Time, forgiving bool) bool {
	limit := l.limitOf(class)
	if limit < 0 {
		return true
	}
	calls := l.calls[class]
	old := 0
	for old < len(calls) && now.Sub(calls[old]) >= l.window {
		old++
	}
	calls = calls[old:]
	ok := len(calls) < limit
	if ok || !forgiving {
		calls = append(calls, now)
	}
	l.calls[class] = calls
	return ok
}

// near reports whether less than a fifth of the allowance is left.
func (l *ledger) near(class string) bool {
	return l.limit >= 0 && (l.limit-len(l.calls[class]))*5 < l.limit
}

// tooMany is the vendor's 429: plain text and, by default, no word on how long to wait.
// Source: header dumps in https://github.com/jenkinsci/bitbucket-branch-source-plugin/pull/414, read 2026-11.
func tooMany(retryAfter time.Duration) *answer {
	a := respond(http.StatusTooManyRequests, "text/plain", []byte("Rate limit for this resource has been exceeded"))
	if retryAfter > 0 {
		seconds := int((retryAfter + time.Second - 1) / time.Second)
		a.header.Set("Retry-After", strconv.Itoa(seconds))
	}
	return a
}

// usageHeaders adds what says nothing of the allowance, though it reads so: the real service calls answers of
// 200 throttled. Source: a recorded answer of 2022.
func (a *answer) usageHeaders() {
	if a.status != http.StatusOK {
		return
	}
	for k, v := range map[string]string{
		"X-Usage-Throttled": "True", "X-Usage-User-Time": "0.113605", "X-Usage-System-Time": "0.003218",
		"X-Usage-Input-Ops": "0", "X-Usage-Output-Ops": "0", "X-Request-Count": "1299", "X-Dc-Location": "Micros",
	} {
		a.header.Set(k, v)
	}
}

// rateHeaders adds the three headers that only access tokens get, and only on repository data.
// Source: https://www.atlassian.com/blog/bitbucket/introducing-scaled-rate-limits-for-bitbucket-cloud-api,
// read 2026-11.
func (l *ledger) rateHeaders(a *answer) {
	if l.limit < 0 {
		return
	}
	a.header.Set("X-RateLimit-Limit", strconv.Itoa(l.limit))
	a.header.Set("X-RateLimit-Resource", "api")
	a.header.Set("X-RateLimit-NearLimit", strconv.FormatBool(l.near(classRepositories)))
}
