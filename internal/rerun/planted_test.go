package rerun_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// plants are memories that somebody else has put in place of the last one: older is one of
// the same runs, foreign one of another installation.
var plants = map[string]func(h *history, older, foreign string){
	"forged": func(h *history, _, _ string) {
		h.files(func(b []byte) []byte { return bytes.Repeat([]byte{0xa5}, len(b)) })
	},
	"truncated":      func(h *history, _, _ string) { h.files(func(b []byte) []byte { return b[:len(b)/2] }) },
	"replayed older": func(h *history, older, _ string) { h.replace(older) },
	"foreign":        func(h *history, _, foreign string) { h.replace(foreign) },
	"swapped": func(h *history, _, _ string) { // each file has the bytes of the next
		var all [][]byte
		h.files(func(b []byte) []byte { all = append(all, b); return b })
		n := 0
		h.files(func([]byte) []byte { n++; return all[n%len(all)] })
	},
	"older files beside the newest manifest": func(h *history, older, _ string) {
		manifest, err := os.ReadFile(filepath.Join(h.memory(), "manifest"))
		h.replace(older)
		if err != nil || os.WriteFile(filepath.Join(h.memory(), "manifest"), manifest, 0o666) != nil {
			h.t.Errorf("the manifest: %v", err)
		}
	},
}

// files rewrites each file of the memory.
func (h *history) files(f func([]byte) []byte) {
	h.t.Helper()
	names, err := filepath.Glob(filepath.Join(h.memory(), "*"))
	if err != nil || len(names) < 2 {
		h.t.Fatalf("the memory has the files %q: %v", names, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			h.t.Fatal(err)
		}
		if err := os.WriteFile(name, f(slices.Clone(text)), 0o666); err != nil {
			h.t.Fatal(err)
		}
	}
}

// TestPlantedMemories runs the program with a memory that somebody else has put there, once
// with few requests and then with all: it costs requests, and neither an entity nor the truth.
func TestPlantedMemories(t *testing.T) {
	t.Parallel()
	for name, plant := range plants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newHistory(t, 0)
				h.run()
				older := h.copyOf()
				time.Sleep(time.Hour)
				for range 6 {
					h.edited.edit()
				}
				h.note("the runs after")
				h.run().is("success", int(h.api.Load()), 0)
				time.Sleep(time.Hour)
				foreign := newHistory(t, 0) // of the same names, and not the same contents
				foreign.edited.random = rand.New(rand.NewPCG(7, 7))
				for range 20 {
					foreign.edited.edit()
				}
				foreign.env["PORT_CLIENT_SECRET"] = "the secret of somebody else"
				foreign.port.AllowClient(clientID, "the secret of somebody else")
				foreign.run()
				before := catalogOf(h.port)
				plant(h, older, foreign.copyOf())
				few := h.run("MAX_REQUESTS=2")
				if diff := cmp.Diff(catalogOf(h.port), before); diff != "" {
					t.Errorf("with few requests the catalog changes (-got +want):\n%s\n%s%s", diff, few.stdout, few.stderr)
				}
				if few.report.Deleted > 0 || few.report.FromMemory > 0 {
					t.Errorf("got %d deleted, and the lists of %d repositories from memory; want none:\n%s", few.report.Deleted, few.report.FromMemory, few.stdout)
				}
				time.Sleep(2 * time.Hour)
				if r := h.run(); r.report.Status != "success" || r.report.Deleted > 0 {
					t.Errorf("the run after is %s, with %d deleted:\n%s%s", r.report.Status, r.report.Deleted, r.stdout, r.stderr)
				}
				h.equalsTruth()
			})
		})
	}
}
