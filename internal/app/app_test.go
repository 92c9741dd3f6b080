package app_test

import (
	"testing"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

func TestDefaultMappingEndToEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, bitbuckettest.Sample())
	first := w.run(nil)
	t.Log(first.status, first.stdout, first.stderr)
	w.port.Age(time.Hour)
	second := w.run(nil)
	t.Log(second.status, second.stdout, second.stderr)
	t.Log(w.bitbucket.Violations(), w.port.Violations())
}
