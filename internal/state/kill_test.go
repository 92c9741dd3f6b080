package state

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	if folder := os.Getenv("STATE_TEST_FOLDER"); folder != "" {
		putForEver(folder)
	}
	os.Exit(m.Run())
}

func config(folder string) Config {
	return Config{Folder: folder, Secret: "secret", Workspace: "acme", Identifier: "main"}
}

// snapshot is the folder as a run leaves it that is killed now.
func snapshot(t *testing.T, folder string) string {
	t.Helper()
	to := t.TempDir()
	all, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		from := filepath.Join(folder, f.Name())
		switch filepath.Ext(from) {
		case segmentEnd: // is never written again
			err = os.Link(from, filepath.Join(to, f.Name()))
		default:
			var text []byte
			if text, err = os.ReadFile(from); err == nil {
				err = os.WriteFile(filepath.Join(to, f.Name()), text, 0o666)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// write puts versions of values in an order: the n-th put is version n / keys of key n % keys.
func write(s *Store, from, puts, keys int) {
	for n := from; n < from+puts; n++ {
		s.Put([]byte(strconv.Itoa(n/keys)), Text, strconv.Itoa(n%keys))
	}
}

// written returns how many of the puts of write a memory knows, which must be the first ones.
func written(t *testing.T, s *Store, keys int) (puts int) {
	t.Helper()
	versions := make([]int, keys)
	for key := range versions {
		v, ok := s.Get(Text, strconv.Itoa(key))
		if !ok {
			continue
		}
		n, err := strconv.Atoi(string(v))
		if err != nil {
			t.Fatalf("key %d: got %q", key, v)
		}
		versions[key] = n + 1
		puts += n + 1
	}
	for key, n := range versions {
		want := puts / keys
		if key < puts%keys {
			want++
		}
		if n != want {
			t.Fatalf("key %d: got version %d, want %d, as %d puts leave it", key, n-1, want-1, puts)
		}
	}
	return puts
}

// A run that is killed between any two steps leaves what it, or the one before, has flushed.
func TestKill(t *testing.T) {
	t.Parallel()
	const keys, before, during = 150, 100, 10 * flushValues
	folder := t.TempDir()
	last, kills := 0, 0
	check := func(does string) {
		if strings.HasPrefix(does, "read ") {
			return
		}
		kills++
		s, why := Open(config(snapshot(t, folder)))
		if s == nil || why != "" && (last > 0 || why != "it is empty") {
			t.Fatalf("killed before %q: %s", does, why)
		}
		puts := written(t, s, keys)
		if puts < last || puts > last+flushValues {
			t.Fatalf("killed before %q: got %d puts, want %d, or one flush more", does, puts, last)
		}
		last = puts
		// The next run can write, and leaves no rests.
		s.Put([]byte("x"), Run)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		all, err := os.ReadDir(s.config.Folder)
		if err != nil || len(all) > 2+4 {
			t.Fatalf("killed before %q: %d files are left: %v %v", does, len(all), all, err)
		}
	}
	next := 0
	for _, puts := range []int{before, during} {
		s, _ := open(config(folder), func(does string) error { check(does); return nil })
		write(s, next, puts, keys)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		next += puts
		check("the end")
		if last != next {
			t.Errorf("got %d puts, want %d", last, next)
		}
	}
	if kills < 50 {
		t.Errorf("a run has %d steps", kills)
	}
}

// unnamed are the files of a folder that its manifest does not name.
func unnamed(t *testing.T, c Config) (left []string) {
	t.Helper()
	s, why := open(Config{c.Folder, c.Secret, c.Workspace, c.Identifier, 0, true}, func(string) error { return nil })
	if why != "" {
		t.Fatal(why)
	}
	defer s.Close()
	all, err := os.ReadDir(c.Folder)
	if err != nil {
		t.Fatal(err)
	}
	named := manifest{s.memory.groups}.names()
	for _, f := range all {
		if ours.MatchString(f.Name()) && !named[f.Name()] {
			left = append(left, f.Name())
		}
	}
	return left
}

// A run that reads while another one replaces files reads what that one has made of them.
func TestReadBesideWriter(t *testing.T) {
	t.Parallel()
	c := config(t.TempDir())
	for n := range 2 {
		s, _ := Open(c)
		write(s, n*100, 100, 100)
		if n == 0 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			continue
		}
		c.ReadOnly = true
		closed := false
		reader, why := open(c, func(does string) error {
			if strings.HasSuffix(does, segmentEnd) && !closed {
				closed = true
				return s.Close()
			}
			return nil
		})
		if why != "" || written(t, reader, 100) != 200 {
			t.Errorf("got %q", why)
		}
		if err := reader.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A disk that is full, for a while or from then on, at any step: the run goes on, Close returns
// once, and the memory is what was flushed.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	const keys, before, during = 150, 100, 9 * flushValues
	full := errors.New("no space left on device")
	begin := t.TempDir()
	s, _ := Open(config(begin))
	write(s, 0, before, keys)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	stride := 7
	if os.Getenv("TESTS") == "full" { // as .ci/run lets them
		stride = 1
	}
	for _, forEver := range []bool{true, false} {
		for at := 1; ; at += stride {
			steps, failed := 0, ""
			c := config(snapshot(t, begin))
			s, why := open(c, func(does string) error {
				if strings.HasPrefix(does, "read ") {
					return nil
				}
				if steps++; steps == at || forEver && steps > at {
					failed = does
					return full
				}
				return nil
			})
			if s == nil || why != "" {
				t.Fatalf("step %d: %s", at, why)
			}
			write(s, before, during, keys)
			err := s.Close()
			if failed == "" {
				if at < 40 {
					t.Errorf("a run has %d steps", at)
				}
				break
			}
			if !strings.HasPrefix(failed, "remove") && (!errors.Is(err, full) || !strings.Contains(err.Error(), c.Folder)) {
				t.Errorf("no room for %q: Close returns %v", failed, err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("Close returns it again: %v", err)
			}
			if left := unnamed(t, c); len(left) > 0 && !forEver && !strings.HasPrefix(failed, "remove") {
				t.Errorf("no room for %q: %q are left", failed, left)
			}
			next, why := Open(c)
			if next == nil || why != "" {
				t.Fatalf("no room for %q: %s", failed, why)
			}
			puts := written(t, next, keys)
			if err == nil && puts != before+during || puts < before {
				t.Errorf("no room for %q: got %d puts of %d, and the error %v", failed, puts, before+during, err)
			}
			if err := next.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// putForEver, in a process to be killed, prints the number of each put.
func putForEver(folder string) {
	s, why := Open(config(folder))
	fmt.Println(why)
	for n := 0; ; n++ {
		write(s, n, 1, 500)
		if _, err := fmt.Println(n); err != nil {
			os.Exit(1)
		}
	}
}

// Each process puts all keys before it is killed, so that no put of the one before shows.
func TestKilledProcess(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for run := range 3 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), "STATE_TEST_FOLDER="+folder)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		told, lines := 0, bufio.NewScanner(out)
		for lines.Scan() {
			if told, _ = strconv.Atoi(lines.Text()); told > 700+100*run {
				break
			}
		}
		if s, why := Open(config(folder)); s != nil || why != "another run uses it" {
			t.Errorf("beside a run: got %v, %q", s, why)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		s, why := Open(config(folder))
		if s == nil || why != "" {
			t.Fatalf("behind a killed run: %s", why)
		}
		if puts := written(t, s, 500); puts < told-flushValues {
			t.Errorf("got %d puts, of %d", puts, told)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
