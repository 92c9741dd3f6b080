package report

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Subject is what a run is about.
type Subject struct {
	Workspace   string
	Integration string // its identifier in Port
	Checkout    Checkout
}

// Checkout is where a browser shows the files of the commit that runs. The zero Checkout is
// nowhere.
type Checkout struct {
	Page string // a file's page but for its path, such as https://github.com/acme/portal/blob/1a2b3c/
	Line string // what stands between the path and the number of a line, such as #L; may be empty
}

// Link returns the page of a file, by its path from the root of the checkout, at a line; 0 is
// no line. It is empty where no page is known, and where the path leads out of the checkout.
func (c Checkout) Link(path string, line int) string {
	page, err := url.Parse(c.Page)
	if err != nil || page.Scheme != "https" && page.Scheme != "http" || path == "" || strings.HasPrefix(path, "/") {
		return ""
	}
	escape := url.PathEscape
	if page.RawQuery != "" { // the path is a value in it
		escape = url.QueryEscape
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if s == ".." {
			return ""
		}
		segments[i] = escape(s)
	}
	link := c.Page + strings.Join(segments, "/")
	if line > 0 && c.Line != "" {
		link += c.Line + strconv.Itoa(line)
	}
	return link
}

func (s *Subject) scrub(redact func(string) string) {
	for _, text := range []*string{&s.Workspace, &s.Integration, &s.Checkout.Page, &s.Checkout.Line} {
		*text = redact(*text)
	}
}

// Allowance is how many requests to Bitbucket the credentials may make. The zero Allowance is
// not known.
type Allowance struct {
	Each        int // by a credential, in the window
	Credentials int
	Window      time.Duration
}

// Timeline is when a run sent requests and when it waited.
type Timeline struct {
	Slot     time.Duration // the length of a slot; 0 where nothing was recorded
	Services []Series
	Waits    []Wait // in the order in which they began
}

// Series are the requests to one service, by the slot in which each was sent.
type Series struct {
	Name     string
	Requests []int
}

// Wait is a time in which requests waited for a service. Both ends count from the start of the
// run.
type Wait struct {
	From, To time.Duration
	Service  string
	Why      string
}

func (t *Timeline) scrub(redact func(string) string) {
	for i := range t.Services {
		t.Services[i].Name = redact(t.Services[i].Name)
	}
	for i := range t.Waits {
		w := &t.Waits[i]
		w.Service, w.Why = redact(w.Service), redact(w.Why)
	}
}
