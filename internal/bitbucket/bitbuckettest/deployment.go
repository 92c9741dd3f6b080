package bitbuckettest

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Deployment is one of a pipeline to an environment.
type Deployment struct {
	Environment string // the name of one that the repository has
	Commit      string // "" is the head of the main branch
	// State is UNDEPLOYED, IN_PROGRESS or COMPLETED; "" is COMPLETED, and Status then is SUCCESSFUL where it is "".
	State, Status string
	Deployer      *User
	StartedOn     time.Time // zero: the server's clock
	Seconds       int       // that it took
}

// deployments are those of the repositories, as they were added.
type deployments struct {
	shelf[*deployment]
	environments *environments
}

type deployment struct {
	Deployment
	repo   *repository
	uuid   string
	in     string // the uuid of the environment
	number int
}

func newDeployments(es *environments) *deployments {
	return &deployments{newShelf[*deployment](es.repositories), es}
}

// routes have a slash at their end. The service ignores q, which is refused here, and answers 400 to an order.
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-deployments/, and what public clients met, read 2026-11.
func (ds *deployments) routes() []*route {
	return []*route{{path: "/repositories/{workspace}/{repo_slug}/deployments/", scope: "pipeline", granular: "read:pipeline:bitbucket",
		parameters: []string{"page", "pagelen", "fields"}, maxPagelen: 100, handle: ds.list}}
}

func (ds *deployments) examples(v view) map[string]object {
	ds.AddDeployment("example", Deployment{Environment: "Test", Deployer: &User{Name: "Example"}})
	return map[string]object{"deployment": ds.by[ds.repositories.all[0]][0].tree(v)}
}

// AddDeployment adds a deployment, and returns its uuid, with braces.
func (ds *deployments) AddDeployment(slug string, d Deployment) (uuid string) {
	ds.add(slug, func(r *repository, before int) *deployment {
		e := ds.environments.find(r, d.Environment)
		if e == nil {
			panic("bitbuckettest: " + slug + " has no environment " + d.Environment)
		}
		ds.ws().stamp(&d.StartedOn, nil)
		if d.State = cmp.Or(d.State, "COMPLETED"); d.State == "COMPLETED" {
			d.Status = cmp.Or(d.Status, "SUCCESSFUL")
		}
		if head := r.head(); d.Commit == "" && head != nil {
			d.Commit = head.hash()
		}
		uuid = uuidOf("deployment", r.seed, strconv.Itoa(before+1))
		return &deployment{d, r, uuid, e.uuid(), before + 1}
	})
	return uuid
}

// UpdateDeployment changes a deployment.
func (ds *deployments) UpdateDeployment(slug, uuid string, f func(*Deployment)) {
	ds.update(slug, func(d *deployment) bool { return d.uuid == uuid }, func(d **deployment) { f(&(*d).Deployment) })
}

// sample gives the repositories that have environments a few deployments of the last days.
func (ds *deployments) sample(slugs []string) {
	for i, slug := range slugs {
		if i%2 != 0 || i == 2 {
			continue
		}
		history := ds.repositories.must(slug).commits
		for n := range 1 + (i+2)%3 {
			d := Deployment{Environment: []string{"Staging", "Production"}[n%2], Seconds: 90 + i, Deployer: &sampleUsers[(i+n)%len(sampleUsers)],
				StartedOn: time.Now().Add(-time.Duration(30*(4-n)) * time.Hour)}
			if (i+n)%7 == 3 {
				d.Status = "FAILED"
			}
			if len(history) > 0 {
				d.Commit = history[n/2%len(history)].hash()
			}
			ds.AddDeployment(slug, d)
		}
	}
}

func (ds *deployments) list(v view, q *request) *answer {
	r, refusal := ds.repositories.of(q)
	if refusal != nil {
		return refusal
	}
	if ds.environments.pipelines.off[r] {
		return refuse(http.StatusNotFound, "Not found")
	}
	return v.pageByNumber(q, items(ds.by[r], false))
}

// tree names the environment by its uuid alone, and has the times of a state under names that are not the documented ones.
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-deployments/ and public clients, read 2026-11.
func (d *deployment) tree(v view) object {
	seed := []string{"deployment", d.repo.seed, strconv.Itoa(d.number)}
	part := func(name string) string { return uuidOf(append(seed, name)...) }
	full := v.w.slug + "/" + d.repo.Slug
	page := site + full + "/pipelines/results/" + strconv.Itoa(d.number)
	release := func(kind string) object {
		return object{
			{"type", kind, shown},
			{"uuid", part(kind), shown},
			{"pipeline", object{{"type", "pipeline", shown}, {"uuid", part("pipeline"), shown}}, shown},
			{"key", part("key"), shown},
			{"name", "#" + strconv.Itoa(d.number), shown},
			{"url", page, shown},
			{"commit", v.commitStub(d.repo, d.Commit), shown},
			{"created_on", nanoseconds(d.StartedOn.Add(-time.Minute)), shown},
		}
	}
	return object{
		{"type", "deployment", shown},
		{"number", d.number, shown},
		{"uuid", d.uuid, shown},
		{"key", part("key"), shown},
		{"step", object{{"uuid", part("step"), shown}}, shown},
		{"environment", object{{"uuid", d.in, shown}}, shown},
		{"release", release("deployment_release"), shown},
		{"deployable", release("deployable"), shown},
		{"state", d.state(v, page), shown},
		{"last_update_time", nanoseconds(d.StartedOn.Add(time.Duration(d.Seconds) * time.Second)), shown},
		{"version", 2, shown},
		{"links", links("self", v.base+"/repositories/"+full+"/deployments/"+url.PathEscape(d.uuid)), shown},
	}
}

func (d *deployment) state(v view, page string) object {
	state := object{{"type", "deployment_state_" + Slug(d.State), shown}, {"name", d.State, shown}}
	if d.State == "UNDEPLOYED" {
		return state
	}
	var deployer any
	if d.Deployer != nil {
		deployer = v.user(*d.Deployer)
	}
	state = append(state, member{"url", page, shown}, member{"deployer", deployer, shown}, member{"started_on", nanoseconds(d.StartedOn), shown})
	if d.State == "COMPLETED" {
		state = append(state, member{"status", object{
			{"type", "deployment_state_completed_status_" + Slug(d.Status), shown}, {"name", d.Status, shown},
		}, shown}, member{"completed_on", nanoseconds(d.StartedOn.Add(time.Duration(d.Seconds) * time.Second)), shown})
	}
	return state
}
