package bitbuckettest

import "time"

// Runner is one of the workspace's own, on which pipelines run.
type Runner struct {
	Name   string
	Labels []string // nil is self.hosted and linux
	Status string   // UNREGISTERED, ONLINE, OFFLINE, DISABLED, ENABLED or UNHEALTHY; "" is ONLINE
	// Version that is installed; "" is the current one.
	Version   string
	Cordoned  bool // it takes no new steps
	CreatedOn time.Time
}

// runners are those of the workspace.
type runners struct{ rack[*Runner] }

func newRunners(w *workspace) *runners { return &runners{rack[*Runner]{ws: w}} }

// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pipelines/#api-workspaces-workspace-pipelines-config-runners-get,
// read 2026-11.
func (rs *runners) routes() []*route {
	return []*route{{path: "/workspaces/{workspace}/pipelines-config/runners", scope: "runner", granular: "read:runner:bitbucket",
		parameters: []string{"page", "pagelen", "fields"}, maxPagelen: 100, handle: rs.list}}
}

func (rs *runners) examples(v view) map[string]object {
	rs.AddRunner(Runner{Name: "example"})
	return map[string]object{"runner": rs.all[0].tree(v)}
}

// AddRunner adds a runner.
func (rs *runners) AddRunner(r Runner) {
	rs.ws.change(func() {
		rs.ws.stamp(&r.CreatedOn, nil)
		if r.Labels == nil {
			r.Labels = []string{"self.hosted", "linux"}
		}
		if r.Status == "" {
			r.Status = "ONLINE"
		}
		if r.Version == "" {
			r.Version = runnerVersion
		}
		rs.all = append(rs.all, &r)
	})
}

// UpdateRunner changes the runner of a name.
func (rs *runners) UpdateRunner(name string, f func(*Runner)) {
	rs.update(func(r *Runner) bool { return r.Name == name }, func(r **Runner) { f(*r) })
}

// RemoveRunner removes the runner of a name.
func (rs *runners) RemoveRunner(name string) {
	rs.remove(func(r *Runner) bool { return r.Name == name })
}

const runnerVersion = "3.22.0"

func (rs *runners) sample([]string) {
	rs.AddRunner(Runner{Name: "build-1"})
	rs.AddRunner(Runner{Name: "build-2", Status: "OFFLINE", Version: "3.20.1"})
	rs.AddRunner(Runner{Name: "mac mini", Labels: []string{"self.hosted", "macos"}, Cordoned: true})
}

func (rs *runners) list(v view, q *request) *answer { return v.pageByNumber(q, items(rs.all, false)) }

func (r *Runner) tree(v view) object {
	labels := make(list, len(r.Labels))
	for i, label := range r.Labels {
		labels[i] = label
	}
	return object{
		{"type", "pipeline_runner", shown},
		{"uuid", uuidOf("runner", r.Name), shown},
		{"name", r.Name, shown},
		{"labels", labels, shown},
		{"state", object{
			{"type", "pipeline_runner_state", shown},
			{"status", r.Status, shown},
			{"version", object{{"type", "pipeline_runner_version", shown}, {"version", r.Version, shown}, {"current", runnerVersion, shown}}, shown},
			{"updated_on", nanoseconds(r.CreatedOn), shown},
			{"cordoned", r.Cordoned, shown},
		}, shown},
		{"created_on", nanoseconds(r.CreatedOn), shown},
		{"updated_on", nanoseconds(r.CreatedOn), shown},
		{"oauth_client", object{
			{"type", "pipeline_runner_oauth_client", shown},
			{"id", hashOf("client", r.Name)[:32], shown},
			{"token_endpoint", "https://auth.atlassian.com/oauth/token", shown},
			{"audience", "api.atlassian.com", shown},
		}, shown},
	}
}
