package port_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/port/porttest"
)

// datasources of entities that are not of our data source.
var foreign = []string{
	"port-ocean/bitbucket-cloud/1.2.3/other/exporter",
	"port-ocean/bitbucket-cloud/1.2.3/not-acme/exporter",
	"port-ocean/gitlab/1.2.3/acme/exporter",
	"port-ocean/bitbucket-cloud/1.2.3/acme",
	"Mozilla/5.0",
	"",
}

// fill stores n entities of ours, one of an older version among them, and others'.
func fill(s *porttest.Server, n int) {
	for i, id := range names("r", n) {
		e := porttest.Entity{
			Identifier: id, Title: "T " + id, Datasource: agent, Team: []string{"a"},
			Properties: map[string]any{"defaultBranch": "main"}, Relations: map[string]any{"project": "p"},
		}
		if i == 0 {
			e.Datasource = "port-ocean/bitbucket-cloud/0.5.110/acme/exporter"
		}
		s.PutEntity(repository, e)
	}
	for i, by := range foreign {
		s.PutEntity(repository, porttest.Entity{Identifier: fmt.Sprint("foreign", i), Datasource: by})
	}
}

func TestHeld(t *testing.T) {
	t.Parallel()
	s := newServer()
	fill(s, 2001)
	c := overSocket(t, s)
	seen := map[any]catalog.Fields{}
	for f, err := range c.Entities.Stored(t.Context(), repository, []string{"defaultBranch"}) {
		if err != nil {
			t.Fatal(err)
		}
		seen[f.Identifier] = f
	}
	equal(t, "entities", len(seen), 2001)
	f := seen["r1234"]
	equal(t, "title", f.Title, any("T r1234"))
	equal(t, "property", f.Properties["defaultBranch"], any("main"))
	equal(t, "relation", f.Relations["project"], any("p"))
	equal(t, "team", fmt.Sprint(f.Team), "[a]")
	equal(t, "answers", answers(s), "login:200 200 200 200")
	for _, x := range s.Journal()[1:] {
		equal(t, "limit", sent(t, x)["limit"], any(1000.0))
	}
	noViolations(t, s)
}

func TestOwned(t *testing.T) {
	t.Parallel()
	s := newServer()
	fill(s, 5001)
	s.PutEntity("bitbucketProject", porttest.Entity{Identifier: "p", Datasource: agent})
	s.Age(time.Hour)
	start := time.Now().Add(-time.Minute)
	s.PutEntity(repository, porttest.Entity{Identifier: "written-in-this-run", Datasource: agent})
	s.PutEntity(repository, porttest.Entity{Identifier: "just-before", Datasource: agent, UpdatedAt: start.Add(-10 * time.Millisecond)})
	seen := map[catalog.Ref]bool{}
	for ref, err := range overSocket(t, s).Entities.Owned(t.Context(), start) {
		if err != nil {
			t.Fatal(err)
		}
		seen[ref] = true
	}
	equal(t, "entities", len(seen), 5001+1+1)
	for ref, want := range map[catalog.Ref]bool{
		{Blueprint: "bitbucketProject", Identifier: "p"}:           true,
		{Blueprint: repository, Identifier: "r000"}:                true, // of the incumbent
		{Blueprint: repository, Identifier: "just-before"}:         true,
		{Blueprint: repository, Identifier: "written-in-this-run"}: false,
		{Blueprint: repository, Identifier: "foreign1"}:            false,
	} {
		equal(t, ref.String(), seen[ref], want)
	}
	equal(t, "answers", answers(s), "login:200 200 200")
	noViolations(t, s)
}

func TestPagesEnd(t *testing.T) {
	t.Parallel()
	t.Run("when the caller has enough", func(t *testing.T) {
		t.Parallel()
		s := newServer()
		fill(s, 1500)
		n := 0
		for range overSocket(t, s).Entities.Stored(t.Context(), repository, nil) {
			if n++; n == 3 {
				break
			}
		}
		equal(t, "answers", answers(s), "login:200 200")
	})
	t.Run("twice the same", func(t *testing.T) {
		t.Parallel()
		s := newServer()
		fired := s.Fault(porttest.Fault{
			Path: "/v1/blueprints/entities/datasource-entities", Times: -1, Status: 200,
			Body: `{"ok":true,"entities":[{"identifier":"a","blueprint":"b"}],"next":"round"}`,
		})
		var refs []catalog.Ref
		var last error
		for ref, err := range overSocket(t, s).Entities.Owned(t.Context(), time.Now()) {
			if last != nil {
				t.Fatal("more follows the error")
			}
			if last = err; err == nil {
				refs = append(refs, ref)
			}
		}
		if last == nil {
			t.Error("error: got none, want that the pages go round")
		}
		equal(t, "requests", fired(), 2)
		equal(t, "entities", len(refs), 2)
	})
	t.Run("at an error", func(t *testing.T) {
		t.Parallel()
		s := newServer()
		fill(s, 2500)
		s.Fault(porttest.Fault{Path: "/v1/blueprints/*/entities/search", Nth: 2, Status: 403})
		n, failed := 0, 0
		for _, err := range overSocket(t, s).Entities.Stored(t.Context(), repository, nil) {
			if err != nil {
				failed++
				equal(t, "status", status(err), 403)
				continue
			}
			n++
		}
		equal(t, "entities before it", n, 1000)
		equal(t, "errors", failed, 1)
	})
	t.Run("where there is nothing", func(t *testing.T) {
		t.Parallel()
		s := newServer()
		s.Configure(porttest.Options{NoUndocumentedRoutes: true})
		c := overSocket(t, s)
		for _, err := range c.Entities.Stored(t.Context(), "no/such", nil) {
			if !errors.Is(err, port.ErrNotFound) {
				t.Errorf("held: got %v, want ErrNotFound", err)
			}
		}
		n := 0
		for _, err := range c.Entities.Owned(t.Context(), time.Now()) {
			n++
			if !errors.Is(err, port.ErrNotFound) {
				t.Errorf("owned: got %v, want ErrNotFound", err)
			}
		}
		equal(t, "owned", n, 1)
	})
	t.Run("ranged over twice", func(t *testing.T) {
		t.Parallel()
		s := newServer()
		fill(s, 1500)
		seq := overSocket(t, s).Entities.Stored(t.Context(), repository, nil)
		for range 2 {
			n := 0
			for range seq {
				n++
			}
			equal(t, "entities", n, 1500)
		}
	})
}

func TestBigNumbersAreRead(t *testing.T) {
	t.Parallel()
	s := newServer()
	s.Fault(porttest.Fault{
		Path: "/v1/blueprints/*/entities/search", Status: http.StatusOK,
		Body: `{"ok":true,"entities":[{"identifier":"a","properties":{"n":12345678901234567890}}],"next":null}`,
	})
	for f, err := range overSocket(t, s).Entities.Stored(t.Context(), repository, []string{"n"}) {
		equal(t, "error", err, nil)
		equal(t, "number", fmt.Sprint(f.Properties["n"]), "12345678901234567890")
	}
}

// An entity of which Port does not say when it was updated is old where it is known to have been there.
func TestStoredBeforeWithoutTimes(t *testing.T) {
	t.Parallel()
	s := newServer()
	c := overSocket(t, s)
	c.Entities.Upsert(t.Context(), repository, batchOf(t, "a", "b"), merge)
	s.Fault(porttest.Fault{Path: "/v1/blueprints/*/entities/search", Times: -1, Rewrite: func(body []byte) []byte {
		return bytes.ReplaceAll(body, []byte(`"updatedAt"`), []byte(`"other"`))
	}})
	var got string
	for ref, err := range c.Entities.StoredBefore(t.Context(), repository, time.Now().Add(time.Hour), func(ref catalog.Ref) bool { return ref.Identifier == "b" }) {
		if err != nil {
			t.Fatal(err)
		}
		got += ref.Identifier
	}
	equal(t, "old", got, "b")
}

// A rule about a relation is documented for the search of a blueprint. Where Port does not take it,
// or pays no heed to it, the answer is the same.
func TestRelating(t *testing.T) {
	t.Parallel()
	byRelation := func(_ *http.Request, body []byte) bool { return bytes.Contains(body, []byte(`"targetProperty"`)) }
	for name, fault := range map[string]*porttest.Fault{
		"taken":   nil,
		"refused": {Status: 422, Body: `{"ok":false,"error":"invalid_request","message":"rules/0 must match a schema in anyOf"}`},
		"a 400":   {Status: 400},
		"no heed": {Rewrite: func([]byte) []byte {
			return []byte(`{"ok":true,"entities":[{"identifier":"a","relations":{"project":"P"}},{"identifier":"b","relations":{"project":"Q"}},{"identifier":"c","relations":{}}]}`)
		}},
		"no relations": {Rewrite: func([]byte) []byte { return []byte(`{"ok":true,"entities":[{"identifier":"a"}]}`) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer()
			c := overSocket(t, s)
			s.PutEntity("bitbucketProject", porttest.Entity{Identifier: "P"})
			s.PutEntity("bitbucketProject", porttest.Entity{Identifier: "Q"})
			s.PutEntity(repository, porttest.Entity{Identifier: "a", Relations: map[string]any{"project": "P"}})
			s.PutEntity(repository, porttest.Entity{Identifier: "b", Relations: map[string]any{"project": "Q"}})
			s.PutEntity(repository, porttest.Entity{Identifier: "c"})
			if fault != nil {
				f := *fault
				f.Path, f.Match, f.Times = "/v1/blueprints/*/entities/search", byRelation, -1
				s.Fault(f)
			}
			var got string
			for f, err := range c.Entities.Relating(t.Context(), repository, "project", []string{"P"}) {
				if err != nil {
					t.Fatal(err)
				}
				got += fmt.Sprint(f.Identifier)
			}
			equal(t, "related", got, "a")
		})
	}
	t.Run("it fails", func(t *testing.T) {
		t.Parallel()
		s := newServer()
		s.Fault(porttest.Fault{Path: "/v1/blueprints/*/entities/search", Status: 422, Times: -1})
		var errs []error
		for _, err := range overSocket(t, s).Entities.Relating(t.Context(), repository, "project", []string{"P"}) {
			errs = append(errs, err)
		}
		if len(errs) != 1 || errs[0] == nil {
			t.Errorf("got %v, want one error", errs)
		}
	})
}
