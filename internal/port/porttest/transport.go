package porttest

import (
	"net/http"

	"port-bitbucket-exporter/internal/inprocess"
)

// RoundTripper returns a transport that calls the server in process, without a socket, as
// inprocess.RoundTripper says. Whatever host the request names, this server answers.
func (s *Server) RoundTripper() http.RoundTripper { return inprocess.RoundTripper(s) }
