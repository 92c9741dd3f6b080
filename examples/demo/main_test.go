package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestDemo(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if status := demo(t.Context(), &out); status != 0 {
		t.Errorf("got exit status %d, want 0", status)
	}
	runs := strings.Split(out.String(), "\n== ")
	if len(runs) != 6 {
		t.Fatalf("got %d parts, want an introduction and 5 runs:\n%s", len(runs), out.String())
	}
	for i, want := range []string{
		"success: 426 created, 0 updated, 0 unchanged, 0 deleted",
		"success: 0 created, 0 updated, 426 unchanged, 0 deleted",
		"success: 1 created, 1 updated, 423 unchanged, 2 deleted",
		// 6 services, 5 folders and 4 manifests.
		"success: 15 created, 0 updated, 0 unchanged, 0 deleted",
		"success: 0 created, 0 updated, 15 unchanged, 0 deleted",
	} {
		if got := runs[i+1]; !strings.Contains(got, want) {
			t.Errorf("run %d: got:\n%swant in it: %s", i+1, got, want)
		}
	}
	if !strings.Contains(runs[2], "exit status 0, 0 requests that write the catalog") {
		t.Errorf("the second run wrote:\n%s", runs[2])
	}
	for i, want := range []string{"slugs.yml, integration_identifier acme, source_reader auto\n", "slugs.yml, integration_identifier acme, source_reader auto\n",
		"slugs.yml, integration_identifier acme, source_reader auto\n", "files.yml, integration_identifier acme-files, source_reader auto\n",
		"files.yml, integration_identifier acme-files, source_reader rest\n"} {
		if got := runs[i+1]; !strings.Contains(got, "\nmapping examples/") || !strings.Contains(got, want) {
			t.Errorf("run %d: got:\n%swant in it: %s", i+1, got, want)
		}
	}
	checkNextStep(t, runs[5])
	if want := `"identifier": "checkout-api"`; !strings.Contains(runs[1], want) {
		t.Errorf("the first run shows no entity %s:\n%s", want, runs[1])
	}
	// The list alone over REST, the rest over git; then the list, a listing of each repository
	// but the empty one, and each file once: 5 port.yml, 6 that they or the folders want, 4
	// package.json.
	for i, want := range map[int]string{
		4: "with 2 requests to Bitbucket, ",
		5: fmt.Sprintf("with %d requests to Bitbucket and ", 2+119+5+6+4),
	} {
		if got := runs[i]; !strings.Contains(got, want) {
			t.Errorf("run %d: got:\n%swant in it: %s", i, got, want)
		}
	}
	if !strings.Contains(runs[5], "exit status 0, 0 requests that write the catalog") {
		t.Errorf("the run over REST found another catalog than the one over git:\n%s", runs[5])
	}
}

// checkNextStep wants one that works: it stands in a block of the manual, which is run.
func checkNextStep(t *testing.T, last string) {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	const program = "go run ./examples/demo "
	_, after, _ := strings.Cut(last, "    "+program)
	command, _, _ := strings.Cut(after, "\n")
	if command == "" || !strings.Contains(string(readme), "\n"+program+command+"\n") || !strings.Contains(string(readme), "\n## Install\n") {
		t.Errorf("README.md has no command %q, or no Install", command)
	}
}

func TestMappingIsTheExample(t *testing.T) {
	t.Parallel()
	example, err := os.ReadFile("../mappings/slugs.yml")
	if err != nil {
		t.Fatal(err)
	}
	if mapping != string(example) {
		t.Error("examples/demo/mapping.yml differs from examples/mappings/slugs.yml: copy the latter over it")
	}
}

// TestTry plans a mapping by the arguments, as README.md shows.
func TestTry(t *testing.T) {
	t.Parallel()
	var out, errs strings.Builder
	if status := try(t.Context(), []string{"plan", "../mappings/slugs.yml"}, &out, &errs); status != 0 {
		t.Errorf("got exit status %d, want 0:\n%s", status, errs.String())
	}
	if want := "plan: success: 426 to create, 0 to update, 0 unchanged, 0 to delete"; !strings.Contains(out.String(), want) {
		t.Errorf("got:\n%swant in it: %s", out.String(), want)
	}
}
