package app_test

import (
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

// latency is what each answer of either service takes, in a world that is far away.
const latency = 50 * time.Millisecond

// far puts a virtual world behind long lines, without a bound on requests.
func far(w *world) *world {
	w.bitbucket.AllowToken(token, bitbuckettest.Access{Limit: -1})
	hosts := w.transport.(hosts)
	for host, inner := range hosts {
		hosts[host] = late{inner, latency}
	}
	w.port.Configure(porttest.Options{NoJournalBodies: true})
	w.env["SOURCE_READER"], w.env["BITBUCKET_RATE_LIMIT"] = "rest", "1000000/1h"
	return w
}

// What Port is asked before Bitbucket is the first time goes side by side, except where one
// request needs the answer to another.
func TestWallTimeBeforeBitbucket(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		env     map[string]string
		world   func(*testing.T, *bitbuckettest.Server) *world
		runs    int
		answers time.Duration // one after the other before the last run asks Bitbucket
	}{
		// The login, the integration, the list of blueprints.
		{"second run", nil, virtual, 2, 3},
		// And the creation of the integration.
		{"given mapping", map[string]string{"MAPPING": repositories}, virtual, 1, 4},
		{"default mapping", nil, virtual, 1, 4},
		// And reading the blueprints, making the last and the others, relating them, finishing
		// the last, and the integration's word that they are made.
		{"default blueprints", nil, virtualWithoutBlueprints, 1, 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := far(tt.world(t, smallBitbucket()))
				var start time.Time
				for range tt.runs {
					w.bitbucket.ResetJournal()
					start = time.Now()
					w.run(tt.env).check(t, 0, "success")
					w.port.Age(time.Minute)
				}
				if got := w.bitbucket.Journal()[0].Time.Sub(start) - latency; got != tt.answers*latency {
					t.Errorf("Bitbucket is asked after %v, want %v", got, tt.answers*latency)
				}
			})
		})
	}
}
