package app

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"port-bitbucket-exporter/internal/transport"
)

// transport is that of the process, or the network's: through the proxies that the
// environment names, and with the authorities of the input ca_file.
func (a *app) transport() http.RoundTripper {
	if a.Transport != nil {
		return a.Transport
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 100 // the most that the input concurrency allows: else a connection a request
	if len(a.config.Authorities) > 0 {
		t.TLSClientConfig = &tls.Config{RootCAs: authorities(a.config.Authorities), MinVersion: tls.VersionTLS12}
	}
	a.network = t
	return transport.Proxied(t)
}

// authorities are the system's and the given ones. Where the system has none, as in
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

// checkProxy refuses a proxy that Go would leave out without a word, or mistake. What the
// variable holds is not told: it may be a password.
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
			return &usageError{err: fmt.Errorf("the environment variable %s is no address of a proxy: write http://host:port, with user:password@ before the host where it wants them, each character but letters and digits as %%XX", name)}
		}
		return nil
	}
	return nil
}

// proxySecrets are the credentials in the addresses of proxies: an error may quote
// such an address.
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

// hangUp closes the connections that are open.
func (a *app) hangUp() {
	if a.network != nil {
		a.network.CloseIdleConnections()
	}
}
