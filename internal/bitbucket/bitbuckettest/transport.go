package bitbuckettest

import (
	"net/http"

	"port-bitbucket-exporter/internal/memtransport"
)

// RoundTripper returns a transport that calls the server in process, without a socket, as
// memtransport.RoundTripper says. Whatever host the request names, this server answers.
func (s *Server) RoundTripper() http.RoundTripper { return memtransport.RoundTripper(s) }
