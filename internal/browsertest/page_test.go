package browsertest

import (
	"bytes"
	"image/png"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

// A page that does what it must not is told of: without this, every test of a page would pass.
func TestBad(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, document, want string }{
		{"nothing", `<p>quiet`, ""},
		{"picture", `<img src="http://evil.example/x.png">`, "asked for http://evil.example/x.png"},
		{"style", `<style>@import "https://evil.example/x.css"</style>`, "asked for https://evil.example/x.css"},
		{"dialog", `<script>alert("here")</script>`, "opened a dialog: here"},
		{"exception", `<script>throw new Error("broken")</script>`, "Error: broken"},
		{"policy", `<meta http-equiv="Content-Security-Policy" content="default-src 'none'"><p style="color:red">`, "violates the following Content Security Policy"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := New(t, 800, 600)
			p.Open([]byte("<!doctype html>" + tt.document))
			p.Eval("1", nil) // what it did is noted before the answer
			bad := strings.Join(p.Bad(), "\n")
			if tt.want == "" && bad != "" || !strings.Contains(bad, tt.want) {
				t.Errorf("got %q, want %q", bad, tt.want)
			}
		})
	}
}

func TestOverflow(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, document, want string }{
		{"nothing", `<p>short`, ""},
		{"page", `<div class="w" style="width:900px">wide</div>`, "908 div.w: wide"},
		{"word", `<p style="width:100px">` + strings.Repeat("x", 40), " in 100 p: xxx"},
		{"scrolls", `<div style="overflow-x:auto"><p style="width:900px">wide`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := New(t, 800, 600)
			p.Open([]byte("<!doctype html>" + tt.document))
			found := p.Overflow()
			if (tt.want == "") != (len(found) == 0) || tt.want != "" && !slices.ContainsFunc(found, func(text string) bool { return strings.Contains(text, tt.want) }) {
				t.Errorf("got %q, want %q", found, tt.want)
			}
		})
	}
}

// What a person does reaches the page, and the person sees what it is set to.
func TestHands(t *testing.T) {
	t.Parallel()
	p := New(t, 800, 600)
	p.Scheme("dark")
	p.Open([]byte(`<!doctype html><input id="a"><input id="b"><script>window.was = matchMedia("(prefers-color-scheme: dark)").matches</script>`))
	p.Press("Tab")
	p.Type("one")
	p.Press("Tab")
	p.Type("two")
	p.Resize(390, 844)
	var got []any
	p.Eval(`Promise.resolve([a.value, b.value, innerWidth, window.was])`, &got)
	if want := []any{"one", "two", 390.0, true}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if picture, err := png.DecodeConfig(bytes.NewReader(p.Picture())); err != nil || picture.Width != 390 {
		t.Errorf("got a picture %d pixels wide, want 390: %v", picture.Width, err)
	}
	quiet := New(t, 800, 600)
	quiet.WithoutScripts()
	quiet.Open([]byte(`<!doctype html><p id="p">before<script>p.textContent = "after"</script>`))
	var text string
	quiet.Eval(`document.querySelector("p").textContent`, &text)
	if !strings.HasPrefix(text, "before") {
		t.Errorf("with scripts switched off: got %q", text)
	}
}
