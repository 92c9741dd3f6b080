// Package browsertest shows pages in a headless Chromium: what a test knows of a page is what
// a person sees of it.
//
// Without Chromium tests skip, and say so; where the variable BROWSER_TESTS is "required" they
// fail. The folder that BROWSER_SHOTS names keeps the pictures that tests take.
package browsertest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// required is the value of BROWSER_TESTS with which what is not installed fails a test.
const required = "required"

// Need returns the path of a program that a test runs, the first of these names that is
// installed. Without one the test is skipped, or fails where the browser tests are required.
func Need(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Missing(t, fmt.Sprintf("%s is not installed", names[0]))
	return ""
}

// Missing skips a test for a reason, or fails it where the browser tests are required.
func Missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("BROWSER_TESTS") == required {
		t.Fatalf("%s, and BROWSER_TESTS is %q", why, required)
	}
	t.Skipf("SKIPPED: %s", why)
}

// the is the browser of the test binary: it starts with the first page, and Main ends it.
var the struct {
	sync.Mutex
	*browser
}

// Main runs the tests of a package, ends the browser that they started, and returns the exit
// status. It is what TestMain of a package that shows pages calls.
func Main(m *testing.M) int {
	status := m.Run()
	if the.browser != nil {
		if err := the.close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return max(status, 1)
		}
	}
	return status
}

// browser is a running Chromium, which takes commands of the DevTools protocol on a pipe.
//
// Source: https://chromedevtools.github.io/devtools-protocol/ and, for the pipe, the comment of
// https://source.chromium.org/chromium/chromium/src/+/main:content/browser/devtools/devtools_pipe_handler.cc,
// read 2026-11.
type browser struct {
	command *exec.Cmd
	profile string
	commands,
	answers *os.File
	output bytes.Buffer  // what Chromium prints
	gone   chan struct{} // closed when there are no more answers

	mu    sync.Mutex
	last  int
	waits map[int]chan message
	pages map[string]func(message) // by session
}

// message is a command, the answer to one, or an event.
type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// flags let Chromium run as root, in a container, and reach no network.
var flags = []string{
	"--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
	"--host-resolver-rules=MAP * ~NOTFOUND", "--disable-background-networking", "--disable-component-update",
	"--disable-sync", "--disable-extensions", "--disable-default-apps", "--no-first-run", "--no-default-browser-check",
	"--hide-scrollbars", "--force-color-profile=srgb", "--font-render-hinting=none", "--mute-audio", "--renderer-process-limit=2",
}

// start returns the browser of the test binary.
func start(t testing.TB) *browser {
	t.Helper()
	the.Lock()
	defer the.Unlock()
	if the.browser == nil {
		path := Need(t, "chromium", "chromium-browser", "google-chrome")
		b, err := launch(path)
		if err != nil {
			t.Fatal(err)
		}
		the.browser = b
	}
	return the.browser
}

func launch(path string) (*browser, error) {
	profile, err := os.MkdirTemp("", "browsertest-")
	if err != nil {
		return nil, err
	}
	theirCommands, commands, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	answers, theirAnswers, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	b := &browser{profile: profile, commands: commands, answers: answers,
		gone: make(chan struct{}), waits: map[int]chan message{}, pages: map[string]func(message){}}
	b.command = exec.Command(path, append(flags, "--user-data-dir="+profile, "about:blank")...)
	b.command.Stdout, b.command.Stderr = &b.output, &b.output
	b.command.ExtraFiles = []*os.File{theirCommands, theirAnswers} // become the descriptors 3 and 4
	if err := b.command.Start(); err != nil {
		return nil, err
	}
	go b.read()
	return b, errors.Join(theirCommands.Close(), theirAnswers.Close())
}

// close ends the browser, which ends itself when its pipe does.
func (b *browser) close() error {
	closed := b.commands.Close()
	<-b.gone
	_ = b.command.Wait() // how it ends is of no interest
	return errors.Join(closed, b.answers.Close(), os.RemoveAll(b.profile))
}

// read takes messages, each of which ends with a zero byte, until the browser has ended.
func (b *browser) read() {
	defer close(b.gone)
	for in := bufio.NewReaderSize(b.answers, 1<<20); ; {
		text, err := in.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if json.Unmarshal(text[:len(text)-1], &m) != nil {
			continue
		}
		b.mu.Lock()
		wait, event := b.waits[m.ID], b.pages[m.Session]
		delete(b.waits, m.ID)
		b.mu.Unlock()
		switch {
		case wait != nil:
			wait <- m
		case event != nil && m.Method != "":
			event(m)
		}
	}
}

// call sends a command and puts its result into result, which may be nil.
func (b *browser) call(session, method string, params, result any) error {
	raw, err := json.Marshal(params)
	if err != nil {
		return err
	}
	wait := make(chan message, 1)
	b.mu.Lock()
	b.last++
	command, err := json.Marshal(message{ID: b.last, Session: session, Method: method, Params: raw})
	b.waits[b.last] = wait
	if err == nil {
		_, err = io.Copy(b.commands, bytes.NewReader(append(command, 0)))
	}
	b.mu.Unlock()
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case <-b.gone:
		return fmt.Errorf("%s: Chromium has ended: %s", method, b.output.String())
	case m := <-wait:
		if m.Error != nil {
			return fmt.Errorf("%s: %s", method, m.Error.Message)
		}
		if result == nil {
			return nil
		}
		return json.Unmarshal(m.Result, result)
	}
}
