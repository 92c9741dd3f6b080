package prune_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/port/porttest"
	"port-bitbucket-exporter/internal/prune"
	"port-bitbucket-exporter/internal/report"
)

func (s *scene) relate(blueprint, id string, relations map[string]any) {
	s.store(blueprint, porttest.Entity{Identifier: id, Relations: relations})
}

// remember lets the run know what an entity related to when it began.
func (s *scene) remember(blueprint, from, relation, to string) {
	stored := s.known.Stored[blueprint]
	if stored.Edges == nil {
		stored.Edges = s.known.NewEdges()
	}
	stored.Edges.Add(inventory.Edge{From: from, Relation: relation, To: to})
	s.known.Stored[blueprint] = stored
}

func (s *scene) entity(blueprint, id string) *inventory.Entity {
	return s.entities[catalog.Ref{Blueprint: blueprint, Identifier: id}]
}

const dependants = "delete those first, or set deleteDependentEntities: true in the mapping"

// Stale entities go after those that relate to them, and stay when what stays relates to them.
func TestWhatRelatesGoesFirst(t *testing.T) {
	try(t, cases{
		{"a stale entity that another stale one relates to", func(s *scene) {
			s.stale("service", "old")
			s.relate("pull", "old-1", map[string]any{"service": "old"})
			s.remember("pull", "old-1", "service", "old")
		}, outcome{counts: []string{"pull: 1 deleted, 0 kept", "service: 1 deleted, 0 kept"}}},
		{"a produced entity still relates to it, by a relation that no entry maps", func(s *scene) {
			s.stale("service", "old")
			s.relate("service", "api", map[string]any{"uses": []any{"old"}})
			s.remember("service", "api", "uses", "old")
		}, outcome{left: []string{"service/old"}, counts: []string{"service: 0 deleted, 1 kept"}, problems: []string{
			`warning: stale entities of blueprint "service" are not deleted: other entities relate to them, and stay; fix: ` + dependants + `; example: service/old, to which service/api relates`}}},
		{"the first of those that stay is named", func(s *scene) {
			s.stale("service", "old")
			for _, id := range []string{"api-3", "api-2", "api-4"} {
				s.produce("service", id, 1)
				s.relate("service", id, map[string]any{"uses": []any{"old"}})
				s.remember("service", id, "uses", "old")
			}
		}, outcome{left: []string{"service/old"}, counts: []string{"service: 0 deleted, 1 kept"}, problems: []string{
			`warning: stale entities of blueprint "service" are not deleted: other entities relate to them, and stay; fix: ` + dependants + `; example: service/old, to which service/api-2 relates`}}},
		{"a relation that the entry maps has gone with the write", func(s *scene) {
			s.stale("service", "old")
			s.remember("pull", "api-1", "service", "old")
		}, outcome{counts: []string{"service: 1 deleted, 0 kept"}}},
		{"a relation of an entity that Port did not take is still there", func(s *scene) {
			s.stale("service", "old")
			s.relate("pull", "api-1", map[string]any{"service": "old"})
			s.remember("pull", "api-1", "service", "old")
			e := s.entity("pull", "api-1")
			e.Counted, e.Updated = false, false
		}, outcome{left: []string{"service/old"}, counts: []string{"service: 0 deleted, 1 kept"}, problems: []string{
			`warning: stale entities of blueprint "service" are not deleted: other entities relate to them, and stay; fix: ` + dependants + `; example: service/old, to which pull/api-1 relates`}}},
		{"entities are replaced: a relation that no entry maps has gone with the write", func(s *scene) {
			s.mapping = "enableMergeEntity: false\n" + s.mapping
			s.stale("service", "old")
			s.remember("service", "api", "uses", "old")
		}, outcome{counts: []string{"service: 1 deleted, 0 kept"}}},
		{"an entity that a search query found keeps what some entry leaves", func(s *scene) {
			s.stale("service", "old")
			s.relate("service", "api", map[string]any{"uses": []any{"old"}})
			s.remember("service", "api", "uses", "old")
			s.entity("service", "api").Results = nil
		}, outcome{left: []string{"service/old"}, counts: []string{"service: 0 deleted, 1 kept"}, problems: []string{
			`warning: stale entities of blueprint "service" are not deleted: other entities relate to them, and stay; fix: ` + dependants + `; example: service/old, to which service/api relates`}}},
		{"and not what every entry maps", func(s *scene) {
			s.stale("service", "old")
			s.remember("pull", "api-1", "service", "old")
			s.entity("pull", "api-1").Results = nil
		}, outcome{counts: []string{"service: 1 deleted, 0 kept"}}},
		{"what the run related to", func(s *scene) {
			s.stale("service", "old")
			s.relate("pull", "api-1", map[string]any{"service": "old"})
			s.known.Targets.Add(inventory.Relation{Blueprint: "pull", Name: "service"}, "old")
		}, outcome{left: []string{"service/old"}, counts: []string{"service: 0 deleted, 1 kept"}, problems: []string{
			`warning: stale entities of blueprint "service" are not deleted: other entities relate to them, and stay; fix: ` + dependants + `; example: service/old, to which entities of blueprint "pull" relate`}}},
		{"a blueprint that was not read is searched", func(s *scene) {
			s.stale("service", "old")
			s.relate("pull", "old-1", map[string]any{"service": "old"})
			s.known.Stored["pull"] = inventory.Stored{Unread: true}
		}, outcome{counts: []string{"pull: 1 deleted, 0 kept", "service: 1 deleted, 0 kept"}}},
		{"an entity of others relates to it: Port refuses", func(s *scene) {
			s.stale("service", "old")
			s.store("pull", porttest.Entity{Identifier: "theirs", Datasource: "someone", Relations: map[string]any{"service": "old"}})
		}, outcome{left: []string{"pull/theirs", "service/old"}, counts: []string{"service: 0 deleted, 1 kept"}, problems: []string{
			`warning: stale entities of blueprint "service" are not deleted: Port refused, since other entities relate to them; fix: ` + dependants + `; example: service/old`}}},
		{"of those that Port refuses together, the others go", func(s *scene) {
			s.stale("service", "a", "b", "c", "d", "e")
			s.store("pull", porttest.Entity{Identifier: "theirs", Datasource: "someone", Relations: map[string]any{"service": "c"}})
		}, outcome{left: []string{"pull/theirs", "service/c"}, counts: []string{"service: 4 deleted, 1 kept"}, problems: []string{
			`warning: stale entities of blueprint "service" are not deleted: Port refused, since other entities relate to them; fix: ` + dependants + `; example: service/c`}}},
		{"one that is gone already counts as deleted", func(s *scene) {
			s.stale("service", "old")
			s.port.Fault(porttest.Fault{Path: "/v1/blueprints/service/bulk/entities/delete", Status: 500, Apply: true})
		}, outcome{counts: []string{"service: 1 deleted, 0 kept"}}},
		{"a role that may not delete", func(s *scene) {
			s.stale("service", "old")
			s.port.Fault(porttest.Fault{Path: "/v1/blueprints/service/bulk/entities/delete", Status: 403, Times: -1})
		}, outcome{left: []string{"service/old"}, counts: []string{"service: 0 deleted, 1 kept"}, causes: report.Undelivered, problems: []string{
			`error: stale entities of blueprint "service" could not be deleted: POST /v1/blueprints/service/bulk/entities/delete: 403 Forbidden; fix: give Port's credential a role that may delete these entities, or delete them in Port; example: service/old`}}},
		{"what relates to one that stays is deleted all the same", func(s *scene) {
			s.stale("service", "old")
			s.relate("pull", "old-1", map[string]any{"service": "old"})
			s.remember("pull", "old-1", "service", "old")
			s.store("pull", porttest.Entity{Identifier: "theirs", Datasource: "someone", Relations: map[string]any{"service": "old"}})
		}, outcome{left: []string{"pull/theirs", "service/old"}, counts: []string{"pull: 1 deleted, 0 kept", "service: 0 deleted, 1 kept"}, problems: []string{
			`warning: stale entities of blueprint "service" are not deleted: Port refused, since other entities relate to them; fix: ` + dependants + `; example: service/old`}}},
		{"what a blocked entity relates to stays with it", func(s *scene) {
			s.stale("service", "old")
			s.relate("pull", "old-1", map[string]any{"service": "old"})
			s.remember("pull", "old-1", "service", "old")
			s.known.Resources[1].Miss("pulls were not read")
		}, outcome{left: []string{"pull/old-1", "service/old"}, counts: []string{"pull: 0 deleted, 1 kept", "service: 0 deleted, 1 kept"}, problems: []string{
			`warning: 1 stale entities of blueprint "pull" are not deleted: pulls were not read`,
			`warning: stale entities of blueprint "service" are not deleted: other entities relate to them, and stay; fix: they go with those, as soon as nothing holds back the deletion of blueprint "pull"; example: service/old, to which pull/old-1 relates`}}},
		{"a blueprint that cannot be read: Port decides", func(s *scene) {
			s.stale("service", "old")
			s.relate("pull", "old-1", map[string]any{"service": "old"})
			s.remember("pull", "old-1", "service", "old")
			s.port.Fault(porttest.Fault{Method: "GET", Path: "/v1/blueprints/*", Status: 403, Times: -1})
		}, outcome{counts: []string{"pull: 1 deleted, 0 kept", "service: 1 deleted, 0 kept"}}},
	})
}

// With deleteDependentEntities, dependants of others go along, unless they could be what the
// run produced.
func TestCascade(t *testing.T) {
	theirs := func(s *scene) {
		s.mapping = "deleteDependentEntities: true\n" + s.mapping
		s.stale("service", "old")
		s.store("pull", porttest.Entity{Identifier: "theirs", Datasource: "someone", Relations: map[string]any{"service": "old"}})
	}
	along := outcome{counts: []string{"service: 1 deleted, 0 kept"}}
	stays := func(problems ...string) outcome {
		return outcome{left: []string{"pull/theirs", "service/old"}, counts: []string{"service: 0 deleted, 1 kept"}, problems: append(problems,
			`warning: stale entities of blueprint "service" are not deleted: Port refused, since other entities relate to them; fix: delete those first: in this run nothing goes along with them, since it could be what the workspace still has; example: service/old`)}
	}
	const notApplied = "notice: deleteDependentEntities is not applied in this run: what this run produced could be deleted along with a stale entity; fix: look which entities that the mapping produces relate to others that it does not"
	try(t, cases{
		{"dependants of others go along", theirs, along},
		{"nothing is stale: nothing to apply it to", func(s *scene) {
			s.mapping = "deleteDependentEntities: true\n" + s.mapping
			s.known.Adopted["service"] = true
		}, outcome{settled: true}},
		{"a produced entity relates to another produced one", func(s *scene) {
			theirs(s)
			s.known.Targets.Add(inventory.Relation{Blueprint: "pull", Name: "service"}, "api")
		}, along},
		{"a produced entity relates to what was not produced", func(s *scene) {
			theirs(s)
			s.known.Targets.Add(inventory.Relation{Blueprint: "service", Name: "team"}, "PAY")
		}, stays(notApplied)},
		{"or still does so, by a relation that is not mapped", func(s *scene) {
			theirs(s)
			s.remember("service", "api", "uses", "else")
		}, stays(notApplied)},
		{"what entities that were not produced relate to does not count", func(s *scene) {
			theirs(s)
			s.remember("service", "old", "uses", "else")
		}, along},
		{"nor what another relation relates to", func(s *scene) {
			theirs(s)
			s.remember("service", "api", "team", "else")
		}, along},
		{"unless another entry does not map it: the first may have left it out, since content was not parsed", func(s *scene) {
			theirs(s)
			s.mapping = strings.Replace(s.mapping, "mappings: {identifier: .slug, title: .name, blueprint: '\"service\"', relations: {team: .project.key}}",
				"mappings: [{identifier: .slug, title: .name, blueprint: '\"service\"', relations: {team: .project.key}}, {identifier: .slug, blueprint: '\"service\"'}]", 1)
			s.known.Resources[0].Held = []int{1, 1}
			s.remember("service", "api", "team", "else")
		}, stays(notApplied)},
		{"an entity was taken over", func(s *scene) { theirs(s); s.known.Adopted["service"] = true }, stays(notApplied)},
		{"of a blueprint of which nothing was stored", func(s *scene) { theirs(s); s.known.Adopted["team"] = true; s.report.Blueprint("team") }, along},
		{"what a blueprint held is not known", func(s *scene) { theirs(s); delete(s.known.Stored, "service") }, stays(notApplied)},
		{"an entity was rejected", func(s *scene) { theirs(s); s.report.Resources[1].Rejected++ }, stays()},
		{"something is missing", func(s *scene) { theirs(s); s.known.Resources[1].Miss("not read") }, stays()},
		{"a relation by a search query", func(s *scene) {
			theirs(s)
			s.mapping = strings.Replace(s.mapping, "{team: .project.key}", `{team: {combinator: '"and"', rules: [{property: '"$title"', operator: '"="', value: .project.name}]}}`, 1)
		}, stays(notApplied)},
	})
}

// An entity that a produced one relates to stays, and is reported unless it holds nothing.
func TestNeeded(t *testing.T) {
	needs := func(s *scene) {
		s.mapping = strings.Replace(s.mapping, "createMissingRelatedEntities: false", "createMissingRelatedEntities: true", 1)
		s.relate("pull", "api-1", map[string]any{"service": "old"})
		s.known.Targets.Add(inventory.Relation{Blueprint: "pull", Name: "service"}, "old")
	}
	kept := outcome{left: []string{"service/old"}, counts: []string{"service: 0 deleted, 1 kept"}, problems: []string{
		`warning: stale entities of blueprint "service" are not deleted: entities of blueprint "pull" relate to them by relation "service"; fix: they go when nothing relates to them any more: map the relation to what the workspace still has, or leave out what relates to them; example: service/old, to which pull/api-1 relates`}}
	silent := outcome{left: []string{"service/old"}}
	old := func(e porttest.Entity) func(*scene) {
		return func(s *scene) {
			needs(s)
			e.Identifier = "old"
			s.store("service", e)
		}
	}
	try(t, cases{
		{"nothing in it", old(porttest.Entity{}), silent},
		{"the identifier as title", old(porttest.Entity{Title: "old"}), silent},
		{"a title", old(porttest.Entity{Title: "Old"}), kept},
		{"a property", old(porttest.Entity{Properties: map[string]any{"url": "x"}}), kept},
		{"a property of null", old(porttest.Entity{Properties: map[string]any{"url": nil}}), silent},
		{"an empty list", old(porttest.Entity{Properties: map[string]any{"tags": []any{}}}), silent},
		{"a list", old(porttest.Entity{Properties: map[string]any{"tags": []any{"x"}}}), kept},
		{"the default of a property", old(porttest.Entity{Properties: map[string]any{"level": "low"}}), silent},
		{"not the default", old(porttest.Entity{Properties: map[string]any{"level": "high"}}), kept},
		{"a relation", old(porttest.Entity{Relations: map[string]any{"team": "x"}}), kept},
		{"what the mapping cannot produce is not stale", func(s *scene) {
			needs(s)
			s.stale("team", "PAY")
			s.known.Targets.Add(inventory.Relation{Blueprint: "service", Name: "team"}, "PAY")
		}, outcome{left: []string{"team/PAY"}}},
		{"where Port makes nothing, it is not needed", func(s *scene) {
			old(porttest.Entity{Title: "Old"})(s)
			s.mapping = services
			s.relate("pull", "api-1", nil)
			s.known.Targets = inventory.New().Targets
		}, outcome{counts: []string{"service: 1 deleted, 0 kept"}}},
		{"the blueprint that relates cannot be read: an entity of any blueprint may be meant", func(s *scene) {
			old(porttest.Entity{Title: "Old"})(s)
			s.port.Fault(porttest.Fault{Method: "GET", Path: "/v1/blueprints/*", Status: 403, Times: -1})
		}, kept},
		{"two of one cause are one line", func(s *scene) {
			old(porttest.Entity{Title: "Old"})(s)
			s.store("service", porttest.Entity{Identifier: "older", Title: "Older"})
			s.known.Targets.Add(inventory.Relation{Blueprint: "pull", Name: "service"}, "older")
		}, outcome{left: []string{"service/old", "service/older"}, counts: []string{"service: 0 deleted, 2 kept"}, problems: kept.problems}},
	})
}

// What was read to its end and is empty is known to be empty, within bounds.
func TestEmpty(t *testing.T) {
	narrowed := func(s *scene) {
		s.mapping = strings.Replace(s.mapping, "selector: {query: 'true'}", `selector: {query: 'true', repoQuery: 'language = "go"'}`, 1)
	}
	empty := func(s *scene, stale int) {
		delete(s.entities, catalog.Ref{Blueprint: "service", Identifier: "api"})
		s.port.RemoveEntity("service", "api")
		r := s.known.Resources[0]
		r.Tasks, r.Extracted, r.Held = 0, 0, []int{0}
		for i := range stale {
			s.stale("service", fmt.Sprintf("old%02d", i))
		}
	}
	history := func(h prune.SelectorHistory) func(s *scene) {
		return func(s *scene) {
			s.adjust = func(c *prune.Config) {
				c.Selector = func(index int) prune.SelectorHistory {
					if index != 1 {
						return prune.SelectorUnknown
					}
					return h
				}
			}
		}
	}
	olds := func(n int) (left []string) {
		for i := range n {
			left = append(left, fmt.Sprintf("service/old%02d", i))
		}
		return left
	}
	kept := func(n int, why, fix string) outcome {
		line := fmt.Sprintf("warning: %d stale entities of blueprint \"service\" are not deleted: %s", n, why)
		if fix != "" {
			line += "; fix: " + fix
		}
		return outcome{left: olds(n), counts: []string{fmt.Sprintf("service: 0 deleted, %d kept", n)}, problems: []string{line}}
	}
	gone := func(n int) outcome { return outcome{counts: []string{fmt.Sprintf("service: %d deleted, 0 kept", n)}} }
	const listEmpty, narrowedFix = "Bitbucket's list for resource 1 (repository) was empty", "check userRole and repoQuery; if nothing is left indeed, delete the entities in Port"
	fault := kept(1, listEmpty, "")
	fault.causes = report.Unread
	fault.problems = append([]string{"error: resource 1 (repository): Bitbucket's list was empty, while Port holds 1 entities of it; fix: " + emptyFix}, fault.problems...)
	pulls := func(s *scene, stale int) { // repositories are there, and no pull request is found
		delete(s.entities, catalog.Ref{Blueprint: "pull", Identifier: "api-1"})
		s.port.RemoveEntity("pull", "api-1")
		r := s.known.Resources[1]
		r.Extracted, r.Held = 0, []int{0}
		for i := range stale {
			s.stale("pull", fmt.Sprintf("old%02d", i))
		}
	}
	states := func(s *scene) {
		i := strings.Index(s.mapping, "kind: pull-request")
		s.mapping = s.mapping[:i] + strings.Replace(s.mapping[i:], "query: 'true'", `query: 'true', pullRequestQuery: 'state = "OPEN"'`, 1)
	}
	second := func(h prune.SelectorHistory) func(s *scene) {
		return func(s *scene) {
			s.adjust = func(c *prune.Config) { c.Selector = func(int) prune.SelectorHistory { return h } }
		}
	}
	ofPulls := func(o outcome) outcome {
		o.left, o.counts, o.problems = slices.Clone(o.left), slices.Clone(o.counts), slices.Clone(o.problems)
		for _, list := range [][]string{o.left, o.counts, o.problems} {
			for i := range list {
				list[i] = strings.NewReplacer("service", "pull").Replace(list[i])
			}
		}
		return o
	}
	const newFix = "check the selector; if it is right, delete these entities in Port"
	findsNothing := "resource 2 (pull-request) finds nothing, and earlier runs are not known to have had its selector"
	try(t, cases{
		{"an empty list where Port holds entities is a fault", func(s *scene) { empty(s, 1) }, fault},
		{"an empty list where Port holds none is empty", func(s *scene) { empty(s, 0) }, outcome{settled: true}},
		{"under a repoQuery that may be new", func(s *scene) { narrowed(s); empty(s, 1) }, kept(1, listEmpty+" under its userRole and repoQuery", narrowedFix)},
		{"under a repoQuery of an earlier run", func(s *scene) { narrowed(s); empty(s, 10); history(prune.SelectorSame)(s) }, gone(10)},
		{"and too many", func(s *scene) { narrowed(s); empty(s, 11); history(prune.SelectorSame)(s) }, kept(11, listEmpty+" under its userRole and repoQuery", narrowedFix)},
		{"under a new repoQuery", func(s *scene) { narrowed(s); empty(s, 1); history(prune.SelectorChanged)(s) }, kept(1, listEmpty+" under its userRole and repoQuery", narrowedFix)},
		{"a list that was not listed says nothing of being empty", func(s *scene) {
			empty(s, 1)
			s.report.Resources[0].Listed = false
			s.known.Resources[0].Miss("not listed")
		}, kept(1, "not listed", "")},
		{"no pull request is left", func(s *scene) { pulls(s, 30) }, ofPulls(gone(30))},
		{"no pull request in these states, as in earlier runs", func(s *scene) { states(s); pulls(s, 11); second(prune.SelectorSame)(s) }, ofPulls(gone(11))},
		{"in states that may be new, and few", func(s *scene) { states(s); pulls(s, 10) }, ofPulls(gone(10))},
		{"in states that may be new, and more", func(s *scene) { states(s); pulls(s, 11) }, ofPulls(kept(11, findsNothing, newFix))},
		{"in new states", func(s *scene) { states(s); pulls(s, 1); second(prune.SelectorChanged)(s) }, ofPulls(kept(1, findsNothing, newFix))},
		{"all were filtered", func(s *scene) { pulls(s, 1); s.known.Resources[1].Extracted = 1 },
			ofPulls(kept(1, "Port holds no entity that resource 2 (pull-request) gave in this run", "check the selector and the identifier: the counts of the resource say what became of its objects"))},
		{"an itemsToParse may be a mistake too", func(s *scene) {
			i := strings.Index(s.mapping, "kind: pull-request")
			s.mapping = s.mapping[:i] + strings.Replace(s.mapping[i:], "port: {entity", "port: {itemsToParse: .reviewers, entity", 1)
			pulls(s, 11)
		}, ofPulls(kept(11, findsNothing, newFix))},
		{"the entry is named where there are several", func(s *scene) {
			s.mapping = strings.Replace(s.mapping, `mappings: {identifier: .slug, title: .name, blueprint: '"service"', relations: {team: .project.key}}`,
				`mappings: [{identifier: .slug, blueprint: '"service"'}, {identifier: '.slug + "-2"', blueprint: '"service"'}]`, 1)
			s.known.Resources[0].Held = []int{1, 0}
			s.stale("service", "old00")
		}, kept(1, "Port holds no entity that resource 1 (repository) gave in this run by the entry at mapping.yml:7:75", "check the selector and the identifier: the counts of the resource say what became of its objects")},
	})
}

// Entities that live on under other identifiers stay until that is confirmed.
func TestRenames(t *testing.T) {
	const n = 11
	renamed := func(s *scene, n int, change func(i int, old *porttest.Entity, now *inventory.Entity)) {
		for i := range n {
			address := fmt.Sprintf("https://bitbucket.org/acme/r%02d", i)
			title := fmt.Sprintf("Repository %d", i)
			old := porttest.Entity{Identifier: fmt.Sprintf("old%02d", i), Title: title, Properties: map[string]any{"url": address}}
			now := s.produce("service", fmt.Sprintf("new%02d", i), 1)
			now.Results[0].Address, now.Title, now.Fresh, now.Updated = address, inventory.HashTitle(catalog.Fields{Title: title}), true, false
			s.known.Resources[0].Sources[fmt.Sprintf("{r%02d}", i)] = source(fmt.Sprintf("r%02d", i))
			if change != nil {
				change(i, &old, now)
			}
			s.store("service", old)
		}
	}
	olds := func(n int) (left []string) {
		for i := range n {
			left = append(left, fmt.Sprintf("service/old%02d", i))
		}
		return left
	}
	kept := func(n, twins int) outcome {
		return outcome{left: olds(n), counts: []string{fmt.Sprintf("service: 0 deleted, %d kept", n)}, problems: []string{fmt.Sprintf(
			"warning: %d stale entities of blueprint \"service\" are not deleted: %d entities would be replaced by others of the same title or address; fix: check the mapping's identifier; if they are to be replaced, set the input confirm_renames to true for one run", n, twins)}}
	}
	gone := func(n int) outcome { return outcome{counts: []string{fmt.Sprintf("service: %d deleted, 0 kept", n)}} }
	noAddress := func(_ int, old *porttest.Entity, _ *inventory.Entity) { old.Properties = nil }
	try(t, cases{
		{"by address and title", func(s *scene) { renamed(s, n, nil) }, kept(n, n)},
		{"few may be chance", func(s *scene) { renamed(s, n-1, nil) }, gone(n - 1)},
		{"confirmed", func(s *scene) {
			renamed(s, n, nil)
			s.adjust = func(c *prune.Config) { c.ConfirmRenames = true }
		}, gone(n)},
		{"by title alone", func(s *scene) { renamed(s, n, noAddress) }, kept(n, n)},
		{"by address alone", func(s *scene) {
			renamed(s, n, func(_ int, old *porttest.Entity, _ *inventory.Entity) { old.Title = "another" })
		}, kept(n, n)},
		{"neither", func(s *scene) {
			renamed(s, n, func(_ int, old *porttest.Entity, _ *inventory.Entity) { old.Title, old.Properties = "another", nil })
		}, gone(n)},
		{"a share of what Port holds", func(s *scene) {
			renamed(s, n, nil)
			for i := range 98 {
				s.produce("service", fmt.Sprintf("same%02d", i), 1)
			}
		}, gone(n)},
		{"one more than that share", func(s *scene) {
			renamed(s, n, nil)
			for i := range 97 {
				s.produce("service", fmt.Sprintf("same%02d", i), 1)
			}
		}, kept(n, n)},
		{"one entity is the twin of one other", func(s *scene) {
			renamed(s, n, func(i int, old *porttest.Entity, now *inventory.Entity) {
				old.Properties, old.Title = nil, "the same"
				now.Title = 0
				if i == 0 {
					now.Title = inventory.HashTitle(catalog.Fields{Title: "the same"})
				}
			})
		}, gone(n)},
		{"several of one title that one entry made are of different things", func(s *scene) {
			renamed(s, n, func(i int, old *porttest.Entity, now *inventory.Entity) {
				old.Properties = nil
				more := s.produce("service", fmt.Sprintf("more%02d", i), 1)
				more.Title, more.Fresh, more.Updated = now.Title, true, false
			})
		}, gone(n)},
		{"of very many of one title, found by a search query, those that are new are twins", func(s *scene) {
			renamed(s, n, func(i int, old *porttest.Entity, now *inventory.Entity) {
				old.Properties, old.Title = nil, "the same"
				now.Title, now.Results = inventory.HashTitle(catalog.Fields{Title: "the same"}), nil
				for j := range 5 {
					same := s.produce("service", fmt.Sprintf("same%02d-%d", i, j), 1)
					same.Title, same.Results = now.Title, nil
				}
			})
		}, kept(n, n)},
		{"those that were there before are no twins", func(s *scene) {
			renamed(s, n, func(_ int, _ *porttest.Entity, now *inventory.Entity) { now.Fresh, now.Updated = false, true })
		}, gone(n)},
		{"what they live on as cannot be read", func(s *scene) {
			renamed(s, n, nil)
			s.port.Fault(porttest.Fault{Path: "/v1/blueprints/service/entities/search", Status: 400, Times: -1})
		}, outcome{left: olds(n), counts: []string{"service: 0 deleted, 11 kept"}, problems: []string{
			`warning: 11 stale entities of blueprint "service" are not deleted: whether they live on under other identifiers could not be read: search entities of blueprint "service": POST /v1/blueprints/service/entities/search: 400 Bad Request; fix: run again`}}},
	})
}

// A run that is stopped while it deletes counts what it did not try.
func TestStoppedWhileDeleting(t *testing.T) {
	try(t, cases{
		{"between two requests", func(s *scene) {
			for i := range 150 {
				s.stale("service", fmt.Sprintf("old%03d", i))
			}
			ctx, cancel := context.WithCancelCause(context.Background())
			s.ctx = ctx
			requests := 0
			s.port.Fault(porttest.Fault{Path: "/v1/blueprints/service/bulk/entities/delete", Times: -1, Nth: 2, Status: 500, Match: func(*http.Request, []byte) bool {
				if requests++; requests == 2 {
					cancel(errors.New("the runner stopped it"))
				}
				return true
			}})
		}, outcome{left: stopped(), counts: []string{"service: 100 deleted, 50 kept"}, problems: []string{
			`warning: stale entities of blueprint "service" are not deleted: the runner stopped it; fix: run again`}}},
	})
}

func stopped() (left []string) {
	for i := 100; i < 150; i++ {
		left = append(left, fmt.Sprintf("service/old%03d", i))
	}
	return left
}
