package port_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/port/porttest"
)

var merge = port.Flags{Merge: true, CreateMissingRelatedEntities: true}

func TestUpsert(t *testing.T) {
	t.Parallel()
	s := newServer()
	s.PutEntity(repository, porttest.Entity{Identifier: "old", Datasource: "someone"})
	c := overSocket(t, s)
	batch := []catalog.Entity{
		entity(t, repository, "new", map[string]any{"readme": `<a href="x">&</a>`}),
		entity(t, repository, "unknown-property", map[string]any{"stars": 3}),
		entity(t, repository, "old", map[string]any{"defaultBranch": "main"}),
		entity(t, repository, "not-a-url", map[string]any{"url": 7}),
	}
	got := c.Entities.Upsert(t.Context(), repository, batch, merge)
	if len(got) != len(batch) {
		t.Fatalf("got %d outcomes, want %d", len(got), len(batch))
	}
	equal(t, "new", got[0], port.Outcome{Identifier: "new", Created: true})
	equal(t, "old", got[2], port.Outcome{Identifier: "old"})
	for _, i := range []int{1, 3} {
		equal(t, "status of "+batch[i].Ref.Identifier, status(got[i].Err), http.StatusUnprocessableEntity)
		equal(t, "RequestFailed of "+batch[i].Ref.Identifier, got[i].RequestFailed, false)
	}
	equal(t, "answers", answers(s), "login:200 207")
	last := s.Journal()[1]
	equal(t, "Content-Type", last.RequestHeader.Get("Content-Type"), "application/json")
	var want [][]byte
	for _, e := range batch {
		want = append(want, e.Body)
	}
	// The bytes that were counted are those that are sent.
	equal(t, "body", string(last.RequestBody), `{"entities":[`+string(bytes.Join(want, []byte(",")))+`]}`)
	noViolations(t, s)
}

func TestUpsertMatchesByIndex(t *testing.T) {
	t.Parallel()
	s := newServer()
	s.Fault(porttest.Fault{Match: notLogin, Status: 207, Header: http.Header{"X-Trace-Id": {"abc"}}, Body: `{"ok":false,
		"entities":[{"identifier":"d","index":3,"created":false},{"identifier":"found","index":0,"created":true},{"identifier":"x","index":9},{"identifier":"x","index":-1}],
		"errors":[{"identifier":"unknown","index":2,"statusCode":404,"error":"not_found","message":"no such"},{"identifier":"x","index":5}]}`})
	got := overSocket(t, s).Entities.Upsert(t.Context(), repository, batchOf(t, "a", "b", "c", "d"), merge)
	if len(got) != 4 {
		t.Fatalf("got %d outcomes, want 4", len(got))
	}
	equal(t, "0", got[0], port.Outcome{Identifier: "found", Created: true})
	// Whether what the answer does not mention was stored is not known.
	if got[1].Err == nil || !got[1].RequestFailed {
		t.Errorf("1: got %+v, want an unknown fate", got[1])
	}
	var e *port.Error
	if !errors.As(got[2].Err, &e) || *e != (port.Error{Status: 404, Code: "not_found", Message: "no such", Trace: "abc"}) || got[2].RequestFailed {
		t.Errorf("2: got %+v, want that entity's own refusal", got[2])
	}
	equal(t, "3", got[3], port.Outcome{Identifier: "d"})
}

func TestUpsertBySearchQuery(t *testing.T) {
	t.Parallel()
	s := newServer()
	s.PutEntity(repository, porttest.Entity{Identifier: "found", Title: "Payments", Datasource: "someone"})
	c := overSocket(t, s)
	query := map[string]any{"combinator": "and", "rules": []any{map[string]any{"property": "$title", "operator": "=", "value": "Payments"}}}
	e, err := catalog.Encode(repository, catalog.Fields{Identifier: query, Properties: map[string]any{"defaultBranch": "main"}}, catalog.NewDigester(catalog.Keys{}, catalog.Shape{}))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "outcome", c.Entities.Upsert(t.Context(), repository, []catalog.Entity{e}, merge)[0], port.Outcome{Identifier: "found"})
	equal(t, "property", s.Entities(repository)[0].Properties["defaultBranch"], any("main"))
}

func TestUpsertFlags(t *testing.T) {
	t.Parallel()
	for _, f := range []port.Flags{{}, {Merge: true}, {CreateMissingRelatedEntities: true}, merge} {
		s := newServer()
		c := overSocket(t, s)
		c.Entities.Upsert(t.Context(), repository, batchOf(t, "a"), f)
		want := url.Values{
			"upsert": {"true"}, "merge": {strconv.FormatBool(f.Merge)},
			"ocean_info_event_type": {"resync"}, "ocean_info_resync_id": {c.Resync()},
			"create_missing_related_entities": {strconv.FormatBool(f.CreateMissingRelatedEntities)},
		}
		if diff := cmp.Diff(s.Journal()[1].Query, want); diff != "" {
			t.Errorf("%+v: got (-), want (+):\n%s", f, diff)
		}
		noViolations(t, s)
	}
}

// An answer speaks of entities by their index, however JSON writes that number, or by their
// identifier where it has none.
func TestUpsertAnswersOfOddForm(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"numbers with a fraction": `{"ok":false,"entities":[{"identifier":"b","index":1.0,"created":true}],"errors":[{"identifier":"a","index":0.0,"statusCode":422.0,"error":"e","message":"m"}]}`,
		"no index":                `{"ok":false,"entities":[{"identifier":"b","created":true}],"errors":[{"identifier":"a","statusCode":422,"error":"e","message":"m"}]}`,
		"other types": `{"ok":false,"entities":[{"identifier":"b","index":"1"},{"identifier":{"combinator":"and"},"index":{}}],"errors":[` +
			`{"identifier":["x"],"index":"0","statusCode":"422","error":7,"message":["m","n"]}]}`,
		"places that are none": `{"ok":false,"entities":[{"identifier":"b","index":1},{"identifier":"x","index":7},{"identifier":"y","index":-1},{"identifier":"z","index":0.5},{}],"errors":[{"identifier":"a","index":0,"statusCode":422,"error":"e","message":"m"},{"statusCode":500}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer()
			s.Fault(porttest.Fault{Path: bulkPath, Status: 207, Body: body})
			out := overSocket(t, s).Entities.Upsert(t.Context(), repository, batchOf(t, "a", "b"), merge)
			var e *port.Error
			equal(t, "a is refused with its status", errors.As(out[0].Err, &e) && e.Status == 422 && !out[0].RequestFailed, true)
			equal(t, "b", out[1].Err, nil)
		})
	}
}

// A refusal that names no status is told without one.
func TestRefusalWithoutAStatus(t *testing.T) {
	t.Parallel()
	s := newServer()
	s.Fault(porttest.Fault{Path: bulkPath, Status: 207, Body: `{"ok":false,"entities":[],"errors":[{"identifier":"a","index":0,"message":"no such property"}]}`})
	out := overSocket(t, s).Entities.Upsert(t.Context(), repository, batchOf(t, "a"), merge)
	if err := out[0].Err; err == nil || !strings.HasPrefix(err.Error(), "refused, without a status: no such property") {
		t.Errorf("got %v", err)
	}
}

// Where Port refuses the parameters of the resync, all goes out without them; a refusal that
// speaks of something else says nothing of them.
func TestResyncThatIsNotTaken(t *testing.T) {
	t.Parallel()
	info := func(r *http.Request, _ []byte) bool { return r.URL.Query().Has("ocean_info_event_type") }
	for name, tt := range map[string]struct {
		fault  porttest.Fault
		stored int
		writes string // with, or without
	}{
		"422":            {porttest.Fault{Match: info, Status: 422, Body: `{"ok":false,"error":"invalid_request","message":"querystring must NOT have additional properties"}`}, 3, "with without without without"},
		"400":            {porttest.Fault{Match: info, Status: 400, Body: `{"ok":false,"error":"unknown_parameter"}`}, 3, "with without without without"},
		"another reason": {porttest.Fault{Status: 422, Times: 1, Body: `{"ok":false,"error":"invalid_request","message":"no"}`}, 2, "with with with"},
		"both":           {porttest.Fault{Match: info, Status: 422, Body: `{"ok":false,"message":"unknown parameter"}`}, 2, "with without without without"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer()
			if tt.fault.Path = bulkPath; tt.fault.Times == 0 {
				tt.fault.Times = -1
			}
			s.Fault(tt.fault)
			if name == "both" {
				s.Fault(porttest.Fault{Path: bulkPath, Entity: "a", Times: 1, Status: 422, Body: `{"ok":false,"message":"no"}`, Match: func(r *http.Request, body []byte) bool { return !info(r, body) }})
			}
			c, stored := overSocket(t, s), 0
			for _, id := range []string{"a", "b", "c"} {
				if o := c.Entities.Upsert(t.Context(), repository, batchOf(t, id), merge)[0]; o.Err == nil {
					stored++
				}
			}
			equal(t, "stored", stored, tt.stored)
			var writes []string
			for _, x := range s.Journal() {
				switch {
				case x.Path != bulkPath:
				case x.Query.Has("ocean_info_event_type"):
					writes = append(writes, "with")
				default:
					writes = append(writes, "without")
				}
			}
			equal(t, "writes", strings.Join(writes, " "), tt.writes)
		})
	}
}

// Every route that writes or deletes entities names the resync of the client, and no other call.
func TestResyncOfWrites(t *testing.T) {
	t.Parallel()
	s := newServer()
	c := overSocket(t, s)
	c.Entities.Upsert(t.Context(), repository, batchOf(t, "a"), merge)
	c.Entities.Delete(t.Context(), repository, []string{"a", "not there"}, false)
	var got []string
	for _, x := range s.Journal() {
		if x.Query.Get("ocean_info_event_type") == "resync" && x.Query.Get("ocean_info_resync_id") == c.Resync() {
			got = append(got, x.Method+" "+x.Path)
		} else if len(x.Query) > 0 {
			t.Errorf("%s %s?%s", x.Method, x.Path, x.Query.Encode())
		}
	}
	equal(t, "writes", strings.Join(got, " "), "POST "+bulkPath+" POST "+deletePath+" DELETE /v1/blueprints/bitbucketRepository/entities/not%20there")
	if again := overSocket(t, s).Resync(); again == c.Resync() || len(again) != 36 {
		t.Errorf("another client has resync %q, and this one %q", again, c.Resync())
	}
	noViolations(t, s)
}

// culprits are the identifiers of refused entities.
func culprits(batch []catalog.Entity, outcomes []port.Outcome) []string {
	var ids []string
	for i, o := range outcomes {
		if o.Err != nil && !o.RequestFailed {
			ids = append(ids, batch[i].Ref.Identifier)
		}
	}
	return ids
}

func TestOneBadEntityDoesNotSinkItsBatch(t *testing.T) {
	t.Parallel()
	nested := any("bottom")
	for range 20_000 { // Go's own JSON reader stops at 10,000
		nested = []any{nested}
	}
	tests := []struct {
		name string
		bad  catalog.Entity
		at   []int
	}{
		{"first", entity(t, repository, "has space", nil), []int{0}},
		{"last", entity(t, repository, "has space", nil), []int{19}},
		{"two", entity(t, repository, "has space", nil), []int{3, 12}},
		{"all", entity(t, repository, "has space", nil), []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}},
		{"nested too deep", entity(t, repository, "deep", map[string]any{"readme": nested}), []int{7}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newServer()
			c := overSocket(t, s)
			batch := batchOf(t, names("r", port.MaxBatch)...)
			var want []string
			for _, i := range tt.at {
				batch[i] = tt.bad
				want = append(want, tt.bad.Ref.Identifier)
			}
			got := c.Entities.Upsert(t.Context(), repository, batch, merge)
			equal(t, "outcomes", len(got), len(batch))
			if diff := cmp.Diff(culprits(batch, got), want); diff != "" {
				t.Errorf("refused: got (-), want (+):\n%s", diff)
			}
			for i, o := range got {
				if o.Err == nil && (o.Identifier != batch[i].Ref.Identifier || !o.Created) {
					t.Errorf("%d: got %+v, want %s created", i, o, batch[i].Ref.Identifier)
				}
				if o.Err != nil {
					equal(t, "status", status(o.Err), 422)
				}
			}
			equal(t, "entities stored", len(s.Entities(repository)), len(batch)-len(tt.at))
		})
	}
}

func TestUpsertTooLarge(t *testing.T) {
	t.Parallel()
	s := newServer()
	// A gateway before Port that takes less than Port says.
	const limit = 300 << 10
	s.Fault(porttest.Fault{
		Path: bulkPath, Times: -1, Status: http.StatusRequestEntityTooLarge, Body: `{"ok":false}`,
		Match: func(_ *http.Request, body []byte) bool { return len(body) > limit },
	})
	var batch []catalog.Entity
	for i, kib := range []int{10, 200, 320, 200, 60} {
		batch = append(batch, entity(t, repository, "r"+strconv.Itoa(i), map[string]any{"readme": strings.Repeat("<", kib<<10)}))
	}
	got := overSocket(t, s).Entities.Upsert(t.Context(), repository, batch, merge)
	if diff := cmp.Diff(culprits(batch, got), []string{"r2"}); diff != "" {
		t.Errorf("refused: got (-), want (+):\n%s", diff)
	}
	equal(t, "status", status(got[2].Err), 413)
	equal(t, "entities stored", len(s.Entities(repository)), 4)
	noViolations(t, s)
}

func TestTheLargestBatchIsTaken(t *testing.T) {
	t.Parallel()
	s := newServer()
	c := overSocket(t, s)
	one := entity(t, repository, "one", map[string]any{"readme": strings.Repeat("&", catalog.MaxBytes-100)})
	if len(one.Body) > catalog.MaxBytes || len(one.Body) < catalog.MaxBytes-100 {
		t.Fatalf("got %d bytes, want about %d", len(one.Body), catalog.MaxBytes)
	}
	equal(t, "one of the largest", c.Entities.Upsert(t.Context(), repository, []catalog.Entity{one}, merge)[0].Err, nil)
	var batch []catalog.Entity
	for _, id := range names("r", port.MaxBatch) {
		batch = append(batch, entity(t, repository, id, map[string]any{"readme": strings.Repeat("é<\u2028", port.MaxBatchBytes/port.MaxBatch/10-10)}))
	}
	for i, o := range c.Entities.Upsert(t.Context(), repository, batch, merge) {
		equal(t, batch[i].Ref.Identifier, o.Err, nil)
	}
	equal(t, "answers", answers(s), "login:200 200 200")
	noViolations(t, s)
}

func TestAFailedRequestFailsEachEntity(t *testing.T) {
	t.Parallel()
	for _, code := range []int{400, 401, 403, 404} {
		t.Run(strconv.Itoa(code), func(t *testing.T) {
			t.Parallel()
			s := newServer()
			fired := s.Fault(porttest.Fault{Path: bulkPath, Times: -1, Status: code})
			got := overSocket(t, s).Entities.Upsert(t.Context(), repository, batchOf(t, names("r", 5)...), merge)
			equal(t, "outcomes", len(got), 5)
			for _, o := range got {
				equal(t, "status", status(o.Err), code)
				equal(t, "RequestFailed", o.RequestFailed, true)
			}
			want := 1
			switch code {
			case 400:
				want = 1 + 2 + 4 + 2 // of all, of its parts, and of theirs, down to each alone
			case 401:
				want = 2 // the token is renewed once
			}
			equal(t, "requests", fired(), want)
		})
	}
	t.Run("no blueprint", func(t *testing.T) {
		t.Parallel()
		s := newServer()
		got := overSocket(t, s).Entities.Upsert(t.Context(), "team/service", batchOf(t, "a", "b"), merge)
		if !errors.Is(got[1].Err, port.ErrNotFound) || !got[1].RequestFailed {
			t.Errorf("got %+v, want that the request failed: not found", got[1])
		}
		equal(t, "path", s.Journal()[1].Path, "/v1/blueprints/team%2Fservice/entities/bulk")
		noViolations(t, s)
	})
}

func TestDeleteBatches(t *testing.T) {
	t.Parallel()
	s := newServer()
	ids := names("team/r+", port.MaxDelete)
	for _, id := range ids {
		s.PutEntity(repository, porttest.Entity{Identifier: id, Datasource: agent})
	}
	c := overSocket(t, s)
	got, _ := c.Entities.Delete(t.Context(), repository, ids, false)
	for i, d := range got {
		equal(t, ids[i], d, port.DeleteResult{Identifier: ids[i]})
	}
	equal(t, "deletions", len(got), len(ids))
	equal(t, "answers", answers(s), "login:200 200")
	equal(t, "flag", s.Journal()[1].Query.Get("delete_dependents"), "false")
	equal(t, "left", len(s.Entities(repository)), 0)
	noViolations(t, s)
}

// A 404 is no deletion while the entity can still be read.
func TestDeleteThatDoesNotDelete(t *testing.T) {
	t.Parallel()
	s := newServer()
	s.PutEntity(repository, porttest.Entity{Identifier: "a", Datasource: agent})
	s.Fault(porttest.Fault{Path: deletePath, Status: 200, Body: `{"ok":true,"deletedEntities":[]}`})
	s.Fault(porttest.Fault{Method: http.MethodDelete, Path: "/v1/blueprints/*/entities/a", Status: 404, Body: `{"ok":false,"error":"not_found"}`})
	got, _ := overSocket(t, s).Entities.Delete(t.Context(), repository, []string{"a"}, false)
	if got[0].Err == nil || got[0].HasDependants {
		t.Errorf("got %+v, want an error that blames no dependants", got[0])
	}
	equal(t, "left", len(s.Entities(repository)), 1)
}

// Where there is no delete of many, or it says nothing of them, they are deleted one by one.
func TestDeleteOneByOne(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		fault   porttest.Fault
		answers string
	}{
		{porttest.Fault{Status: 404}, "login:200 404 200 404 404"},
		{porttest.Fault{Status: 405}, "login:200 405 200 404 404"},
		{porttest.Fault{Status: 204, Apply: true}, "login:200 204 404 404 404 404"},
	} {
		t.Run(strconv.Itoa(tt.fault.Status), func(t *testing.T) {
			t.Parallel()
			s := newServer()
			s.PutEntity(repository, porttest.Entity{Identifier: "a", Datasource: agent})
			tt.fault.Path, tt.fault.Times = deletePath, -1
			s.Fault(tt.fault)
			got, refused := overSocket(t, s).Entities.Delete(t.Context(), repository, []string{"a", "gone"}, false)
			equal(t, "a", got[0], port.DeleteResult{Identifier: "a"})
			equal(t, "gone", got[1], port.DeleteResult{Identifier: "gone"})
			equal(t, "refused", refused, false)
			equal(t, "left", len(s.Entities(repository)), 0)
			equal(t, "answers", answers(s), tt.answers)
		})
	}
}

func TestDeleteOfWhatIsPassedOver(t *testing.T) {
	t.Parallel()
	s := newServer()
	for _, id := range []string{"a", "b/c", "d", "e"} {
		s.PutEntity(repository, porttest.Entity{Identifier: id, Datasource: agent})
	}
	// "gone" is not there; of the others Port deletes a part, and says so.
	fired := s.Fault(porttest.Fault{Path: deletePath, Status: 200, Body: `{"ok":true,"deletedEntities":["e","a"]}`})
	single := s.Fault(porttest.Fault{Method: http.MethodDelete, Path: "/v1/blueprints/*/entities/d", Status: 403, Body: `{"ok":false,"message":"no"}`})
	got, _ := overSocket(t, s).Entities.Delete(t.Context(), repository, []string{"a", "b/c", "d", "e", "gone"}, true)
	equal(t, "bulk and single faults", fired()+single(), 2)
	equal(t, "a", got[0], port.DeleteResult{Identifier: "a"})
	equal(t, "b/c", got[1], port.DeleteResult{Identifier: "b/c"})
	equal(t, "status of d", status(got[2].Err), 403)
	equal(t, "d has dependants", got[2].HasDependants, false)
	equal(t, "e", got[3], port.DeleteResult{Identifier: "e"})
	equal(t, "gone", got[4], port.DeleteResult{Identifier: "gone"})
	equal(t, "answers", answers(s), "login:200 200 200 403 404 404")
	equal(t, "path of a single one", s.Journal()[2].Path, "/v1/blueprints/bitbucketRepository/entities/b%2Fc")
	equal(t, "flag of a single one", s.Journal()[2].Query.Get("delete_dependents"), "true")
	noViolations(t, s)
}

// Port deletes all or nothing: who is to blame, it does not say.
func TestDeleteRefusedForDependants(t *testing.T) {
	t.Parallel()
	setup := func(t *testing.T) (*porttest.Server, []string) {
		s := newServer()
		ids := names("r", 3)
		for _, id := range ids {
			s.PutEntity(repository, porttest.Entity{Identifier: id, Datasource: agent})
		}
		s.PutEntity("bitbucketPullRequest", porttest.Entity{Identifier: "pr", Datasource: "someone", Relations: map[string]any{"repository": ids[1]}})
		return s, ids
	}
	for _, tt := range []struct {
		name       string
		fault      porttest.Fault // Status 0 for none
		dependants bool           // may go
		status     int            // 0 when all are deleted
		refused    bool
	}{
		{name: "kept", status: 422, refused: true},
		{name: "deleted too", dependants: true},
		{name: "refused for another reason", fault: porttest.Fault{Status: 422}, dependants: true, status: 422, refused: true},
		{name: "told by 400", fault: porttest.Fault{Status: 400}, status: 400, refused: true},
		{name: "told by 409", fault: porttest.Fault{Status: 409}, status: 409, refused: true},
		{name: "told by 424", fault: porttest.Fault{Status: 424}, status: 424, refused: true},
		{name: "told by a code", fault: porttest.Fault{Status: 403, Body: `{"ok":false,"error":"has_dependents","message":"a pull request relates to it"}`}, status: 403, refused: true},
		{name: "a role that is missing", fault: porttest.Fault{Status: 403, Body: `{"ok":false,"error":"missing_permissions"}`}, status: 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, ids := setup(t)
			if tt.fault.Status != 0 {
				tt.fault.Path, tt.fault.Times = deletePath, -1
				s.Fault(tt.fault)
			}
			got, refused := overSocket(t, s).Entities.Delete(t.Context(), repository, ids, tt.dependants)
			equal(t, "refused", refused, tt.refused)
			equal(t, "answers", strings.Count(answers(s), " "), 1)
			for i, d := range got {
				equal(t, "identifier", d.Identifier, ids[i])
				equal(t, "deleted", d.Err == nil, tt.status == 0)
				equal(t, "has dependants", d.HasDependants, tt.refused && !tt.dependants)
				if tt.status != 0 {
					equal(t, "status", status(d.Err), tt.status)
				}
			}
			if tt.status != 0 {
				equal(t, "left", len(s.Entities(repository)), len(ids))
			} else {
				equal(t, "left", len(s.Catalog()), 0)
			}
		})
	}
	t.Run("one that was passed over", func(t *testing.T) {
		t.Parallel()
		s, ids := setup(t)
		s.Fault(porttest.Fault{Path: deletePath, Status: 200, Body: `{"ok":true,"deletedEntities":["r000","r002"]}`})
		got, refused := overSocket(t, s).Entities.Delete(t.Context(), repository, ids, false)
		equal(t, "the call is refused", refused, false)
		equal(t, "has dependants", got[1].HasDependants, true)
		equal(t, "status", status(got[1].Err), 403)
	})
}

func TestDeleteFails(t *testing.T) {
	t.Parallel()
	s := newServer()
	s.PutEntity(repository, porttest.Entity{Identifier: "a", Datasource: agent})
	fired := s.Fault(porttest.Fault{Path: deletePath, Times: -1, Status: 403})
	got, refused := overSocket(t, s).Entities.Delete(t.Context(), repository, []string{"a", "b"}, false)
	equal(t, "refused", refused, false)
	for _, d := range got {
		equal(t, "status of "+d.Identifier, status(d.Err), 403)
		equal(t, "has dependants "+d.Identifier, d.HasDependants, false)
	}
	equal(t, "requests", fired(), 1)
}
