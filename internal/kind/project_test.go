package kind_test

import (
	"context"
	"errors"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

func twoProjects() *bitbuckettest.Server {
	s := bitbuckettest.New("acme")
	s.AddProject(bitbuckettest.Project{Key: "PAY", Description: "<b> & \u2028"})
	s.AddProject(bitbuckettest.Project{Key: "CX", Private: true})
	return s
}

func TestProjectsAreReadOnce(t *testing.T) {
	inBubble(t, twoProjects(), func(w world) {
		w.ws = w.workspace(kind.Options{KeepLists: true})
		first, want := w.good("project", ""), w.good("project", "")
		w.equal("keys", column(want, "key"), "PAY CX")
		w.equal("the same", first, want)
		first[0]["key"] = "written into"
		w.equal("not shared", w.good("project", ""), want)
		w.equal("requests", w.asked(), "/workspaces/acme/projects")
	})
}

func TestProjectsWithoutKeeping(t *testing.T) {
	inBubble(t, twoProjects(), func(w world) {
		w.good("project", "")
		w.good("project", "")
		w.equal("requests", w.asked(), "/workspaces/acme/projects /workspaces/acme/projects")
	})
}

// An error is that of every resource; a list that was given up is read again.
func TestProjectsThatCannotBeRead(t *testing.T) {
	s := twoProjects()
	s.Fault(bitbuckettest.Fault{Path: "/workspaces/acme/projects", Status: 403})
	inBubble(t, s, func(w world) {
		w.ws = w.workspace(kind.Options{KeepLists: true})
		one, two := w.extract("project", ""), w.extract("project", "")
		if one.err == nil || !errors.Is(one.err, two.err) {
			t.Errorf("got %v and %v, want one error twice", one.err, two.err)
		}
		w.equal("requests", w.asked(), "/workspaces/acme/projects")
	})
}

func TestProjectsThatAreGivenUp(t *testing.T) {
	inBubble(t, twoProjects(), func(w world) {
		w.ws = w.workspace(kind.Options{KeepLists: true})
		bound, err := kind.Bind(resource(w.TB, "project", ""))
		if err != nil {
			w.Fatal(err)
		}
		for range bound.Extract(context.Background(), w.ws) {
			break
		}
		w.equal("all", column(w.good("project", ""), "key"), "PAY CX")
	})
}
