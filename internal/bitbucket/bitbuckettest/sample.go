package bitbuckettest

import (
	"fmt"
	"maps"
	"time"
)

// Sample is the workspace "acme" of a company that could exist, always the same: 6 projects, 120
// repositories, 300 open pull requests. In it are
//   - names with spaces, capitals, ampersands and emoji, whose slugs differ;
//   - an empty repository ("sandbox"), and one without a project ("legacy-billing");
//   - a repository with 64 open pull requests ("checkout-api"), others with 0 to 6, and closed ones;
//   - authors whose account is deleted, in the old way and the new one, deleted branches, and a deleted fork;
//   - reviewers and participants, and repositories without README.md;
//   - a monorepo ("storefront-frontend"), and files port.yml that tell of six services: with
//     one in each, with several in one, and with values that name other files.
//
// What lists of the newest have, such as pipelines, is of the last days before now. No credential is allowed yet.
func Sample() *Server {
	s := New("acme")
	b := sampler{s: s}
	for _, p := range sampleProjects {
		s.AddProject(Project{Key: p.key, Name: p.name, Description: p.description, Private: true})
	}
	for _, p := range sampleProjects {
		for _, domain := range p.domains {
			for _, part := range p.parts {
				b.repository(p, domain, part)
			}
		}
	}
	s.Furnish()
	return s
}

// Furnish gives the repositories that are there what those of the sample have besides files and pull requests, such as
// pipelines of the days before now.
func (s *Server) Furnish() {
	for _, c := range s.contents() {
		if c, ok := c.(interface{ sample(slugs []string) }); ok {
			c.sample(s.Slugs())
		}
	}
}

type sampleProject struct {
	key, name, description string
	domains                []string
	parts                  []samplePart
}

type samplePart struct{ name, language string }

var sampleProjects = []sampleProject{
	{"PAY", "Payments", "Card and wallet services", []string{"Checkout", "Ledger", "Refunds", "Fraud Check", "Payouts"},
		[]samplePart{{"API", "go"}, {"Worker", "go"}, {"Web", "typescript"}, {"Contracts", ""}}},
	{"PLAT", "Platform & Infrastructure", "What everything else runs on", []string{"Cluster", "Network", "Identity", "Secrets", "Observability"},
		[]samplePart{{"Operator", "go"}, {"Terraform", "hcl"}, {"Charts", "yaml"}, {"CLI", "rust"}}},
	{"MOB", "Mobile Apps 📱", "", []string{"Shopper", "Courier", "Merchant", "Design Kit", "Feature Flags"},
		[]samplePart{{"iOS", "swift"}, {"Android", "kotlin"}, {"Shared", "kotlin"}, {"Snapshot Tests", "ruby"}}},
	{"DATA", "Data & Analytics", "Pipelines, models and reports", []string{"Events", "Warehouse", "Forecast", "Search Ranking", "Catalog"},
		[]samplePart{{"Pipeline", "python"}, {"Models", "python"}, {"Jobs", "scala"}, {"Dashboards", "sql"}}},
	{"CX", "Customer Experience", "Web shop, help centre, mail", []string{"Storefront", "Help Centre", "Mail & Push", "Returns", "Loyalty"},
		[]samplePart{{"Frontend", "typescript"}, {"BFF", "typescript"}, {"Content", ""}, {"E2E", "javascript"}}},
	{"INT", "Internal Tools", "", []string{"On-call", "Payroll", "Hiring", "Legacy Billing", "Sandbox"},
		[]samplePart{{"", "python"}, {"Bot 🤖", "python"}, {"Admin", "php"}, {"Docs", ""}}},
}

var sampleUsers = []User{
	{"Dana Ruiz", "dana"}, {"Amir Haddad", "amir"}, {"Chloé Lefèvre", "chloe"}, {"Jürgen Weiß", "juergen"},
	{"Mei Tanaka", "mei"}, {"Oluwaseun Adeyemi", "seun"}, {"Priya Raman", "priya"}, {"Tomás O'Neill", "tomas"},
	{"Zofia Kowalska", "zofia"}, {"Noah Ben-Ami", "noah"}, {"Ingrid Sørensen", "ingrid"}, {"Li Wei", "liwei"},
}

var sampleTitles = []string{
	"Retry on connection reset", "Bump dependencies", "Fix flaky test in CI", "Add request id to logs",
	"Remove dead feature flag", "Cache lookups for five minutes", "Handle null customer address",
	"Rename \"basket\" to \"cart\"", "Speed up cold start 🚀", "Document the on-call runbook",
	"Split the handler | part 2", "Use UTC everywhere",
}

// sampleFiles are further files of some repositories, by slug and path.
var sampleFiles = map[string]map[string]string{
	"checkout-api": {"port.yml": `identifier: checkout
title: Checkout
blueprint: service
properties:
  tier: 1
  readme: file://./README.md
`},
	"ledger-worker": {"deploy/port.yml": `identifier: ledger
title: Ledger
blueprint: service
properties:
  tier: 1
`},
	"fraud-check-api": {"port.yml": `identifier: fraud-check
title: Fraud check
blueprint: service
properties:
  tier: 2
  readme: file://./README.md
relations:
  dependsOn: [ledger]
`},
	"storefront-frontend": {
		"port.yml": `- identifier: storefront-web
  title: Web shop
  blueprint: service
  properties:
    tier: 1
    readme: file://apps/web/README.md
  relations:
    dependsOn: [checkout, storefront-search]
- identifier: storefront-admin
  title: Shop administration
  blueprint: service
  properties:
    tier: 3
    readme: file://apps/admin/README.md
`,
		"apps/search/port.yml": `identifier: storefront-search
title: Search
blueprint: service
properties:
  tier: 2
  readme: file://./README.md
  runbook: file://../../docs/runbook.md
`,
		"docs/runbook.md":          "# Runbook\n\nLook at the queue first.\n",
		"package.json":             `{"name": "storefront", "private": true, "workspaces": ["apps/*", "packages/*"]}`,
		"apps/web/package.json":    `{"name": "@storefront/web", "version": "4.2.0", "license": "UNLICENSED"}`,
		"apps/web/README.md":       "# Web shop\n",
		"apps/web/src/index.ts":    "export {};\n",
		"apps/admin/package.json":  `{"name": "@storefront/admin", "version": "1.9.3", "license": "UNLICENSED"}`,
		"apps/admin/README.md":     "# Shop administration\n",
		"apps/search/package.json": `{"name": "@storefront/search", "version": "0.8.1", "license": "UNLICENSED"}`,
		"apps/search/README.md":    "# Search\n",
		"packages/ui/package.json": `{"name": "@storefront/ui", "version": "2.0.0", "license": "MIT"}`,
		"packages/ui/src/index.ts": "export {};\n",
		"packages/money/go.mod":    "module example.com/money\n",
	},
}

// samplePulls is how many open pull requests a repository has, in turn: 2 on average over its length.
var samplePulls = []int{2, 0, 3, 1, 0, 6, 2, 1, 4, 0, 3, 2, 0, 5, 1, 2}

// sampleOpen is the number of open pull requests in the sample; the last repositories make up for it.
const sampleOpen = 300

const sampleBusy = 64 // open pull requests of checkout-api

type sampler struct {
	s           *Server
	count, open int
	pulls       int
}

func (b *sampler) repository(p sampleProject, domain string, part samplePart) {
	i := b.count
	b.count++
	name := domain
	if part.name != "" {
		name += " " + part.name
	}
	r := Repository{
		Name: name, ProjectKey: p.key, Private: i%12 != 0, Language: part.language,
		Description: fmt.Sprintf("%s of %s", name, p.name), Size: 20_000 + i*7_919*(1+i%13),
		MainBranch: "main", Files: b.files(i, name, part.language),
	}
	switch {
	case i%17 == 4:
		r.MainBranch = "master"
	case i%29 == 7:
		r.MainBranch = "release/1.x"
	}
	slug := Slug(name)
	if i%10 != 3 {
		r.Name = slug // most teams name a repository as its address reads
	}
	switch slug {
	case "sandbox":
		r.Name, r.Slug, r.MainBranch, r.Files, r.Size = "Sandbox 🧪 (try things here)", slug, "", nil, 0
	case "legacy-billing":
		r.ProjectKey, r.Description = "", ""
	case "hiring-bot":
		r.Name, r.Slug = "R&D Hiring Bot 🤖", slug
	}
	b.s.AddRepository(r)
	if slug != "sandbox" {
		b.pullRequests(i, slug)
	}
}

func (b *sampler) files(i int, name, language string) map[string]string {
	files := map[string]string{
		".gitignore":        "dist/\n",
		"service/build.yml": "name: build\n",
	}
	if i%9 != 5 {
		files["README.md"] = "# " + name + "\n\nRun `make test` before you push.\n"
	}
	if i%3 == 0 {
		files["CODEOWNERS"] = "* @acme/" + Slug(name) + "\n"
	}
	if language == "go" {
		files["go.mod"] = "module example.com/" + Slug(name) + "\n"
	}
	maps.Copy(files, sampleFiles[Slug(name)])
	return files
}

func (b *sampler) pullRequests(i int, slug string) {
	open := min(samplePulls[i%len(samplePulls)], sampleOpen-sampleBusy-b.open)
	if left := 119 - i; left < 4 {
		open = min(6, sampleOpen-sampleBusy-b.open)
	}
	if slug == "checkout-api" {
		open = sampleBusy
	} else {
		b.open += open
	}
	for n := range open {
		b.pullRequest(slug, "OPEN", i+n)
	}
	for n := range i % 3 {
		b.pullRequest(slug, []string{"MERGED", "DECLINED"}[n], i+n+5)
	}
}

func (b *sampler) pullRequest(slug, state string, n int) {
	b.pulls++
	author := sampleUsers[n%len(sampleUsers)]
	p := PullRequest{
		Title: sampleTitles[(n*5+b.pulls)%len(sampleTitles)], State: state, Author: &author, Draft: b.pulls%14 == 3,
		SourceBranch: fmt.Sprintf("feature/%s-%d", slug, b.pulls),
	}
	if b.pulls%4 != 0 {
		p.Description = "Tested on staging.\n\n* see the runbook\n* no migration needed"
	}
	switch b.pulls % 41 {
	case 9:
		p.Author = nil
	case 30:
		p.Author = FormerUser()
	}
	p.DeletedFork, p.DeletedBranches = b.pulls == 70, b.pulls == 71
	for k := range n % 4 {
		u := sampleUsers[(n+1+k*5)%len(sampleUsers)]
		p.Reviewers = append(p.Reviewers, u)
		a := Participant{User: u}
		switch (n + k) % 3 {
		case 0:
			a.Approved, a.State = true, "approved"
		case 1:
			a.State = "changes_requested"
		}
		if a.State != "" {
			a.ParticipatedOn = time.Date(2026, time.November, 1+n%20, 9, 30, 0, 0, time.UTC)
		}
		p.Participants = append(p.Participants, a)
	}
	if n%5 == 0 {
		p.Participants = append(p.Participants, Participant{User: sampleUsers[(n+3)%len(sampleUsers)], Role: "PARTICIPANT"})
	}
	b.s.AddPullRequest(slug, p)
}
