package refusal_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/refusal"
)

// Entities of one cause share one text, and names that all of them share stay.
func TestGeneralize(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a long text, ", 10)
	for _, c := range []struct {
		message string
		values  []string
		names   []string
		want    string
	}{
		{`entity "api" is odd`, []string{"api"}, nil, `entity "…" is odd`},
		{`entity 'api' and ` + "`api`", []string{"api"}, nil, `entity '…' and ` + "`…`"},
		{`entity api, apis, my-api, api2 and api.`, []string{"api"}, nil, `entity …, apis, my-api, api2 and ….`},
		{`property "api" of api`, []string{"api"}, []string{"api"}, `property "api" of api`},
		{`"must" must be number`, []string{"must", "number"}, nil, `"…" must be number`},
		{`entities/17/properties/size, index 17, tags/3 and tags[3]`, nil, nil, `entities/…/properties/size, index …, tags/… and tags[…]`},
		{`api-web and api`, []string{"api", "api-web"}, nil, `… and …`},
		{`value "say \"hi\""`, []string{`say "hi"`}, nil, `value "…"`},
		{`value ` + long[:50] + ` (cut)`, []string{long}, nil, `value … (cut)`},
		{`value ` + long + `é, and again ` + long[:45] + `é`, []string{long + "é"}, nil, `value …, and again …é`},
		{`7 is more than 70`, []string{"7", ""}, nil, `… is more than 70`},
		{strings.Repeat("é", 400), nil, nil, strings.Repeat("é", 300) + "…"},
	} {
		got := refusal.Generalize(&port.Error{Status: 422, Message: c.message, Trace: "trace-1"}, c.values, c.names...)
		if want := "422 Unprocessable Entity: " + c.want; got != want {
			t.Errorf("%s\ngot  %q\nwant %q", c.message, got, want)
		}
	}
}

func TestExample(t *testing.T) {
	t.Parallel()
	ref := catalog.Ref{Blueprint: "repo", Identifier: "api"}
	err := fmt.Errorf("delete: %w", &port.Error{Status: 422, Message: "no", Trace: "trace-1"})
	for _, c := range []struct{ got, want string }{
		{refusal.Example(ref, "", nil), "repo/api"},
		{refusal.Example(ref, "repository api", nil), "repo/api from repository api"},
		{refusal.Example(catalog.Ref{Blueprint: "repo"}, "", nil), "repo by a search query"},
		{refusal.Example(ref, "", err), "repo/api (x-trace-id trace-1)"},
		{refusal.Words(err), "delete: 422 Unprocessable Entity: no"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	// What is long leaves room for the trace.
	long := refusal.Example(ref, strings.Repeat("é", 500), err)
	if !strings.HasSuffix(long, "… (x-trace-id trace-1)") || len(long) > 190 || !utf8.ValidString(long) {
		t.Errorf("got %q of %d bytes, want its end cut before the trace", long, len(long))
	}
}

func TestCycle(t *testing.T) {
	t.Parallel()
	cycle := func(n int) (all []catalog.Ref) {
		for i := range n {
			all = append(all, catalog.Ref{Blueprint: "repo", Identifier: fmt.Sprint(i)})
		}
		return all
	}
	for n, want := range map[int]string{
		3: "repo/0 → repo/1 → repo/2",
		6: "repo/0 → repo/1 → repo/2 → repo/3 → repo/4 → repo/5",
		9: "repo/0 → repo/1 → repo/2 → repo/3 → repo/4 → … (3 more) → repo/8",
	} {
		if got := refusal.Cycle(cycle(n)); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}
