package app_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// A run writes the problems of its mapping for code scanning as well, whether it may
// go on or not.
func TestSARIFOfARun(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	env := map[string]string{"MAPPING_FILE": "mapping.yml", "SARIF_FILE": "out.sarif"}
	w.write("mapping.yml", repositories+"          titel: .name\n")
	w.run(env).check(t, 0, "success")
	if text := w.read("out.sarif"); !strings.Contains(text, `"ruleId": "unknown-key"`) {
		t.Errorf("the warning is not in the file:\n%s", text)
	}
	w.write("mapping.yml", strings.Replace(repositories, "kind: repository", "kind: nothing", 1))
	w.run(env).check(t, 2, "failed")
	if text := w.read("out.sarif"); !strings.Contains(text, `"ruleId": "unknown-kind"`) || strings.Contains(text, `"ruleId": "unknown-key"`) {
		t.Errorf("the error is not in the file, or the old warning is:\n%s", text)
	}
}

// What a run or a plan met is there too: on the line of the mapping that it comes from, and
// without one on its first line.
func TestSARIFOfWhatARunMet(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"sync", "plan"} {
		w := smallWorld(t)
		text := strings.Replace(repositories, "identifier: .slug", `identifier: if .slug == "ledger" then "a b" else .slug end`, 1)
		w.write("mapping.yml", text)
		w.run(map[string]string{"MODE": mode, "MAPPING_FILE": "mapping.yml", "SARIF_FILE": "out.sarif", "DELETION": "never"}).check(t, 0, "partial")
		var out struct {
			Runs []struct {
				Results []struct {
					RuleID, Level string
					Message       struct{ Text string }
					Locations     []struct {
						PhysicalLocation struct {
							ArtifactLocation struct{ URI string }
							Region           struct{ StartLine int }
						}
					}
				}
			}
		}
		if err := json.Unmarshal([]byte(w.read("out.sarif")), &out); err != nil {
			t.Fatal(err)
		}
		before, _, _ := strings.Cut(text, "identifier:")
		places := map[string]int{}
		for _, r := range out.Runs[0].Results {
			at := r.Locations[0].PhysicalLocation
			if r.RuleID != "run" || at.ArtifactLocation.URI != "mapping.yml" {
				t.Errorf("%s: got a result of rule %q in %q, want rule run in mapping.yml", mode, r.RuleID, at.ArtifactLocation.URI)
			}
			places[r.Level+": "+r.Message.Text] = at.Region.StartLine
		}
		for text, want := range map[string]int{"a b": 1 + strings.Count(before, "\n"), `the input deletion is "never"`: 1} {
			found := false
			for message, line := range places {
				found = found || strings.Contains(message, text) && line == want
			}
			if !found {
				t.Errorf("%s: no result with %q on line %d: %v", mode, text, want, places)
			}
		}
	}
}

// A secret that somebody wrote into the mapping is in nothing that the check leaves
// behind, also where nobody needs the secret.
func TestValidateHidesSecrets(t *testing.T) {
	t.Parallel()
	w := smallWorld(t)
	w.github()
	w.write("mapping.yml", strings.Replace(repositories, "kind: repository", "kind: "+clientSecret, 1))
	r := w.run(map[string]string{"MODE": "validate", "MAPPING_FILE": "mapping.yml", "SARIF_FILE": "out.sarif"})
	r.check(t, 2, "failed")
	stdout := strings.ReplaceAll(r.stdout, "::add-mask::"+clientSecret, "")
	for name, text := range map[string]string{
		"standard output": stdout, "standard error": r.stderr, "SARIF": w.read("out.sarif"), "report": w.read("report.json"), "summary": w.read("summary.md"), "outputs": w.read("outputs"),
	} {
		if text == "" {
			t.Errorf("%s is empty", name)
		}
		if strings.Contains(text, clientSecret) {
			t.Errorf("%s holds the secret:\n%s", name, text)
		}
	}
	w.checkRequests(0, 0)
}

// The summary holds as many problems as fit, and a text in it that looks like the end
// of its block ends nothing.
func TestValidateSummary(t *testing.T) {
	skipShort(t)
	t.Parallel()
	w := smallWorld(t)
	w.github()
	w.write("mapping.yml", "resources:\n"+strings.Repeat("  - kind: '```'\n    x: 1\n", 30))
	w.run(map[string]string{"MODE": "validate", "MAPPING_FILE": "mapping.yml"}).check(t, 2, "failed")
	summary := w.read("summary.md")
	if strings.Count(summary, "\n````") != 2 || !strings.Contains(summary, "unknown kind \"```\"") {
		t.Errorf("summary:\n%s", summary)
	}
	w.write("mapping.yml", "resources:\n"+strings.Repeat("  - kind: '"+strings.Repeat("k", 30_000)+"'\n    x: 1\n", 30))
	w.write("summary.md", "")
	w.run(map[string]string{"MODE": "validate", "MAPPING_FILE": "mapping.yml"}).check(t, 2, "failed")
	if summary = w.read("summary.md"); len(summary) > 1<<20 || !strings.Contains(summary, "more in the log.") {
		t.Errorf("summary of %d bytes", len(summary))
	}
}
