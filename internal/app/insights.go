package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/face"
	"port-bitbucket-exporter/internal/input"
	"port-bitbucket-exporter/internal/insights"
	"port-bitbucket-exporter/internal/platform"
	"port-bitbucket-exporter/internal/report"
	"port-bitbucket-exporter/internal/transport"
)

// The longest that the report to Bitbucket may delay the end of a run.
const (
	insightsTime     = 30 * time.Second
	insightsStopTime = 3 * time.Second // after a signal: a second one may come
	proxyDialTime    = 3 * time.Second
)

// sendInsights shows the run on the commit of the pipeline that it is in. It comes last, so that the
// report is whole, and before the other forms, which hold its failure: that is a notice, since the
// run is what it is.
//
// Requests by the credential count as the others to Bitbucket do. Those by the proxy of the pipeline
// do not: they spend none of the credential's allowance.
func sendInsights(ctx context.Context, s *session) {
	mode := s.config.CodeInsights
	if mode != input.InsightsAuto && mode != input.InsightsOn {
		return
	}
	workspace, repository, hash := platform.Commit(s.getenv)
	if hash == "" {
		if mode == input.InsightsOn {
			s.insightsFailed(errNoCommit, "run in a step of Bitbucket Pipelines, or set code_insights to auto")
		}
		return
	}
	s.report.Scrub(s.scrubber.Redact)
	of := face.Insights(s.report, report.FailOn(s.config.FailOn))
	if of == nil {
		return
	}
	limit := insightsTime
	if ctx.Err() != nil {
		limit = insightsStopTime
	}
	ctx, stop := context.WithTimeoutCause(context.WithoutCancel(ctx), limit, errInsightsTime)
	defer stop()
	document := insights.Document{ID: of.ID, Report: of.Report}
	for _, a := range of.Annotations {
		document.Annotations = append(document.Annotations, a)
	}
	on := insights.Commit{Workspace: workspace, Repository: repository, Hash: hash}

	agent := program + "/" + Version()
	network := s.proxyNetwork()
	proxied := insights.Through(platform.PipelineProxy(s.getenv), transport.Log(network, s.local, &transport.Budget{}))
	err := insights.New(insights.ProxiedAPI, agent, proxied).Send(ctx, on, document)
	if t, ok := network.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
	if errors.Is(err, insights.ErrNoProxy) {
		if mode == input.InsightsAuto {
			return
		}
		if s.clients != nil {
			err = insights.New(s.config.BitbucketHostURL, agent, s.clients.bitbucket.Transport).Send(ctx, on, document)
			s.report.BitbucketRequests = s.clients.bitbucket.Requests()
		}
	}
	s.report.Duration = time.Since(s.report.Started)
	if err != nil {
		s.insightsFailed(err, insightsFix(err))
	}
}

var (
	errNoCommit     = errors.New("no commit of Bitbucket Pipelines is known: BITBUCKET_REPO_FULL_NAME and BITBUCKET_COMMIT are not set")
	errInsightsTime = errors.New("it took too long")
)

// proxyNetwork is the network without the proxies that the environment names.
func (s *session) proxyNetwork() http.RoundTripper {
	if s.Transport != nil {
		return s.Transport
	}
	return &http.Transport{DialContext: (&net.Dialer{Timeout: proxyDialTime}).DialContext}
}

func (s *session) insightsFailed(err error, fix string) {
	p := diag.Problem{Severity: diag.Notice, Message: "Bitbucket shows no report of this run (input code_insights): " + err.Error(), Fix: fix}
	s.report.Note(p)
	if !s.command.checkOnly { // whose notices are annotated
		s.local.Info(face.Line(p.Redacted(s.scrubber.Redact)))
	}
}

// insightsFix says what to do about a report that was not sent.
func insightsFix(err error) string {
	const leave = "set code_insights to false"
	var refused *insights.Error
	switch {
	case errors.Is(err, insights.ErrNoProxy):
		return "run in a step or a pipe of Bitbucket Pipelines, or " + leave
	case errors.Is(err, transport.ErrBudget):
		return "raise max_requests, or " + leave
	case !errors.As(err, &refused) || transport.Passing(refused.Status) || refused.Status == http.StatusTooManyRequests:
		return "run again; if it stays so, look at https://bitbucket.status.atlassian.com, or " + leave
	case len(refused.Required) > 0:
		return "give the credential the scope " + strings.Join(refused.Required, ", ") + ", or " + leave
	case refused.Status == http.StatusUnauthorized, refused.Status == http.StatusForbidden, refused.Status == http.StatusNotFound:
		return "have the pipeline run in the repository that it reports on, with a credential that may read it (scope repository, or read:repository:bitbucket of an API token), or " + leave
	}
	return leave + ", and report this as a fault of this program"
}
