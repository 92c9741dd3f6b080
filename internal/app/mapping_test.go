package app_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

// titled is a mapping whose entities say which mapping they came from.
func titled(title string) string {
	return strings.Replace(repositories, "title: .name", `title: '"`+title+`"'`, 1)
}

// stored is the same as Port's integration holds it.
func stored(title string) map[string]any {
	return map[string]any{"resources": []any{map[string]any{
		"kind":     "repository",
		"selector": map[string]any{"query": "true"},
		"port": map[string]any{"entity": map[string]any{"mappings": map[string]any{
			"identifier": ".slug", "title": `"` + title + `"`, "blueprint": `"bitbucketRepository"`,
		}}},
	}}}
}

// A mapping of the inputs wins over that of the integration, which wins over the default. The
// default is for an integration that is absent or was never configured.
func TestWhichMappingRuns(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		env         map[string]string
		integration map[string]any // nil for none
		want        string         // title of repository "ledger"
	}{
		{"input over integration", map[string]string{"MAPPING": titled("input")}, map[string]any{"config": stored("integration")}, "input"},
		{"file over integration", map[string]string{"MAPPING_FILE": "mapping.yml"}, map[string]any{"config": stored("integration")}, "file"},
		{"integration", nil, map[string]any{"config": stored("integration")}, "integration"},
		{"default, no integration", nil, nil, "ledger"},
		{"default, config null", nil, map[string]any{"config": nil}, "ledger"},
		{"default, config empty", nil, map[string]any{"config": map[string]any{}}, "ledger"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := smallWorld(t)
			w.write("mapping.yml", titled("file"))
			if tt.integration != nil {
				w.port.PutIntegration(identifier, tt.integration)
			}
			w.run(tt.env).check(t, 0, "success")
			if got := w.port.Catalog()["bitbucketRepository"]["ledger"].Title; got != tt.want {
				t.Errorf("got an entity with title %q, want %q", got, tt.want)
			}
			w.checkClean()
		})
	}
}

// Expressions see the variables that jq_env_allow names, and no others.
func TestEnvironmentOfExpressions(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	mapping := strings.Replace(repositories, "title: .name", `title: '"\(env.TEAM) \(env.PORT_CLIENT_SECRET)"'`, 1)
	r := w.run(map[string]string{"MAPPING": mapping, "TEAM": "payments", "JQ_ENV_ALLOW": "TEAM"})
	r.check(t, 0, "success")
	if got, want := w.port.Catalog()["bitbucketRepository"]["ledger"].Title, "payments null"; got != want {
		t.Errorf("got title %q, want %q", got, want)
	}
	r.contains(t, "PORT_CLIENT_SECRET", "jq_env_allow")
}

func TestBothMappings(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.write("mapping.yml", repositories)
	r := w.run(map[string]string{"MAPPING": repositories, "MAPPING_FILE": "mapping.yml"})
	r.check(t, 2, "failed")
	r.contains(t, "input mapping (from MAPPING): mapping_file is set too", "fix: remove one of mapping and mapping_file")
	w.checkRequests(0, 0)
}

// A given mapping that is wrong is told before any request, a stored one before
// anything is asked of Bitbucket or written to Port.
func TestWrongMapping(t *testing.T) {
	t.Parallel()
	broken := strings.Replace(repositories, "title: .name", "title: .name |", 1)
	brokenStored := stored("x")
	entity := brokenStored["resources"].([]any)[0].(map[string]any)["port"].(map[string]any)["entity"].(map[string]any)
	entity["mappings"].(map[string]any)["title"] = ".name |"
	const fromPort = 2 // login, integration
	tests := []struct {
		name        string
		env         map[string]string
		integration map[string]any
		asked       int // of Port
		want        string
	}{
		{"syntax, inline", map[string]string{"MAPPING": broken}, nil, 0, "mapping (input):9:25: "},
		{"syntax, file", map[string]string{"MAPPING_FILE": "broken.yml"}, nil, 0, "broken.yml:9:25: "},
		{"no file", map[string]string{"MAPPING_FILE": "missing.yml"}, nil, 0, "missing.yml"},
		{"no resources, inline", map[string]string{"MAPPING": "resources: []"}, nil, 0, "mapping (input):1:"},
		{"no resources, stored", nil, map[string]any{"config": map[string]any{"resources": []any{}}}, fromPort, "mapping (integration in Port):2:"},
		{"resources null, stored", nil, map[string]any{"config": map[string]any{"resources": nil}}, fromPort, "mapping (integration in Port):2:"},
		{"syntax, stored", nil, map[string]any{"config": brokenStored}, fromPort, "mapping (integration in Port):"},
		{"unknown kind, inline", map[string]string{"MAPPING": strings.Replace(repositories, "repository", "repositories", 1)}, nil, 0, `"repositories"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := smallWorld(t)
			w.offContract() // an integration may be as wrong as its author made it
			w.write("broken.yml", broken)
			if tt.integration != nil {
				w.port.PutIntegration(identifier, tt.integration)
			}
			r := w.run(tt.env)
			r.check(t, 2, "failed")
			r.contains(t, tt.want)
			w.checkRequests(0, tt.asked)
			if writes := w.port.Writes(); len(writes) > 0 {
				t.Errorf("written to Port: %s %s", writes[0].Method, writes[0].Path)
			}
			problems, _ := r.report["problems"].([]any)
			if len(problems) == 0 {
				t.Error("the report holds no problem")
			}
		})
	}
}

// Off GitHub all that is wrong is told once, on whichever line it stands.
func TestWrongIsToldOnce(t *testing.T) {
	t.Parallel()
	const unused = "the app password is not used"
	wrong := strings.Replace(repositories, "identifier: .slug", "identifier: [.slug]", 1) + "          properites: {}\n"
	tests := []struct {
		name string
		env  map[string]string
		want []string
	}{
		{"mapping", map[string]string{"MAPPING": wrong}, []string{unused, "the mapping is wrong:\n", "why: the mapping is wrong: ", "mapping (input):8:", "mapping (input):11:"}},
		{"credentials", map[string]string{"MAPPING": repositories, "PORT_CLIENT_SECRET": "not-the-secret"}, []string{unused, "ERROR log in to Port", "why: log in to Port"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := smallWorld(t)
			w.env["BITBUCKET_USERNAME"], w.env["BITBUCKET_APP_PASSWORD"] = "dana", "app-password-in-tests"
			r := w.run(tt.env)
			for _, want := range tt.want {
				if got := strings.Count(r.stdout+r.stderr, want); got != 1 {
					t.Errorf("told %q: got %d times, want once\n%s%s", want, got, r.stdout, r.stderr)
				}
			}
		})
	}
}

// The last line names the cause of a run that failed, also of more errors than are shown, and
// that it failed for them is no error of its own.
func TestFinalErrorIsTold(t *testing.T) {
	t.Parallel()
	for _, repositoriesInAll := range []int{1, 101} {
		t.Run(strconv.Itoa(repositoriesInAll), func(t *testing.T) {
			t.Parallel()
			b := bitbuckettest.New("acme")
			for i := range repositoriesInAll {
				b.AddRepository(bitbuckettest.Repository{Name: "r" + strconv.Itoa(i)})
			}
			w := newWorld(t, b)
			r := w.run(map[string]string{"MAPPING": strings.Replace(repositories, `'"bitbucketRepository"'`, ".slug", 1)})
			r.check(t, 1, "failed")
			lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
			if last := lines[len(lines)-1]; !strings.Contains(last, "; why: Port: 404 Not Found: blueprint ") {
				t.Errorf("the last line does not name the cause: %s", last)
			}
			if strings.Contains(r.stdout+r.stderr, "every write request") {
				t.Errorf("what follows from the errors is told as one:\n%s%s", r.stdout, r.stderr)
			}
		})
	}
}

func TestIntegrationCannotBeRead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		status  int
		mapping string
		exit    int
		want    string
		wantRun string
	}{
		{"role too small, mapping given", http.StatusForbidden, repositories, 0, "success", "WARNING read integration"},
		{"role too small", http.StatusForbidden, "", 1, "failed", "give the credential the role admin or moderator, or give a mapping as input"},
		{"bad request", http.StatusBadRequest, "", 1, "failed", "read integration"},
		{"bad request, mapping given", http.StatusBadRequest, repositories, 1, "failed", "read integration"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := smallWorld(t)
			w.offContract()
			w.port.Fault(porttest.Fault{
				Method: http.MethodGet, Path: "/v1/integration/**", Times: -1,
				Status: tt.status, Body: `{"ok":false,"error":"refused","message":"no"}`,
			})
			r := w.run(map[string]string{"MAPPING": tt.mapping})
			r.check(t, tt.exit, tt.want)
			r.contains(t, tt.wantRun)
			if tt.exit != 0 {
				w.checkRequests(0, 2)
			}
		})
	}
}

// Without a mapping of its own a run needs a role that may read the integration.
func TestMemberWithoutMapping(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.port.AllowClient("member", "member-secret", porttest.Member)
	r := w.run(map[string]string{"PORT_CLIENT_ID": "member", "PORT_CLIENT_SECRET": "member-secret"})
	r.check(t, 1, "failed")
	if n := w.bitbucket.Requests(); n > 0 {
		t.Errorf("got %d requests to Bitbucket, want none", n)
	}
}

// An integration that Port hosts would fight with this program: it is refused before
// anything is written, whatever mapping there is.
func TestHostedIntegration(t *testing.T) {
	t.Parallel()
	for _, mapping := range []string{"", repositories} {
		w := smallWorld(t)
		w.port.PutIntegration(identifier, map[string]any{"installationType": "Saas", "config": stored("integration")})
		r := w.run(map[string]string{"MAPPING": mapping})
		r.check(t, 2, "failed")
		r.contains(t, `integration "my-bitbucket-cloud-integration" is hosted by Port`)
		w.checkRequests(0, 2)
	}
}

func TestWrongCredentials(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name            string
		env             map[string]string
		bitbucket, port int
		want            string
	}{
		{"Port", map[string]string{"PORT_CLIENT_SECRET": "not-the-secret"}, 0, 1, "check port_client_id and port_client_secret"},
		{"Bitbucket token", map[string]string{"BITBUCKET_WORKSPACE_TOKEN": "not-the-token"}, 2, -1, "used was: workspace token; fix: check the credential"},
		{"Bitbucket workspace", map[string]string{"BITBUCKET_WORKSPACE": "acmee"}, 1, -1, "check the input bitbucket_workspace"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := smallWorld(t)
			w.addStale()
			w.env["MAPPING"] = repositories
			r := w.run(tt.env)
			r.check(t, 1, "failed")
			r.contains(t, tt.want)
			if tt.port < 0 {
				tt.port = w.port.Requests()
			}
			w.checkRequests(tt.bitbucket, tt.port)
			if !w.holds("bitbucketRepository", "stale") {
				t.Error("a failed run deleted an entity")
			}
			if slices.ContainsFunc(w.port.Writes(), func(x porttest.Exchange) bool { return strings.Contains(x.Path, "entities") }) {
				t.Error("a failed run wrote entities")
			}
		})
	}
}

// A mistake in the mapping that Port stores is quoted as it was written there.
func TestStoredMappingIsQuoted(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	var config map[string]any
	if err := yaml.Unmarshal([]byte(strings.Replace(repositories, "title: .name", `title: '"<b> & " + .size > | 1'`, 1)), &config); err != nil {
		t.Fatal(err)
	}
	w.port.PutIntegration(identifier, map[string]any{"config": config})
	r := w.run(nil)
	r.check(t, 2, "failed")
	r.contains(t, `"title": "\"<b> & \" + .size > | 1"`)
	w.checkRequests(0, w.port.Requests())
}
