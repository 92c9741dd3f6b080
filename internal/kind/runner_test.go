package kind_test

import (
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

func TestRunners(t *testing.T) {
	s := bitbuckettest.New("acme")
	s.AddRunner(bitbuckettest.Runner{Name: "build-1"})
	s.AddRunner(bitbuckettest.Runner{Name: "build-2", Status: "OFFLINE"})
	inBubble(t, s, func(w world) {
		w.equal("names", column(w.good("runner", ""), "name"), "build-1 build-2")
		w.equal("asked", w.asked(), "/workspaces/acme/pipelines-config/runners")
		s.UpdateRunner("build-1", func(r *bitbuckettest.Runner) { r.Cordoned = true })
		s.RemoveRunner("build-2")
		got := w.good("runner", "")
		w.equal("names", column(got, "name"), "build-1")
		state, _ := got[0]["state"].(map[string]any)
		w.equal("cordoned", state["cordoned"], true)
		w.equal("violations", len(w.s.Violations()), 0)
	})
}

// A runner without a uuid is told, and the others are read.
func TestRunnerWithoutUUID(t *testing.T) {
	s := bitbuckettest.New("acme")
	s.Fault(bitbuckettest.Fault{Path: "/workspaces/acme/pipelines-config/runners", Body: `{"values":[{"name":"one"},{"uuid":"{2}","name":"two"}],"size":2}`})
	inBubble(t, s, func(w world) {
		got := w.extract("runner", "")
		if column(got.objects, "name") != "two" || len(got.failed) != 1 || !isUnreadable(got.failed[0]) {
			t.Errorf("got %v and %v", got.objects, got.failed)
		}
	})
}
