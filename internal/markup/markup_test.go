package markup

import (
	"embed"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

//go:embed testdata
var files embed.FS

// hostile ends whatever it may stand in.
const hostile = "\"'`></p></title></style></script><script>alert(1)</script><img src=x onerror=alert(1)>&lt;&amp; {{.}} \x00\xff --> ]]>"

// Foreign text is text to a parser of HTML, in an element and in an attribute.
func TestForeignText(t *testing.T) {
	t.Parallel()
	want := strings.ToValidUTF8(strings.ReplaceAll(hostile, "\x00", "\ufffd"), "\ufffd")
	document := Document(files, "testdata/page.css", "testdata/page.js", hostile, El("p", Attr("title", hostile), Class("a b"), Flag("hidden"), Text(hostile), El("br")))
	root, err := html.Parse(strings.NewReader(string(document)))
	if err != nil {
		t.Fatal(err)
	}
	elements := map[string]int{}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		elements[n.Data]++
		switch n.Data {
		case "title", "p":
			if got := n.FirstChild.Data; got != want {
				t.Errorf("%s: got %q, want %q", n.Data, got, want)
			}
		}
		if n.Data == "p" && (len(n.Attr) != 3 || n.Attr[0].Val != want || n.Attr[1].Val != "a b" || n.Attr[2].Key != "hidden") {
			t.Errorf("attributes: got %q", n.Attr)
		}
	}
	if elements["script"] != 1 || elements["style"] != 1 || elements["img"] != 0 || elements["p"] != 1 || elements["br"] != 1 {
		t.Errorf("elements: got %v", elements)
	}
}

func TestHref(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ address, want string }{
		{"https://bitbucket.org/acme?a=1&b=2", `<a href="https://bitbucket.org/acme?a=1&amp;b=2" rel="noreferrer">x</a>`},
		{"HTTP://host", `<a href="HTTP://host" rel="noreferrer">x</a>`},
		{`https://h/" onclick="alert(1)`, `<a href="https://h/&#34; onclick=&#34;alert(1)" rel="noreferrer">x</a>`},
		{"javascript:alert(1)", "<a>x</a>"},
		{"javascript://host/%0aalert(1)", "<a>x</a>"},
		{" https://host", "<a>x</a>"},
		{"data:text/html,x", "<a>x</a>"},
		{"//host", "<a>x</a>"},
		{"https://bitbucket.org@evil.example/", "<a>x</a>"},
		{`https://bitbucket.org\@evil.example/`, "<a>x</a>"},
		{"https://bitbucket\u3002org/", "<a>x</a>"},
		{"https://", "<a>x</a>"},
		{"", "<a>x</a>"},
	} {
		if got := El("a", Href(tt.address), Text("x")).content; got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.address, got, tt.want)
		}
	}
}

// What is more than text is refused.
func TestRefused(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(){
		"script": func() { El("script", Text("x")) }, "style": func() { El("style") }, "iframe": func() { El("iframe") }, "base": func() { El("base") },
		"onclick": func() { Attr("onclick", "x") }, "style attribute": func() { Attr("style", "x") }, "href": func() { Attr("href", "x") }, "src": func() { Attr("src", "x") }, "srcdoc": func() { Attr("srcdoc", "x") },
		"a file that is not there": func() { Document(files, "x", "x", "", Node{}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("it was taken")
				}
			}()
			f()
		})
	}
}

// The policy names what is embedded, and takes nothing else.
func TestPolicy(t *testing.T) {
	t.Parallel()
	document := string(Document(files, "testdata/page.css", "testdata/page.js", "title", Text("x")))
	policy := regexp.MustCompile(`content="(default-src [^"]*)"`).FindStringSubmatch(document)
	if policy == nil {
		t.Fatal("there is no policy")
	}
	want := "default-src 'none'; base-uri 'none'; form-action 'none'; style-src " + hash(embedded(files, "testdata/page.css")) + "; script-src " + hash(embedded(files, "testdata/page.js")) + "; require-trusted-types-for 'script'"
	if policy[1] != want {
		t.Errorf("got %s, want %s", policy[1], want)
	}
	if got := hash("alert('Hello, world.');"); got != "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='" { // the example of https://www.w3.org/TR/CSP3/
		t.Errorf("hash: got %s", got)
	}
}
