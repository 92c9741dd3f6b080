package browsertest

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Page is a page in the browser. Pages may be used side by side, and one page by one goroutine
// at a time.
type Page struct {
	t       testing.TB
	b       *browser
	session string
	loaded  chan struct{}

	mu   sync.Mutex
	file string
	bad  []string
}

// New returns an empty page of this width and height in CSS pixels. At the end of the test it
// fails where a page asked for anything but itself, opened a dialog, or had an error.
func New(t testing.TB, width, height int) *Page {
	t.Helper()
	p := &Page{t: t, b: start(t), loaded: make(chan struct{}, 1)}
	var target struct{ TargetID, SessionID string }
	p.must(p.b.call("", "Target.createTarget", map[string]any{"url": "about:blank"}, &target))
	p.must(p.b.call("", "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &target))
	p.session = target.SessionID
	p.b.mu.Lock()
	p.b.pages[p.session] = p.event
	p.b.mu.Unlock()
	t.Cleanup(func() {
		for _, bad := range p.bad {
			t.Errorf("the page %s", bad)
		}
		p.must(p.b.call("", "Target.closeTarget", map[string]any{"targetId": target.TargetID}, nil))
	})
	for _, domain := range []string{"Page", "Network", "Runtime", "Log"} {
		p.call(domain+".enable", nil, nil)
	}
	p.Resize(width, height)
	return p
}

func (p *Page) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *Page) call(method string, params, result any) {
	p.t.Helper()
	if params == nil {
		params = struct{}{}
	}
	p.must(p.b.call(p.session, method, params, result))
}

// event notes what a page must not do.
func (p *Page) event(m message) {
	var e struct {
		Request          struct{ URL string }
		Message          string
		Entry            struct{ Level, Text string }
		ExceptionDetails struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	if json.Unmarshal(m.Params, &e) != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch m.Method {
	case "Page.loadEventFired":
		select {
		case p.loaded <- struct{}{}:
		default:
		}
	case "Network.requestWillBeSent":
		if e.Request.URL != p.file {
			p.bad = append(p.bad, "asked for "+e.Request.URL)
		}
	case "Page.javascriptDialogOpening":
		p.bad = append(p.bad, "opened a dialog: "+e.Message)
		go func() { _ = p.b.call(p.session, "Page.handleJavaScriptDialog", map[string]any{"accept": false}, nil) }()
	case "Log.entryAdded":
		if e.Entry.Level == "error" {
			p.bad = append(p.bad, "had an error: "+e.Entry.Text)
		}
	case "Runtime.exceptionThrown":
		p.bad = append(p.bad, "had an error: "+e.ExceptionDetails.Text+" "+e.ExceptionDetails.Exception.Description)
	}
}

// Bad returns what the page did so far that it must not do, and forgets it: a test that
// expects some of it looks here.
func (p *Page) Bad() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	bad := p.bad
	p.bad = nil
	return bad
}

// Open shows a document from a file, as a double click does.
func (p *Page) Open(document []byte) {
	p.t.Helper()
	file := filepath.Join(p.t.TempDir(), "page.html")
	p.must(os.WriteFile(file, document, 0o600))
	p.mu.Lock()
	p.file = (&url.URL{Scheme: "file", Path: file}).String()
	p.mu.Unlock()
	p.call("Page.navigate", map[string]any{"url": p.file}, nil)
	select {
	case <-p.loaded:
	case <-p.b.gone:
		p.t.Fatal("Chromium has ended")
	}
}

// Resize sets the width and height of the window in CSS pixels.
func (p *Page) Resize(width, height int) {
	p.t.Helper()
	p.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}, nil)
}

// Scheme sets what the person prefers: "light" or "dark".
func (p *Page) Scheme(scheme string) {
	p.t.Helper()
	p.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

// Print shows pages as on paper.
func (p *Page) Print() {
	p.t.Helper()
	p.call("Emulation.setEmulatedMedia", map[string]any{"media": "print"}, nil)
}

// WithoutScripts switches the scripts of pages off.
func (p *Page) WithoutScripts() {
	p.t.Helper()
	p.call("Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
}

// Eval puts the value of a JavaScript expression into result, which may be nil; of a promise
// the value that it comes to.
func (p *Page) Eval(expression string, result any) {
	p.t.Helper()
	var answer struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct{ Exception struct{ Description string } }
	}
	p.call("Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true}, &answer)
	if answer.ExceptionDetails != nil {
		p.t.Fatalf("%s: %s", expression, answer.ExceptionDetails.Exception.Description)
	}
	if result != nil {
		p.must(json.Unmarshal(answer.Result.Value, result))
	}
}

// Type types text where the focus is, in one piece.
func (p *Page) Type(text string) {
	p.t.Helper()
	p.call("Input.insertText", map[string]any{"text": text}, nil)
}

// Press presses and releases a key by its name, such as Tab or Enter.
func (p *Page) Press(key string) {
	p.t.Helper()
	codes := map[string]int{"Tab": 9, "Enter": 13, " ": 32, "Escape": 27}
	params := map[string]any{"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
	if key == "Enter" || key == " " {
		params["text"] = map[string]string{"Enter": "\r", " ": " "}[key]
	}
	p.call("Input.dispatchKeyEvent", params, nil)
	p.call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": codes[key]}, nil)
}

// overflow finds elements that reach out of the window, or whose content reaches out of them,
// unless they scroll.
const overflow = `(() => {
  const name = e => e.tagName.toLowerCase() + (e.className && e.className.baseVal === undefined ? '.' + e.className : '') + ': ' + e.textContent.trim().slice(0, 60);
  const scrolls = e => e && (['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  const out = [];
  if (document.documentElement.scrollWidth > innerWidth) out.push('the page scrolls: ' + document.documentElement.scrollWidth);
  for (const e of document.body.querySelectorAll('*')) {
    const box = e.getBoundingClientRect();
    if (box.width && box.right > innerWidth + 1 && !scrolls(e.parentElement)) out.push(Math.round(box.right) + ' ' + name(e));
    if (e.namespaceURI.endsWith('svg') || getComputedStyle(e).display.startsWith('inline')) continue;
    if (e.scrollWidth > e.clientWidth + 1 && e.clientWidth && getComputedStyle(e).overflowX === 'visible' && !scrolls(e.parentElement)) out.push(e.scrollWidth + ' in ' + e.clientWidth + ' ' + name(e));
  }
  return out.slice(0, 10);
})()`

// Overflow returns what is wider than the window or than what holds it, in words.
func (p *Page) Overflow() []string {
	p.t.Helper()
	var out []string
	p.Eval(overflow, &out)
	return out
}

// Picture takes a picture of the whole page, or of its first 6,000 pixels, as PNG.
func (p *Page) Picture() []byte {
	p.t.Helper()
	const maxHeight = 6000
	var size struct{ Width, Height int }
	p.Eval(`({width: innerWidth, height: document.documentElement.scrollHeight})`, &size)
	var picture struct{ Data []byte }
	clip := map[string]any{"x": 0, "y": 0, "width": size.Width, "height": min(max(size.Height, 1), maxHeight), "scale": 1}
	p.call("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true, "clip": clip}, &picture)
	return picture.Data
}

// Shot keeps a picture for people to look at, as name.png in the folder that BROWSER_SHOTS
// names; without one it takes none.
func (p *Page) Shot(name string) {
	p.t.Helper()
	folder := os.Getenv("BROWSER_SHOTS")
	if folder == "" {
		return
	}
	p.must(os.MkdirAll(folder, 0o755))
	p.must(os.WriteFile(filepath.Join(folder, name+".png"), p.Picture(), 0o644))
}
