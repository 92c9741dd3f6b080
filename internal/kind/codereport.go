package kind

import (
	"context"
	"fmt"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

var codeReport = define(Kind{
	Name: "code-report", Aliases: []string{"code-reports", "report", "code-insights", "code-scanning"},
	Manual: Manual{
		What:     "[reports of Code Insights](https://developer.atlassian.com/cloud/bitbucket/rest/api-group-reports/) on the last commit of the main branch",
		Requests: "1 for each repository that is not empty",
		Scope:    "repository", APIScope: "read:repository:bitbucket",
	},
	Objects: shape.Kind{
		Object: withRepository("type uuid id* title details external_id reporter link remote_link_enabled? logo_url report_type result " +
			"data[type title value*] created_on updated_on links{self{href}}"),
		Identifier: `.__repository.slug + "/reports/" + (.uuid | gsub("[{}]"; ""))`,
		Missing:    map[string]string{".commit.hash": "write .__repository.mainbranch.target.hash", ".repository.slug": "write .__repository.slug"},
	},
	place: inRepository,
}, extractAged[reportSelector])

type reportSelector struct {
	ofRepositories
	ReportTypes []reportType `yaml:"reportTypes" help:"Takes reports of these types alone: all when it is absent."`
}

// reportType is what a report is about.
type reportType string

// reportTypes are those that Bitbucket has.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-reports/, read 2026-11.
var reportTypes = []string{"SECURITY", "COVERAGE", "TEST", "BUG"}

// Values are the names of types.
func (reportType) Values() []string { return reportTypes }

func (s reportSelector) selective() bool { return s.narrowed() || len(s.ReportTypes) > 0 }

func (s reportSelector) problems(raw mapping.Selector) diag.Problems {
	return append(s.walked.problems(raw), checkEach(raw, "reportTypes", s.ReportTypes, reportTypes, "type of report")...)
}

// aged is the list of the reports on the head of the main branch, which the list of repositories
// names. Where it does not, the branch is asked for; an empty repository has no reports.
//
// API: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-reports/#api-repositories-workspace-repo-slug-commit-commit-reports-get
func (s reportSelector) aged(c *bitbucket.Client, r bitbucket.Repository, _ parts) aged {
	a := s.listOf(c, r, "code-report", "uuid", "commit", r.Hash, "reports")
	a.endpoint.Key = keyOf("uuid", "external_id", "id")
	a.none = r.Hash == "" && r.MainBranch == ""
	if r.Hash == "" {
		a.place = func(ctx context.Context) (string, error) {
			head, err := c.Head(ctx, r.Slug, r.MainBranch)
			return c.Path("repositories", r.Slug, "commit", head, "reports"), err
		}
	}
	a.only = among("report_type", s.ReportTypes)
	a.name = func(o Object) string { return fmt.Sprintf("%s report %v", r.Slug, o["title"]) }
	return a
}
