package resync_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/report"
)

// recipes are mappings that stand beside their blueprints in examples/mappings, each for a question
// that teams have.
var recipes = []string{"dora", "ownership", "protection", "pull-request-metrics", "skills"}

// blueprintsIn are the blueprints of a file that the input blueprints_file takes.
func blueprintsIn(t *testing.T, name string) (all []string) {
	t.Helper()
	var texts []json.RawMessage
	if err := json.Unmarshal([]byte(readFile(name)), &texts); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, text := range texts {
		all = append(all, string(text))
	}
	return all
}

// Each recipe makes what its golden file says, as a plan foretold, and writes nothing the second
// time.
func TestRecipes(t *testing.T) {
	t.Parallel()
	for _, name := range recipes {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, bitbuckettest.New("acme"))
				own := blueprintsIn(t, exampleMappings+name+".json")
				for _, text := range porttest.DefaultBlueprints() {
					w.port.AddBlueprint(text)
				}
				if name == "ownership" {
					w.port.AddBlueprint(`{"identifier":"_user","title":"User","schema":{"properties":{},"required":[]},"relations":{}}`)
					w.port.PutEntity("_user", porttest.Entity{Identifier: "dana@acme.example"})
				}
				for _, text := range own {
					w.port.AddBlueprint(withoutAggregations(t, text))
				}
				company(w.bitbucket)
				delivered(w.bitbucket)
				w.bitbucket.Furnish()
				text := readFile(exampleMappings + name + ".yml")
				checkParts(t, "warnings of the mapping", textsOf(w.job(text).Bound.Warnings), nil)
				planned, changes, err := w.rehearse(text)
				r := w.sync(text).ended(report.Success)
				w.foreseen(planned, changes, err, r)
				checkParts(t, "what the run tells", loud(r), nil)
				checkGolden(t, filepath.Join("testdata", "examples", name+".golden.json"), golden(r.after))
				again := w.sync(text).ended(report.Success).is(want{"deleted": 0, "kept": 0, "created": 0})
				if len(again.writes) > 0 && name != "ownership" { // whose search relation is written in every run
					t.Errorf("the second run writes %d times", len(again.writes))
				}
				checkGolden(t, filepath.Join("testdata", "examples", name+".golden.json"), golden(again.after))
			})
		})
	}
}

// withoutAggregations leaves out what Port works out of other blueprints, which come later in the
// file: how they are made is no matter of this test.
func withoutAggregations(t *testing.T, text string) string {
	t.Helper()
	var b map[string]any
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		t.Fatal(err)
	}
	delete(b, "aggregationProperties")
	delete(b, "calculationProperties")
	without, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(without)
}

// delivered gives the company what recipes look for, on top of what each kind is furnished with.
func delivered(b *bitbuckettest.Server) {
	b.SetFile("payments", "CODEOWNERS", []byte("# who\n* @acme/payments @dana\ndocs/ @acme/docs\n"))
	b.SetFile("web", ".claude/skills/release/SKILL.md", []byte("---\nname: release-notes\ndescription: Writes them\nallowed-tools: Read, Grep\n---\n# Steps\n"))
	begin := time.Now().Add(-48 * time.Hour)
	dana := bitbuckettest.User{Name: "Dana Ruiz"}
	id := b.AddPullRequest("web", bitbuckettest.PullRequest{Title: "Faster", Author: &dana, CreatedOn: begin, UpdatedOn: begin.Add(time.Hour),
		Participants: []bitbuckettest.Participant{{User: bitbuckettest.User{Name: "Amir Haddad"}, Approved: true, State: "approved", ParticipatedOn: begin.Add(90 * time.Minute)}}})
	b.SetExtras("web", id, bitbuckettest.Extras{
		Statuses: []bitbuckettest.Status{{Key: "build", State: "SUCCESSFUL"}}, Files: []int{20, 6}, Tasks: []string{"tests", "docs"}, Resolved: 1,
		Comments: []time.Time{begin.Add(3 * time.Hour)},
	})
}

// The rules of a scorecard name properties that its blueprint has.
func TestScorecards(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(exampleMappings + "*-scorecard.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scorecards: %v", err)
	}
	for _, name := range files {
		known := map[string]bool{}
		for _, text := range blueprintsIn(t, strings.TrimSuffix(name, "-scorecard.json")+".json")[:1] {
			var b struct {
				Schema                struct{ Properties map[string]any }
				AggregationProperties map[string]any
				CalculationProperties map[string]any
			}
			if err := json.Unmarshal([]byte(text), &b); err != nil {
				t.Fatal(err)
			}
			for _, properties := range []map[string]any{b.Schema.Properties, b.AggregationProperties, b.CalculationProperties} {
				for property := range properties {
					known[property] = true
				}
			}
		}
		for _, text := range blueprintsIn(t, name) {
			var s struct {
				Identifier, Title string
				Levels            []struct{ Title string }
				Rules             []struct {
					Identifier, Title, Level string
					Query                    struct {
						Combinator string
						Conditions []struct{ Property, Operator string }
					}
				}
			}
			if err := json.Unmarshal([]byte(text), &s); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, rule := range s.Rules {
				level := false
				for _, l := range s.Levels {
					level = level || l.Title == rule.Level
				}
				if !level || len(rule.Query.Conditions) == 0 {
					t.Errorf("%s: the rule %s has no level of the scorecard, or no condition", name, rule.Identifier)
				}
				for _, c := range rule.Query.Conditions {
					if !known[c.Property] {
						t.Errorf("%s: the rule %s names %q, which the blueprint does not have", name, rule.Identifier, c.Property)
					}
				}
			}
		}
	}
}
