package app_test

import (
	"maps"
	"net/http"
	"os"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/port/porttest"
)

// naming maps repositories to each of some blueprint expressions, one at a line.
func naming(expressions ...string) string {
	text := "resources:\n"
	for _, x := range expressions {
		text += "  - kind: repository\n    selector: {query: 'true'}\n    port: {entity: {mappings: {identifier: .slug, title: .name,\n      blueprint: '" + x + "'}}}\n"
	}
	return text
}

// A blueprint that Port does not have is found before Bitbucket is asked and before
// anything is written, wherever the mapping comes from.
func TestMissingBlueprints(t *testing.T) {
	t.Parallel()
	const form = "write its JSON into a file that blueprints_file names, or create it in Port's builder with + Blueprint > Edit JSON before the run; examples/blueprints.json shows how one is written"
	withoutDefaults := map[string]string{"INITIALIZE_PORT_RESOURCES": "false"}
	for _, tt := range []struct {
		name       string
		env        map[string]string
		stored     map[string]any // the mapping in Port
		blueprints bool           // the default ones
		missing    int
		want       []string
	}{
		{"one that is misspelt", map[string]string{"MAPPING": naming(`"bitbucketRepo"`, `"bitbucketRepositori"`)}, nil, true, 2, []string{
			`mapping (input):5:19: resource 1 (repository): blueprint: Port has no blueprint "bitbucketRepo"`,
			`mapping (input):9:19: resource 2 (repository): blueprint: Port has no blueprint "bitbucketRepositori"`,
			`fix: did you mean "bitbucketRepository"? Else ` + form}},
		{"some of them, and a computed one", map[string]string{"MAPPING": naming(`"bitbucketRepository"`, `"zzz"`, `.slug`)}, nil, true, 1, []string{
			`mapping (input):9:19: resource 2 (repository): blueprint: Port has no blueprint "zzz"`, "fix: " + form}},
		{"the default ones", map[string]string{"MAPPING": repositories}, nil, false, 1, []string{
			`Port has no blueprint "bitbucketRepository"`, "fix: write its JSON into a file that blueprints_file names, or create it in Port's builder with + Blueprint > Edit JSON before the run; its JSON is in examples/blueprints.json"}},
		{"those of the default mapping", withoutDefaults, nil, false, 3, []string{
			`mapping (built-in default):`, `"bitbucketProject"`, `"bitbucketRepository"`, `"bitbucketPullRequest"`}},
		{"of the mapping in Port", nil, stored("x"), false, 1, []string{`mapping (integration in Port):`, `Port has no blueprint "bitbucketRepository"`}},
	} {
		for _, mode := range []string{"sync", "plan"} {
			t.Run(tt.name+", "+mode, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, smallBitbucket())
				if tt.blueprints {
					w.addBlueprints()
				}
				if tt.stored != nil {
					w.port.PutIntegration(identifier, map[string]any{"config": tt.stored})
				}
				env := map[string]string{"MODE": mode}
				maps.Copy(env, tt.env)
				r := w.run(env)
				r.check(t, 2, "failed")
				r.contains(t, append(tt.want, "the mapping is wrong")...)
				if got := strings.Count(r.stdout, "Port has no blueprint"); got != tt.missing+1 { // and in the last line
					t.Errorf("got %d missing blueprints, want %d:\n%s", got-1, tt.missing, r.stdout)
				}
				if n := w.bitbucket.Requests(); n > 0 {
					t.Errorf("got %d requests to Bitbucket, want none", n)
				}
				for _, x := range w.port.Writes() {
					t.Errorf("a write: %s %s", x.Method, x.Path)
				}
				w.checkClean()
			})
		}
	}
	if _, err := os.Stat("../../examples/blueprints.json"); err != nil {
		t.Error(err)
	}
}

// What cannot be read, or is hidden, is taken for there: the run goes on.
func TestBlueprintsThatAreNotChecked(t *testing.T) {
	t.Parallel()
	list := porttest.Fault{Method: http.MethodGet, Path: "/v1/blueprints", Times: -1}
	denied, hidden := list, list
	denied.Status = 403
	hidden.Rewrite = func([]byte) []byte { return []byte(`{"ok":true,"blueprints":[]}`) }
	for _, tt := range []struct {
		name    string
		mapping string
		fault   *porttest.Fault
		asked   int // GET of blueprints before the integration is made
		exit    int
	}{
		{"all are there", naming(`"bitbucketRepository"`, `"bitbucketProject"`), nil, 1, 0},
		{"the list may not be read", naming(`"bitbucketRepository"`), &denied, 1, 0},
		{"the list holds nothing", naming(`"bitbucketRepository"`), &hidden, 2, 0},
		{"none is named", naming(`"bitbucketRepo" + "sitory"`), nil, 0, 0},
		{"one of Port's own", naming(`"_user"`), nil, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := smallWorld(t)
			w.offContract()
			if tt.fault != nil {
				w.port.Fault(*tt.fault)
			}
			r := w.run(map[string]string{"MAPPING": tt.mapping})
			if r.status != tt.exit || strings.Contains(r.stdout, "Port has no blueprint") {
				t.Errorf("got exit status %d, want %d\n%s%s", r.status, tt.exit, r.stdout, r.stderr)
			}
			if w.bitbucket.Requests() == 0 {
				t.Error("Bitbucket was not asked")
			}
			asked := 0
			for _, x := range w.port.Journal() {
				if x.Method == http.MethodPost && x.Path == "/v1/integration" {
					break // the run reads them for itself
				}
				if x.Method == http.MethodGet && strings.HasPrefix(x.Path, "/v1/blueprints") {
					asked++
				}
			}
			if asked != tt.asked {
				t.Errorf("got %d requests for blueprints, want %d", asked, tt.asked)
			}
		})
	}
}
