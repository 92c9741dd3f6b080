package scale_test

import (
	"bytes"
	"cmp"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"

	"port-bitbucket-exporter/internal/port/porttest"
)

const (
	clientID     = "client-of-benchmarks"
	clientSecret = "secret-of-benchmarks"
	// large is the blueprint of which there may be too many entities for memory.
	large = "bitbucketPullRequest"
	// ours begins a cursor of the entities that are kept apart.
	ours = "apart-"
)

// organization is one of Port whose entities of one blueprint are kept in a file: the strict
// emulator holds as many of them as one request is about, while it answers.
type organization struct {
	*porttest.Server

	mu sync.Mutex // guards what follows, and the entities of that blueprint in the server
	*shelf
	wrong  []string
	writes int // bulk upserts of any blueprint
	most   int // entities of a page of the file; 0 is as many as asked for
}

// newOrganization keeps entities in a file of the folder.
func newOrganization(folder string) (*organization, error) {
	s, err := newShelf(folder)
	if err != nil {
		return nil, err
	}
	o := &organization{Server: porttest.New(), shelf: s}
	o.AllowClient(clientID, clientSecret)
	o.Configure(porttest.Options{NoJournalBodies: true})
	return o, nil
}

// age makes all entities older, as Server.Age does.
func (o *organization) age(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.Age(d)
	o.aged += d
}

// entities is how many there are.
func (o *organization) entities() (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, of := range o.Catalog() {
		n += len(of)
	}
	return n + len(o.places)
}

// each calls f with every entity.
func (o *organization) each(f func(porttest.Entity)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, of := range o.Catalog() {
		for _, e := range of {
			f(e)
		}
	}
	for _, p := range o.places {
		f(o.read(p))
	}
}

// upserts is how many requests were to write entities since the last call.
func (o *organization) upserts() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := o.writes
	o.writes = 0
	return n
}

// violations are the requests that no correct client sends, and those that cannot be answered.
func (o *organization) violations() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append(o.Violations(), o.wrong...)
}

func (o *organization) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	blueprint, ofEntities := strings.CutPrefix(r.URL.Path, "/v1/blueprints/")
	blueprint, route, _ := strings.Cut(blueprint, "/")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client went away
	}
	q := &question{organization: o, w: w, r: r, body: body}
	defer o.ResetJournal()
	switch {
	case ofEntities && blueprint == large && route != "":
		o.mu.Lock()
		defer o.mu.Unlock()
		q.answer(route)
	case ofEntities && blueprint == "entities" && route == "datasource-entities":
		o.mu.Lock()
		defer o.mu.Unlock()
		q.listAll()
	default:
		if route == "entities/bulk" {
			o.mu.Lock()
			o.writes++
			o.mu.Unlock()
		}
		q.send(w, body)
	}
}

// question is one request. The organization is locked.
type question struct {
	*organization
	w    http.ResponseWriter
	r    *http.Request
	body []byte
}

// send has the strict emulator answer the request with another body.
func (q *question) send(w http.ResponseWriter, body []byte) {
	r := q.r.Clone(q.r.Context())
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	q.Server.ServeHTTP(w, r)
}

// fail refuses what is not emulated.
func (q *question) fail(format string, args ...any) {
	why := fmt.Sprintf(format, args...)
	q.wrong = append(q.wrong, q.r.Method+" "+q.r.URL.Path+": "+why)
	http.Error(q.w, why, http.StatusNotImplemented)
}

// answer is for routes about entities of the large blueprint.
func (q *question) answer(route string) {
	switch route {
	case "entities/bulk":
		q.upsert()
	case "entities/search":
		q.search()
	default:
		q.fail("the route is not emulated for a large blueprint")
	}
}

// upsert lets the strict emulator write the entities, and keeps what it made of them.
func (q *question) upsert() {
	var sent struct {
		Entities []struct {
			Identifier any `json:"identifier"`
		} `json:"entities"`
	}
	if err := json.Unmarshal(q.body, &sent); err != nil {
		q.fail("%v", err)
		return
	}
	q.writes++
	for _, e := range sent.Entities {
		if identifier, ok := e.Identifier.(string); ok {
			q.bring(identifier)
		}
	}
	q.send(q.w, q.body)
	for _, e := range q.Entities(large) {
		q.keep(e)
		q.RemoveEntity(large, e.Identifier)
	}
}

// bring puts an entity into the strict emulator, when there is one.
func (o *organization) bring(identifier string) {
	if at, known := o.at[md5.Sum([]byte(identifier))]; known {
		o.bringPlaces(o.places[at : at+1])
	}
}

// bringPlaces puts entities into the strict emulator, and returns their identifiers.
func (o *organization) bringPlaces(places []place) []string {
	identifiers := make([]string, len(places))
	for i, p := range places {
		e := o.read(p)
		o.PutEntity(large, e)
		identifiers[i] = e.Identifier
	}
	return identifiers
}

func (o *organization) remove(identifiers []string) {
	for _, identifier := range identifiers {
		o.RemoveEntity(large, identifier)
	}
}

// search answers about the entities that a query names, or about a page of all of them.
func (q *question) search() {
	var asked struct {
		Query struct {
			Rules []struct {
				Property, Operator string
				Value              any
			}
		}
	}
	if err := json.Unmarshal(q.body, &asked); err != nil {
		q.fail("%v", err)
		return
	}
	for _, rule := range asked.Query.Rules {
		values, many := rule.Value.([]any)
		if rule.Property != "$identifier" || rule.Operator != "in" || !many {
			continue
		}
		var identifiers []string
		for _, v := range values {
			if identifier, ok := v.(string); ok {
				q.bring(identifier)
				identifiers = append(identifiers, identifier)
			}
		}
		q.send(q.w, q.body)
		q.remove(identifiers)
		return
	}
	q.searchAll()
}

// listing is what the bodies of searches and of the list of a data source say.
type listing struct {
	From   string
	Limit  int
	Prefix string `json:"datasource_prefix"`
	Suffix string `json:"datasource_suffix"`
	Before time.Time
}

// page returns what the body says, and which entities of the file are on its page. Next is
// empty after the last one.
func (q *question) page() (asked listing, places []place, next string, ok bool) {
	asked.Limit = 200
	if err := json.Unmarshal(q.body, &asked); err != nil {
		q.fail("%v", err)
		return asked, nil, "", false
	}
	from, err := strconv.Atoi(strings.TrimPrefix(cmp.Or(asked.From, "0"), ours))
	if err != nil || from > len(q.places) {
		q.fail("the cursor %q was not given out", asked.From)
		return asked, nil, "", false
	}
	if q.most > 0 {
		asked.Limit = min(asked.Limit, q.most)
	}
	to := min(from+asked.Limit, len(q.places))
	if to < len(q.places) {
		next = ours + strconv.Itoa(to)
	}
	return asked, q.places[from:to], next, true
}

// searchAll answers a page of the entities in the file that a query finds. It may be shorter
// than asked for, as pages of a search may.
func (q *question) searchAll() {
	_, places, next, ok := q.page()
	if !ok {
		return
	}
	body := map[string]json.RawMessage{}
	if err := json.Unmarshal(q.body, &body); err != nil {
		q.fail("%v", err)
		return
	}
	delete(body, "from")
	whole, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	identifiers := q.bringPlaces(places)
	defer q.remove(identifiers)
	recorded := httptest.NewRecorder()
	q.send(recorded, whole)
	text := recorded.Body.Bytes()
	if rest, isObject := bytes.CutPrefix(text, []byte("{")); next != "" && recorded.Code == http.StatusOK && isObject {
		text = fmt.Appendf(nil, "{\"next\":%q,%s", next, rest) // which has no next: all fitted on its page
	}
	q.copy(recorded, text)
}

// listAll answers the entities of a data source: first those in memory, then the others.
func (q *question) listAll() {
	var asked listing
	if err := json.Unmarshal(q.body, &asked); err != nil || !strings.HasPrefix(asked.From, ours) {
		q.rewrite(q.body, func(answer map[string]any) {
			if answer["next"] == nil && len(q.places) > 0 {
				answer["next"] = ours + "0"
			}
		})
		return
	}
	asked, places, next, ok := q.page()
	if !ok {
		return
	}
	listed := []any{}
	for _, p := range places {
		e := q.read(p)
		if strings.HasPrefix(e.Datasource, asked.Prefix) && strings.HasSuffix(e.Datasource, asked.Suffix) && e.UpdatedAt.Before(asked.Before) {
			listed = append(listed, map[string]any{"identifier": e.Identifier, "blueprint": large, "title": e.Title, "updatedAt": e.UpdatedAt})
		}
	}
	q.write(listed, next)
}

// write answers a page of a list.
func (q *question) write(entities []any, next string) {
	answer := map[string]any{"ok": true, "entities": entities}
	if next != "" {
		answer["next"] = next
	}
	text, err := json.Marshal(answer)
	if err != nil {
		panic(err)
	}
	q.w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = q.w.Write(text) // a client that went away is not a concern of ours
}

// rewrite answers what the strict emulator does, changed. An answer that is not a success stays.
func (q *question) rewrite(body []byte, change func(map[string]any)) {
	recorded := httptest.NewRecorder()
	q.send(recorded, body)
	text := recorded.Body.Bytes()
	if recorded.Code == http.StatusOK {
		answer := map[string]any{}
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&answer); err != nil {
			panic(err)
		}
		change(answer)
		changed, err := json.Marshal(answer)
		if err != nil {
			panic(err)
		}
		text = changed
	}
	q.copy(recorded, text)
}

// copy answers as the strict emulator did, with another body.
func (q *question) copy(recorded *httptest.ResponseRecorder, text []byte) {
	maps.Copy(q.w.Header(), recorded.Header())
	q.w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	q.w.WriteHeader(recorded.Code)
	_, _ = q.w.Write(text) // a client that went away is not a concern of ours
}
