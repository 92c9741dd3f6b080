package bitbuckettest

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
)

// Exchange is one request and its answer. It never holds a secret: of the credential only the name is
// kept, and the Authorization header and the answers that hold access tokens are left out.
type Exchange struct {
	Method     string
	Host       string
	Path       string // as sent, still escaped
	Route      string // the path below the prefix with its variables' names, "" when there is no such route
	RawQuery   string
	Query      url.Values
	Git        bool                 // it was to the git host
	Token      bool                 // it was for an access token of an OAuth consumer
	GitCommand *gitwiretest.Command // what it asked of git; nil when git was not asked or did not understand
	Credential string               // the name given to it; "" when none was recognised
	Status     int                  // 0 while the answer is being made, and when the connection was dropped
	Time       time.Time
	Faults     int // how many of the programmed faults fell on it

	// The rest is kept only while Record is on.
	RequestHeader  http.Header
	RequestBody    []byte
	ResponseHeader http.Header
	ResponseBody   []byte
}

type journal struct {
	mu         sync.Mutex
	record     bool
	arrived    int // requests since New
	epoch      int // grows with every reset
	exchanges  []Exchange
	violations []string
}

// arrival points at a journal entry whose answer is not known yet.
type arrival struct {
	number, index, epoch int
	credential           string
}

// Record turns the keeping of headers and bodies on or off. It is off at first.
func (j *journal) Record(on bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.record = on
}

// Journal returns a copy of every request since New or the last ResetJournal, in order of arrival.
func (j *journal) Journal() []Exchange {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.exchanges)
}

// Requests is the number of REST requests in the journal.
func (j *journal) Requests() int {
	return j.count(func(x *Exchange) bool { return !x.Git && !x.Token })
}

// GitRequests is the number of requests to the git host in the journal.
func (j *journal) GitRequests() int { return j.count(func(x *Exchange) bool { return x.Git }) }

// TokenRequests is the number of requests for access tokens in the journal.
func (j *journal) TokenRequests() int { return j.count(func(x *Exchange) bool { return x.Token }) }

func (j *journal) count(of func(*Exchange) bool) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := 0
	for i := range j.exchanges {
		if of(&j.exchanges[i]) {
			n++
		}
	}
	return n
}

// ResetJournal empties the journal. The violations stay.
func (j *journal) ResetJournal() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.exchanges = nil
	j.epoch++
}

// Violations returns what callers did that a correct caller never does, one line each: no or a wrong
// credential, a missing scope, a method that a path does not take, an unknown path, parameter or workspace, a page that
// is too long, a query that does not parse, source of an empty repository or of an unknown commit, what git
// does not understand, see gitwiretest.Server.Violations. What
// can happen to a correct caller is not among them: an expired or revoked credential, a repository or pull
// request that is gone, a missing file, a used-up rate window.
func (j *journal) Violations() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.violations)
}

func (j *journal) begin(r *http.Request, route string, git, token bool) *arrival {
	x := Exchange{
		Method: r.Method, Host: r.Host, Path: r.URL.EscapedPath(), Route: route, Git: git, Token: token,
		RawQuery: r.URL.RawQuery, Query: r.URL.Query(), Time: time.Now(),
	}
	j.mu.Lock()
	record := j.record
	j.mu.Unlock()
	if record {
		x.RequestHeader = r.Header.Clone()
		x.RequestHeader.Del("Authorization")
		x.RequestBody, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(x.RequestBody))
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.arrived++
	j.exchanges = append(j.exchanges, x)
	return &arrival{number: j.arrived, index: len(j.exchanges) - 1, epoch: j.epoch}
}

// hit notes at once how many faults fall on a request: one that hangs has no end.
func (j *journal) hit(at *arrival, faults int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if x := j.exchange(at); x != nil {
		x.Faults = faults
	}
}

// exchange is nil when the journal was emptied meanwhile.
func (j *journal) exchange(at *arrival) *Exchange {
	if at.epoch != j.epoch {
		return nil
	}
	return &j.exchanges[at.index]
}

func (j *journal) finish(at *arrival, a *answer) {
	j.mu.Lock()
	defer j.mu.Unlock()
	x := j.exchange(at)
	if x == nil {
		return
	}
	x.Credential = at.credential
	if a.git != nil {
		x.GitCommand = a.git.Command
	}
	if a.drop {
		return
	}
	x.Status = a.status
	if j.record {
		x.ResponseHeader = a.header.Clone()
		if !x.Token {
			x.ResponseBody = a.body
		}
	}
}

func (j *journal) note(r *http.Request, violation string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.violations = append(j.violations, r.Method+" "+r.URL.RequestURI()+": "+violation)
}
