package kind_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

// released has a deployment of each day before now, the last one of today.
func released(deployments ...bitbuckettest.Deployment) *bitbuckettest.Server {
	s := deployed("Test", "Staging", "Production")
	for i, d := range deployments {
		d.StartedOn, d.Seconds = time.Now().AddDate(0, 0, -len(deployments)+1+i).Add(-time.Hour), 60
		s.AddDeployment("api", d)
	}
	return s
}

func TestChoiceOfDeployments(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ selector, want string }{
		{"", "1 2 3 4 5"},
		{"since: 2", "4 5"},
		{"environments: [staging]", "2 5"},
		{"environments: [Production, test], since: 3", "3 4"},
		{"environments: [Elsewhere]", ""},
	} {
		t.Run(tt.selector, func(t *testing.T) {
			inBubbleWith(t, func() *bitbuckettest.Server {
				return released(bitbuckettest.Deployment{Environment: "Test"}, bitbuckettest.Deployment{Environment: "Staging"},
					bitbuckettest.Deployment{Environment: "Test", Status: "FAILED"}, bitbuckettest.Deployment{Environment: "Production", State: "IN_PROGRESS"},
					bitbuckettest.Deployment{Environment: "Staging", State: "UNDEPLOYED"})
			}, func(w world) {
				w.equal("numbers", column(w.good("deployment", tt.selector), "number"), tt.want)
				w.equal("asked", w.asked(), "/repositories/acme api/deployments/ api/environments/")
				w.equal("violations", len(w.s.Violations()), 0)
			})
		})
	}
}

// Environments are asked for where more of them is read than a deployment has, and where there is one.
func TestEnvironmentsOfDeployments(t *testing.T) {
	for _, tt := range []struct {
		name, selector, reads string
		deployments           int
		name1                 any
		asked                 string
	}{
		{"the name is read", "", "environment name", 1, "Staging", "/repositories/acme api/deployments/ api/environments/"},
		{"the type is read", "", "environment environment_type", 2, "Staging", "/repositories/acme api/deployments/ api/environments/"},
		{"the uuid is read", "", "environment uuid", 1, nil, "/repositories/acme api/deployments/"},
		{"the selector names one", "environments: [Staging]", "environment uuid", 1, "Staging", "/repositories/acme api/deployments/ api/environments/"},
		{"nothing was deployed", "environments: [Staging]", "environment name", 0, nil, "/repositories/acme api/deployments/"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubbleWith(t, func() *bitbuckettest.Server {
				return released(slices.Repeat([]bitbuckettest.Deployment{{Environment: "Staging"}}, tt.deployments)...)
			}, func(w world) {
				bound, err := kind.Bind(resource(t, "deployment", tt.selector))
				if err != nil {
					t.Fatal(err)
				}
				got := w.extractBound(bound.Reading(func(path ...string) bool { return strings.Join(path, " ") == tt.reads }))
				if len(got.objects) != tt.deployments || len(got.failed) > 0 || got.err != nil {
					t.Fatalf("got %d deployments, %v and %v, want %d", len(got.objects), got.failed, got.err, tt.deployments)
				}
				for _, o := range got.objects {
					w.equal("name", o["environment"].(map[string]any)["name"], tt.name1)
				}
				w.equal("asked", w.asked(), tt.asked)
			})
		})
	}
}

// The environments of a repository are asked for once, whichever kind asks for them first.
func TestEnvironmentsAreReadOnce(t *testing.T) {
	for _, tt := range []struct{ first, second, asked string }{
		{"deployment", "environment", "/repositories/acme api/deployments/ api/environments/"},
		{"environment", "deployment", "/repositories/acme api/environments/ api/deployments/"},
	} {
		t.Run(tt.first, func(t *testing.T) {
			inBubbleWith(t, func() *bitbuckettest.Server { return released(bitbuckettest.Deployment{Environment: "Production"}) }, func(w world) {
				counts := map[string]int{}
				for _, name := range []string{tt.first, tt.second, tt.first} {
					counts[name] = len(w.good(name, "environments: [production]"))
				}
				w.equal("objects", counts, map[string]int{"deployment": 1, "environment": 1})
				w.equal("asked", w.asked(), strings.TrimSpace(tt.asked+map[string]string{"deployment": " api/deployments/"}[tt.first]))
			})
		})
	}
}

// Names that are not known leave an error, and no deployment that may be of an environment that is named.
func TestEnvironmentsThatCannotBeRead(t *testing.T) {
	inBubbleWith(t, func() *bitbuckettest.Server {
		s := released(bitbuckettest.Deployment{Environment: "Production"})
		s.Fault(bitbuckettest.Fault{Path: "/repositories/acme/api/environments/", Status: 403, Times: -1})
		return s
	}, func(w world) {
		got := w.extract("deployment", "environments: [Production]")
		if len(got.objects) != 0 || len(got.failed) != 1 {
			w.Errorf("got %d deployments and %v, want none and an error", len(got.objects), got.failed)
		}
	})
}

// Where pipelines are off there is no deployment, and a deployment of an environment that is gone has no name.
func TestDeploymentsOfWhatIsGone(t *testing.T) {
	for _, tt := range []struct {
		name    string
		change  func(*bitbuckettest.Server)
		objects int
	}{
		{"pipelines", func(s *bitbuckettest.Server) { s.SwitchPipelinesOff("api") }, 0},
		{"environment", func(s *bitbuckettest.Server) { s.RemoveEnvironment("api", "Production") }, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubbleWith(t, func() *bitbuckettest.Server {
				s := released(bitbuckettest.Deployment{Environment: "Production"})
				tt.change(s)
				return s
			}, func(w world) {
				w.equal("deployments", len(w.good("deployment", "")), tt.objects)
				w.equal("of Production", len(w.good("deployment", "environments: [Production]")), 0)
			})
		})
	}
}

// Within a bound, the environments of deployments that are asked for are asked for, too: those that
// memory has do not cost anything.
func TestEnvironmentsWithinABound(t *testing.T) {
	inBubbleWith(t, func() *bitbuckettest.Server { return released(bitbuckettest.Deployment{Environment: "Production"}) }, func(w world) {
		m := w.memory()
		for _, want := range []string{"/repositories/acme api/deployments/ api/environments/", "/repositories/acme api/deployments/"} {
			_, got := m.bounded(5, kind.Options{MaxAge: day}, [2]string{"deployment", "environments: [Production]"})
			w.equal("deployments", len(got[0].objects), 1)
			w.equal("not asked for", got[0].unasked(), 0)
			w.equal("asked", w.asked(), want)
		}
	})
}
