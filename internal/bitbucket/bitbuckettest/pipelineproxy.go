package bitbuckettest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// PipelineProxy is the proxy beside each step of a pipeline, which adds the credential of that pipeline: it
// is asked for addresses of http, and passes on those below one repository. What it refuses, and a credential
// that is sent to it, is a violation.
//
// Source: https://support.atlassian.com/bitbucket-cloud/docs/code-insights/, section on authentication, read
// 2026-11; that it serves no other repository and no tunnel is as users report it.
func (s *Server) PipelineProxy(slug string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if why := s.strays(r, slug); why != "" {
			s.journal.note(r, "pipeline proxy: "+why)
			refuse(http.StatusForbidden, why).write(w, r)
			return
		}
		s.serve(w, r, &credential{Access: Access{Name: ProxyCredential, Limit: -1}, ledger: newLedger()})
	})
}

// ProxyCredential is the name in the journal of the credential that a PipelineProxy adds.
const ProxyCredential = "pipeline"

// proxiedHosts are the hosts that the proxy knows.
var proxiedHosts = []string{"api.bitbucket.org"}

// strays says why the proxy does not pass a request on.
func (s *Server) strays(r *http.Request, slug string) string {
	s.mu.Lock()
	below := s.prefix + "/repositories/" + s.workspace.slug + "/" + slug + "/"
	s.mu.Unlock()
	switch {
	case r.Method == http.MethodConnect:
		return "no tunnel"
	case !strings.HasPrefix(r.RequestURI, "http://"):
		return "a proxy is asked for a whole address of http, not for " + strconv.Quote(r.RequestURI)
	case !slices.Contains(proxiedHosts, r.URL.Host) || r.Host != r.URL.Host:
		return "unknown host " + strconv.Quote(r.URL.Host)
	case r.Header.Get("Authorization") != "":
		return "a credential is sent without encryption"
	case !strings.HasPrefix(r.URL.EscapedPath(), below):
		return "not below the repository of the pipeline"
	}
	return ""
}
