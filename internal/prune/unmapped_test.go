package prune_test

import (
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/prune"
	"port-bitbucket-exporter/internal/report"
)

// What a resource leaves behind that was removed from the mapping is told with its count, whether
// it goes or stays.
func TestUnmapped(t *testing.T) {
	t.Parallel()
	former := map[string][]string{"team": {`"project"`}, "service": {`"repository"`}}
	tests := []struct {
		name    string
		arrange func(s *scene)
		former  map[string][]string
		want    outcome
	}{
		{"goes", func(s *scene) { s.stale("team", "a", "b") }, nil, outcome{
			counts: []string{"team: 2 deleted, 0 kept"},
			problems: []string{`warning: 2 entities of blueprint "team" are no longer mapped: to be deleted; fix: to keep such entities, ` +
				`put the resource back into the mapping; deletion: report shows what would go`},
		}},
		{"goes, and its kind is known", func(s *scene) { s.stale("team", "a") }, former, outcome{
			counts: []string{"team: 1 deleted, 0 kept"},
			problems: []string{`warning: 1 entity of blueprint "team", which kind "project" gave by the mapping that Port shows, is no longer mapped: to be deleted; ` +
				`fix: to keep such entities, put the resource back into the mapping; deletion: report shows what would go`},
		}},
		{"stays after a failure to read", func(s *scene) {
			s.stale("team", "a")
			s.report.Mark(report.TimeLimit)
		}, nil, outcome{
			left: []string{"team/a"}, counts: []string{"team: 0 deleted, 1 kept"}, causes: report.TimeLimit,
			problems: []string{
				`warning: 1 stale entities of blueprint "team" are not deleted: the time limit was reached`,
				`warning: 1 entity of blueprint "team" is no longer mapped: not deleted in this run; fix: they go in a run in which nothing holds them back; ` +
					`to be rid of them at once, delete them in Port; to keep them, put the resource back into the mapping`,
			},
		}},
		{"is found where Port has no list", func(s *scene) {
			s.stale("team", "a", "b")
			s.port.Fault(porttest.Fault{Path: "/v1/blueprints/entities/datasource-entities", Status: 404, Times: -1})
		}, former, outcome{
			left: []string{"team/a", "team/b"}, counts: []string{"team: 0 deleted, 2 kept"},
			problems: []string{
				`notice: Port does not list a whole data source any more: the blueprints of the mapping were searched`,
				`warning: 2 stale entities of blueprint "team" are not deleted: Port does not list a whole data source any more, and no resource of the mapping produces the blueprint; ` +
					`fix: delete them in Port`,
				`warning: 2 entities of blueprint "team", which kind "project" gave by the mapping that Port shows, are no longer mapped: not deleted in this run; ` +
					`fix: they go in a run in which nothing holds them back; to be rid of them at once, delete them in Port; to keep them, put the resource back into the mapping`,
			},
		}},
		{"stays for what relates to it, unless it is a name alone", func(s *scene) {
			s.mapping = strings.Replace(services, "createMissingRelatedEntities: false", "createMissingRelatedEntities: true", 1)
			s.store("team", porttest.Entity{Identifier: "PAY", Title: "Payments"})
			s.stale("team", "OPS")
			s.known.Targets.Add(inventory.Relation{Blueprint: "service", Name: "team"}, "PAY")
			s.known.Targets.Add(inventory.Relation{Blueprint: "service", Name: "team"}, "OPS")
		}, former, outcome{
			left: []string{"team/OPS", "team/PAY"},
			problems: []string{`warning: 1 entity of blueprint "team", which kind "project" gave by the mapping that Port shows, is no longer mapped: kept, ` +
				`since entities of this run relate to them; fix: to be rid of them, leave the relation out of the mapping, or delete them in Port, ` +
				`where the relation makes them anew by name alone; to keep them up to date, put the resource back into the mapping`},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			tt.arrange(s)
			s.adjust = func(c *prune.Config) { c.Former = tt.former }
			s.run()
			s.is(tt.want)
		})
	}
}
