package app_test

import (
	"crypto/x509"
	"os"
	"os/exec"
	"testing"
)

// rootless is set in a process of its own in which the system has no certificates.
const rootless = "PORT_EXPORTER_TEST_ROOTLESS"

// An image holds the binary alone: it brings the certificates by which it knows its services.
func TestCertificatesWithoutASystem(t *testing.T) {
	t.Parallel()
	if os.Getenv(rootless) != "" {
		pool, err := x509.SystemCertPool()
		if err != nil || pool.Equal(x509.NewCertPool()) {
			t.Errorf("nothing is trusted: %v", err)
		}
		return
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.run", "^"+t.Name()+"$")
	nowhere := t.TempDir()
	cmd.Env = append(os.Environ(), rootless+"=1", "SSL_CERT_FILE="+nowhere+"/none", "SSL_CERT_DIR="+nowhere)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
