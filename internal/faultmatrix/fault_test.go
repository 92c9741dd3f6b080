package faultmatrix_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

// elsewhere is a host that no request may go to.
const elsewhere = "https://elsewhere.example/2.0/repositories/acme"

// kind of fault.
type kind struct {
	name string
	// Of an answer that is replaced; message makes a body as each service refuses.
	status  int
	header  http.Header
	body    string
	message string
	// Else what is done to it.
	bitbucket bitbuckettest.Fault
	port      porttest.Fault
	// harmless is true when the answer still says all that is due.
	harmless bool
	// fits says of which routes there is such a fault; nil for all. What does not fit
	// stands there with its reason.
	fits func(use) bool
	// told is what a line about the fault says, as a regular expression.
	told string
}

func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

// answers are JSON. A file may hold anything: what it should hold nobody can know.
func answers(u use) bool { return u.form != aFile && !u.overGit() }

func answersOfGit(u use) bool { return u.overGit() }

// packs are answers of git that hold a pack.
func packs(u use) bool { return u.form == gitTrees || u.form == gitFiles }

func commands(u use) bool { return u.path == bitbuckettest.GitUpload }

func pages(u use) bool { return u.page }

const noJSON = "not the JSON|not the whole JSON|no token|no access token|names no|integration will not show"

var kinds = []kind{
	{name: "429", status: 429, header: header("Content-Type", "text/plain"), body: "Rate limit for this resource has been exceeded", told: "429"},
	{name: "429 with Retry-After", status: 429, header: header("Retry-After", "7"), message: "Too many requests", told: "429"},
	{name: "500", status: 500, message: "Something went wrong", told: "500"},
	{name: "502 HTML", status: 502, header: header("Content-Type", "text/html"), body: "<html><body>Bad gateway</body></html>", told: "502"},
	{name: "503", status: 503, header: header("Content-Type", "text/plain"), body: "unavailable", told: "503"},
	{name: "555", status: 555, message: "Timeout", told: "555"},
	{name: "408", status: 408, body: `{}`, told: "408"},
	{name: "timeout", bitbucket: bitbuckettest.Fault{Delay: 24 * time.Hour}, port: porttest.Fault{Delay: 24 * time.Hour}, told: tooLate},
	{name: "stall", bitbucket: bitbuckettest.Fault{StallBody: 5}, port: porttest.Fault{StallBody: true}, told: tooLate},
	{name: "reset before the answer", bitbucket: bitbuckettest.Fault{DropConnection: true}, port: porttest.Fault{DropConnection: true}, told: "EOF"},
	{name: "reset in the body", bitbucket: bitbuckettest.Fault{TruncateBody: 5}, port: porttest.Fault{TruncateBody: true}, told: "EOF"},
	{name: "truncated JSON", bitbucket: bitbuckettest.Fault{Rewrite: half}, port: porttest.Fault{Rewrite: half}, fits: answers, told: noJSON},
	{name: "HTML with 200", status: 200, header: header("Content-Type", "text/html"), body: "<html><body>Maintenance</body></html>", told: noJSON + "|web page|did not understand"},
	{name: "another content type", bitbucket: bitbuckettest.Fault{Header: header("Content-Type", "text/html")}, port: porttest.Fault{Header: header("Content-Type", "text/html")}, harmless: true},
	{name: "empty body", status: 200, fits: answers, told: noJSON},
	{name: "{}", status: 200, body: "{}", fits: answers, told: noJSON},
	{name: "null", status: 200, header: header("Content-Type", "application/json"), body: "null", fits: answers, told: noJSON},
	{name: "a list", status: 200, header: header("Content-Type", "application/json"), body: "[]", fits: answers, told: noJSON},
	{name: "401", status: 401, message: "Token is invalid, expired, or not supported for this endpoint.", told: "401"},
	{name: "403", status: 403, message: "Forbidden", told: "403"},
	{name: "404", status: 404, message: "Not found", told: "404|is not there|was not there"},
	{name: "410", status: 410, message: "Functionality has been deprecated", told: "410"},
	{name: "redirect to another host", status: 302, header: header("Location", elsewhere), told: "redirect|302"},
	{name: "next on another host", bitbucket: bitbuckettest.Fault{Next: elsewhere}, fits: linked, told: "next page refused"},
	{name: "next to itself", bitbucket: bitbuckettest.Fault{RepeatPage: true}, port: porttest.Fault{RepeatPage: true}, fits: pages, told: "next page refused|read before"},
	{name: "page twice", bitbucket: bitbuckettest.Fault{PageAgain: true}, port: porttest.Fault{RepeatPage: true}, harmless: true, fits: pages},
	{name: "cut answer", bitbucket: bitbuckettest.Fault{Rewrite: half}, fits: commands, told: "cut off|broken"},
	{name: "flipped bit", bitbucket: bitbuckettest.Fault{Rewrite: flip}, fits: packs, told: "broken|does not give"},
	{name: "ERR", status: 200, header: header("Content-Type", gitType), body: packet("ERR upload-pack: out of order\n"), fits: commands, told: "out of order"},
	{name: "band 3", bitbucket: bitbuckettest.Fault{Rewrite: band3}, fits: packs, told: "the pack is broken"},
	{name: "empty answer", status: 200, header: header("Content-Type", gitType), fits: answersOfGit, told: "did not understand"},
	{name: "shrinking list", bitbucket: bitbuckettest.Fault{Mutate: shrink}, fits: sized, told: "incomplete"},
}

const tooLate = "no complete answer|nothing came for|no answer within|time for calls"

// linked is true for lists whose pages name the next one by its address: at Port it is
// a word of the body, which leads nowhere.
func linked(u use) bool { return u.page && u.service == ofBitbucket }

// sized is true for lists that may change while they are read: at Port a page begins
// after the last entity that was given, as one of pull requests does, and a commit of
// Bitbucket never changes.
func sized(u use) bool { return u.size && u.late && !strings.HasSuffix(u.path, "/pullrequests") }

func half(body []byte) []byte { return body[:len(body)/2] }

// shrink is what a page looks like when a value of an earlier page has gone.
func shrink(page map[string]any) {
	if values, _ := page["values"].([]any); len(values) > 0 {
		page["values"] = values[1:]
	}
	if n, ok := page["size"].(json.Number); ok {
		size, _ := n.Int64()
		page["size"] = size - 1
	}
}

// peek reads the body of a request, and leaves it there.
func peek(r *http.Request) []byte {
	if r.Body == nil {
		return nil
	}
	body, _ := io.ReadAll(r.Body) // a part of it is what the service reads too
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body
}

// Git's own faults.
const gitType = "application/x-git-upload-pack-result"

// packet is one of git's pkt-lines.
func packet(text string) string { return fmt.Sprintf("%04x%s", len(text)+4, text) }

// flip turns a bit in the middle over.
func flip(body []byte) []byte {
	body = bytes.Clone(body)
	body[len(body)/2] ^= 1
	return body
}

// band3 ends the pack with an error of the server's before its first byte.
func band3(body []byte) []byte {
	at := bytes.Index(body, []byte("packfile\n")) + len("packfile\n")
	return append(bytes.Clone(body[:at]), packet("\x03fatal: the pack is broken\n")+"0000"...)
}

// scope says on which requests of a route a fault falls.
type scope string

const (
	once    scope = "once"
	always  scope = "always"
	onePart scope = "on one part"    // a repository, or a blueprint
	late    scope = "on a late page" // every time
)

// combination is one fault on one route.
type combination struct {
	kind   kind
	use    use
	scope  scope
	effect bool // the request that fails has done what it was to do
}

func (c combination) String() string {
	name := c.use.String() + "/" + c.kind.name + "/" + string(c.scope)
	if c.effect {
		name += ", with effect"
	}
	return name
}

// combinations are all of the faults on the routes, but for those that do not exist, as
// far as the scene tries them.
func (s *scene) combinations(routes []use) []combination {
	var all []combination
	n := 0
	for _, u := range routes {
		for _, k := range kinds {
			if k.fits != nil && !k.fits(u) {
				continue
			}
			for _, on := range []scope{once, always, onePart, late} {
				for _, effect := range []bool{false, true} {
					c := combination{k, u, on, effect}
					if !c.exists() {
						continue
					}
					if s.part == nil || s.part(n, u) {
						all = append(all, c)
					}
					n++
				}
			}
		}
	}
	return all
}

// exists is false for what would be another combination, or none.
func (c combination) exists() bool {
	switch {
	case c.scope == onePart && c.use.part == "", c.scope == late && !c.use.late:
		return false
	case c.kind.name == "shrinking list" && c.scope == always: // is that on a late page
		return false
	case c.kind.name == "page twice" && (c.scope == late || strings.HasSuffix(c.use.path, "/commits")): // a late page, and one of commits, has one address alone
		return false
	case c.kind.name == "page twice" && c.use.service == ofPort && c.scope != once: // is "next to itself"
		return false
	case c.kind.name == "next to itself" && c.use.service == ofPort && !c.use.late: // is "page twice"
		return false
	case c.kind.name == "404" && c.use.path == existsRoute:
		// Whether a repository is there is asked only where it did not answer before:
		// this is how it says that it is gone, and it may be.
		return false
	case c.kind.name == "404" && c.scope != once && optionalRoutes[c.use.path]:
		// This is how a repository says that it has no such list, and it may be.
		return false
	case c.effect && (!c.use.changes() || c.kind.status == 0): // without a status it has its effect always, or never
		return false
	case c.effect && c.kind.status/100 != 2 && c.kind.status/100 != 5 && c.kind.status != 408:
		// A refusal has no effect, but for one of somebody on the way who lost patience.
		return false
	case !c.effect && c.kind.status/100 == 2 && c.use.unread() && c.use.changes():
		// A proxy that says yes and passes nothing on: nobody can tell.
		return false
	}
	return true
}

// harmless is true for an answer that still says all that is due: of a repository that
// is asked for, that it is there. git looks at the type of an answer.
func (c combination) harmless() bool {
	return c.kind.harmless && !c.use.overGit() || c.use.path == existsRoute && (c.kind.name == "{}" || c.kind.name == "null")
}

// held is true where deletion is held back by contract, with a warning: a credential
// that may not list what its data source owns, and an installation of Port that has no
// such list any more, which is answered for from the blueprints of the mapping.
func (c combination) held() bool {
	return c.use.path == ownedRoute && (c.kind.name == "403" || c.scope != late && (c.kind.name == "404" || c.kind.name == "410"))
}

// plan programs the fault, and returns how often it has happened.
func (c combination) plan(w *world) (fired func() int) {
	first, times := 1, 1
	if c.scope != once {
		times = -1
	}
	onlyLate := c.scope == late || c.kind.name == "shrinking list" || c.kind.name == "next to itself" && c.use.service == ofPort
	match := func(a asked) bool {
		return (c.scope != onePart || a.part == c.use.part) && (!onlyLate || a.late) && (c.kind.name != "page twice" || !a.late)
	}
	if c.use.service == ofBitbucket {
		f := c.kind.bitbucket
		f.Method, f.Route, f.Nth, f.Times = c.use.method, c.use.path, first, times
		f.Match = func(r *http.Request) bool {
			return formOf(r.URL.Path, peek(r)) == c.use.form && match(askedBitbucket(r.URL.EscapedPath(), r.URL.Query()))
		}
		if c.kind.status != 0 {
			f.Status, f.Header, f.Body = c.kind.status, c.kind.header, c.kind.body
			if c.kind.message != "" {
				f.Body = fmt.Sprintf(`{"type":"error","error":{"message":%q}}`, c.kind.message)
			}
		}
		return w.bitbucket.Fault(f)
	}
	f := c.kind.port
	f.Method, f.Route, f.Nth, f.Times, f.Apply = c.use.method, c.use.path, first, times, c.effect
	f.Match = func(r *http.Request, body []byte) bool { return match(askedPort(r.URL.EscapedPath(), body)) }
	if c.kind.status != 0 {
		f.Status, f.Header, f.Body = c.kind.status, c.kind.header, c.kind.body
		if c.kind.message != "" {
			f.Body = fmt.Sprintf(`{"ok":false,"error":"fault","message":%q}`, c.kind.message)
		}
	}
	return w.port.Fault(f)
}
