package bitbucket

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// maxRedirects is how many redirects on the same host are followed: a renamed
// repository answers with one.
const maxRedirects = 3

var errRedirect = errors.New("redirect refused")

// Redirected reports whether an error is a redirect that is not followed.
func Redirected(err error) bool { return errors.Is(err, errRedirect) }

// elsewhere is a redirect to another host.
type elsewhere struct {
	host string
	// media is true when it leads to where the vendor keeps files of Git LFS.
	media bool
}

func (e *elsewhere) Error() string {
	return fmt.Sprintf("%v: to host %q, where the credential must not go", errRedirect, e.host)
}

func (e *elsewhere) Is(target error) bool {
	return target == errRedirect || target == ErrElsewhere && e.media
}

// media tells the redirect of a file of Git LFS from that of a proxy, say, which wants
// a login: the one is a 301, or leads to the vendor. For the other the file is there.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-source/#api-repositories-workspace-repo-slug-src-commit-path-get, read 2026-11.
func media(req *http.Request) bool {
	host := strings.ToLower(req.URL.Hostname())
	return req.Response != nil && req.Response.StatusCode == http.StatusMovedPermanently || strings.HasSuffix(host, ".atlassian.com")
}

// sameHost reports whether an address is one of a service, to which its credentials may go.
func sameHost(base, u *url.URL) bool {
	return u.Scheme == base.Scheme && strings.EqualFold(u.Host, base.Host)
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.Unmap().IsLoopback()
}

// tooMany is not nil when one more redirect is too many.
func tooMany(via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("%w: more than %d in a row", errRedirect, maxRedirects)
	}
	return nil
}

// mediaHost is where the vendor keeps files of Git LFS.
//
// Source: a recorded answer of 302, read 2026-11.
const mediaHost = "api.media.atlassian.com"

// toMedia reports whether an error is a redirect to there: others of ErrElsewhere may be of a
// host that wants a login.
func toMedia(err error) bool {
	var e *elsewhere
	return errors.As(err, &e) && e.media && strings.EqualFold(e.host, mediaHost)
}
