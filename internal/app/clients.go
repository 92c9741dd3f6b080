package app

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	// Where a system has no certificates to trust, as an image of this binary alone, Go uses those.
	_ "golang.org/x/crypto/x509roots/fallback"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/input"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/transport"
)

// clients are those of both services, and the network that they share.
type clients struct {
	bitbucket *bitbucket.Client
	port      *port.Client
	network   *http.Transport // nil when the process has a transport of its own
}

// close closes the connections that are open. Nil has none.
func (c *clients) close() {
	if c != nil && c.network != nil {
		c.network.CloseIdleConnections()
	}
}

// newClients makes the clients; it sends nothing. Each token that Port gives is hidden by
// mask before its first use. The credentials have spent so much before, in order.
func newClients(w world, c input.Config, spent [][]transport.Spending, told console) (*clients, error) {
	if err := checkProxy(w.environment); err != nil {
		return nil, err
	}
	var source transport.Rate
	if r := c.SourceRate; r != nil {
		source = transport.Rate{N: r.N, Window: r.Window}
	}
	var git bitbucket.GitConfig
	if uses, _ := c.UsesGit(); uses {
		git = bitbucket.GitConfig{BaseURL: c.GitHostURL, Rate: transport.Rate{N: c.GitRate.N, Window: c.GitRate.Window}}
	}
	all, log, mask := &clients{}, told.log, told.platform.Mask
	through := all.transport(w, c)
	credentials, err := credentialsOf(c, through, log, mask)
	if err != nil {
		return nil, err
	}
	all.bitbucket, err = bitbucket.New(bitbucket.Config{
		BaseURL: c.BitbucketHostURL, Workspace: c.Workspace,
		Credentials: credentials, CredentialKind: kindOf(c.Credentials),
		Rate:        transport.Rate{N: c.RateLimit.N, Window: c.RateLimit.Window},
		SourceRate:  source,
		MaxRequests: c.MaxRequests.N, Auto: c.MaxRequests.Auto, Spent: spent,
		Git:         git,
		Concurrency: c.Concurrency,
		UserAgent:   program + "/" + Version(),
		Transport:   through, Log: log.With(diag.About{Phase: diag.Extract}.Attr()), Progress: told.progress,
	})
	if err != nil {
		return nil, err
	}
	all.port = port.New(port.Config{
		BaseURL: c.PortBaseURL, ClientID: c.PortClientID.Reveal(), ClientSecret: c.PortClientSecret.Reveal(),
		Identifier: c.IntegrationIdentifier, Version: Version(),
		Transport: through, Log: log, Progress: told.progress,
		OnToken: func(token string) { mask(token) },
	})
	return all, nil
}

// transport returns that of the process, or the network's: through the proxies that the
// environment names, and with the authorities of the input ca_file.
func (c *clients) transport(w world, config input.Config) http.RoundTripper {
	if w.Transport != nil {
		return w.Transport
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 100 // the most that the input concurrency allows: else a connection a request
	if len(config.Authorities) > 0 {
		t.TLSClientConfig = &tls.Config{RootCAs: authorities(config.Authorities), MinVersion: tls.VersionTLS12}
	}
	c.network = t
	return transport.Proxied(t)
}

// authorities returns the system's and the given ones. Where the system has none, as in
// an empty image, the given ones are all.
func authorities(pem []byte) *x509.CertPool {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	pool.AppendCertsFromPEM(pem) // at least one, as the input was checked
	return pool
}

// proxies are the variables that name the proxy for https; the first one counts.
//
// Source: https://pkg.go.dev/net/http#ProxyFromEnvironment, read 2026-11.
var proxies = []string{"HTTPS_PROXY", "https_proxy"}

// checkProxy refuses a proxy that Go would skip in silence, or mistake. The error does not
// quote the variable, which may hold a password.
func checkProxy(environment map[string]string) error {
	for _, name := range proxies {
		address := environment[name]
		if address == "" {
			continue
		}
		if !strings.Contains(address, "://") {
			address = "http://" + address
		}
		if u, err := url.Parse(address); err != nil || u.Host == "" {
			return &usageError{err: fmt.Errorf("the environment variable %s is not the address of a proxy: write http://host:port, with user:password@ before the host where it wants them, each character but letters and digits as %%XX", name)}
		}
		return nil
	}
	return nil
}

// proxySecrets returns the credentials in the addresses of proxies, since an error may
// quote such an address.
func proxySecrets(environment map[string]string) []string {
	var secrets []string
	for _, name := range proxies {
		at := strings.LastIndex(environment[name], "@")
		if at < 0 {
			continue
		}
		user := environment[name][:at]
		if _, after, found := strings.Cut(user, "//"); found {
			user = after
		}
		_, password, _ := strings.Cut(user, ":")
		plain, err := url.PathUnescape(password)
		if err != nil {
			plain = ""
		}
		secrets = append(secrets, user, password, plain)
	}
	return secrets
}
