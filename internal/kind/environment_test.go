package kind_test

import (
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

// deployed has a repository with environments of these names.
func deployed(names ...string) *bitbuckettest.Server {
	s := built(0)
	for _, name := range names {
		s.AddEnvironment("api", bitbuckettest.Environment{Name: name})
	}
	return s
}

func TestChoiceOfEnvironments(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ selector, want string }{
		{"", "Test Staging Production EU/1"},
		{"environments: [production]", "Production"},
		{"environments: [' Test', EU/1]", "Test EU/1"},
		{"environments: [Prod]", ""},
		{"environments: []", "Test Staging Production EU/1"},
	} {
		t.Run(tt.selector, func(t *testing.T) {
			inBubbleWith(t, func() *bitbuckettest.Server { return deployed("Test", "Staging", "Production", "EU/1") }, func(w world) {
				w.equal("names", column(w.good("environment", tt.selector), "name"), tt.want)
				w.equal("violations", len(w.s.Violations()), 0)
			})
		})
	}
}

// A repository whose pipelines are off has no environments.
func TestEnvironmentsOfPipelinesThatAreOff(t *testing.T) {
	inBubbleWith(t, func() *bitbuckettest.Server {
		s := deployed("Test")
		s.SwitchPipelinesOff("api")
		return s
	}, func(w world) {
		w.equal("objects", len(w.good("environment", "")), 0)
		w.equal("asked", w.asked(), "/repositories/acme api/environments/")
	})
}

func TestEnvironmentsWithoutAName(t *testing.T) {
	t.Parallel()
	for _, selector := range []string{"environments: ['']", "environments: [Test, ' ']"} {
		if _, err := kind.Bind(resource(t, "environment", selector)); err == nil || !strings.Contains(err.Error(), "the environment has no name") {
			t.Errorf("%s: got %v, want that it has no name", selector, err)
		}
	}
}
