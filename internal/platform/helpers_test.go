package platform

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// fixture is a platform with what it wrote.
type fixture struct {
	Platform
	out      *bytes.Buffer
	scrubber *Scrubber
	dir      string
	env      map[string]string
}

func newFixture(t *testing.T, env map[string]string) fixture {
	t.Helper()
	f := fixture{out: &bytes.Buffer{}, scrubber: &Scrubber{}, dir: t.TempDir(), env: env}
	f.Platform = Detect(World{Getenv: f.getenv, Stdout: f.out, Dir: "/checkout/sub", Scrubber: f.scrubber})
	return f
}

func (f fixture) getenv(name string) string { return f.env[name] }

func (f fixture) path(name string) string { return filepath.Join(f.dir, name) }

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// broken is a writer that cannot write.
type broken struct{}

var errBroken = errors.New("broken pipe")

func (broken) Write([]byte) (int, error) { return 0, errBroken }
