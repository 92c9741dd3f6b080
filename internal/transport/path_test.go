package transport_test

import (
	"net/url"
	"testing"

	"port-bitbucket-exporter/internal/transport"
)

func TestCheckPath(t *testing.T) {
	t.Parallel()
	for address, refused := range map[string]bool{
		"https://a.test": false, "https://a.test/v1/a.b/..c/d../...": false, "https://a.test/a?b=../c": false, "https://a.test/a%2F..%2Fb": false,
		"https://a.test/a/../b": true, "https://a.test/..": true, "https://a.test/a/./b": true, "https://a.test/a/%2e%2E/b": true, "https://a.test/.%2e": true,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if err := transport.CheckPath(u); (err != nil) != refused {
			t.Errorf("%s: got %v, want refused %v", address, err, refused)
		}
	}
}
