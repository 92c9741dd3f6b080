package transport

import (
	"crypto/tls"
	"errors"
	"fmt"
)

// Untrusted is not nil when the error is that the server's certificate is not
// trusted: another attempt would find the same. It says what to do.
func Untrusted(err error) error {
	var untrusted *tls.CertificateVerificationError
	if !errors.As(err, &untrusted) {
		return nil
	}
	return fmt.Errorf("%w; if an authority of your own has signed it, as that of a proxy, name its certificate in the input ca_file", err)
}
