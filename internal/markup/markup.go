// Package markup writes HTML into which foreign text cannot bring markup: names of elements and
// of attributes are constants of the program, and all else is escaped. It is what html/template
// is for, without its language, which makes the program larger by 2.3 MB.
package markup

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// constant is a text that stands in the source of the program: outside this package only an
// untyped constant becomes one.
type constant string

// Node is a part of a document: elements, text, or attributes of the element that it is put
// into. The zero Node is nothing.
type Node struct{ attributes, content string }

// Len is how long a node is in a document, in bytes.
func (n Node) Len() int { return len(n.attributes) + len(n.content) }

// special are the characters that mean something in text or in a quoted attribute.
//
// Source: https://html.spec.whatwg.org/multipage/parsing.html#data-state and
// #attribute-value-(double-quoted)-state, read 2026-11.
var special = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;", "\x00", "\ufffd")

// Text is foreign text, shown as it is.
func Text(text string) Node {
	return Node{content: special.Replace(strings.ToValidUTF8(text, "\ufffd"))}
}

// All are several nodes, one after another.
func All(nodes ...Node) Node {
	if len(nodes) == 1 {
		return nodes[0]
	}
	var attributes, content strings.Builder
	for _, n := range nodes {
		attributes.WriteString(n.attributes)
		content.WriteString(n.content)
	}
	return Node{attributes.String(), content.String()}
}

// void elements have no end.
var void = []constant{"br", "hr", "input", "meta", "wbr"}

// unsafe elements run or load something, or do not read character references as text.
var unsafe = []constant{"applet", "base", "embed", "form", "frame", "iframe", "img", "link", "math", "noembed", "noframes", "noscript", "object", "plaintext", "script", "style", "template", "textarea", "video", "audio", "source", "xmp", "use", "foreignObject", "animate", "set"}

// El is an element that holds nodes; their attributes become its own. It panics for the name of
// one in which escaped text is not safe.
func El(name constant, nodes ...Node) Node {
	if slices.Contains(unsafe, name) {
		panic("markup: " + name + " holds more than text")
	}
	inside := All(nodes...)
	if slices.Contains(void, name) {
		return Node{content: "<" + string(name) + inside.attributes + ">"}
	}
	return Node{content: "<" + string(name) + inside.attributes + ">" + inside.content + "</" + string(name) + ">"}
}

// Attr is an attribute. It panics for one whose value is more than text: use Href.
func Attr(name constant, value string) Node {
	if strings.HasPrefix(string(name), "on") || slices.Contains([]constant{"action", "background", "cite", "data", "formaction", "href", "http-equiv", "ping", "poster", "src", "srcdoc", "srcset", "style", "xlink:href"}, name) {
		panic("markup: " + name + " is more than text")
	}
	return Node{attributes: " " + string(name) + `="` + Text(value).content + `"`}
}

// Number is an attribute whose value is a number, to a tenth.
func Number(name constant, value float64) Node {
	return Attr(name, strconv.FormatFloat(value, 'f', 1, 64))
}

// Class is the attribute class.
func Class(names constant) Node { return Attr("class", string(names)) }

// Flag is an attribute without a value.
func Flag(name constant) Node { return Node{attributes: Attr(name, "").attributes} }

// page is an address of the web, of a host that looks like itself and without a user.
var page = regexp.MustCompile(`^(?i:https?)://[A-Za-z0-9.-]+(:[0-9]+)?([/?#]|$)`)

// Href makes an element lead to a page. It is nothing where the address is not one of the web:
// javascript: and data: addresses lead nowhere.
func Href(address string) Node {
	if !page.MatchString(address) {
		return Node{}
	}
	return Node{attributes: ` href="` + Text(address).content + `" rel="noreferrer"`}
}

// Within makes an element lead to the one of this id in the same document.
func Within(id string) Node { return Node{attributes: ` href="#` + Text(id).content + `"`} }

// Document is a whole document in English that loads nothing: its one style and its one script
// are embedded files, and its policy lets a browser take these and nothing else. They must not
// hold the end tag of their element.
//
// Source: https://www.w3.org/TR/CSP3/#csp-header, on hashes and on the meta element, read 2026-11.
func Document(files embed.FS, style, script constant, title string, body Node) []byte {
	css, js := embedded(files, style), embedded(files, script)
	policy := "default-src 'none'; base-uri 'none'; form-action 'none'; style-src " + hash(css) + "; script-src " + hash(js) + "; require-trusted-types-for 'script'"
	head := All(
		Node{content: `<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="` + policy + `">`},
		El("meta", Attr("name", "viewport"), Attr("content", "width=device-width, initial-scale=1")),
		El("meta", Attr("name", "color-scheme"), Attr("content", "light dark")),
		El("meta", Attr("name", "referrer"), Attr("content", "no-referrer")),
		El("title", Text(title)),
		Node{content: "<style>" + css + "</style>"},
	)
	page := El("html", Attr("lang", "en"), El("head", head), El("body", body, Node{content: "<script>" + js + "</script>"}))
	return []byte("<!DOCTYPE html>\n" + page.content + "\n")
}

func embedded(files embed.FS, name constant) string {
	text, err := files.ReadFile(string(name))
	if err != nil {
		panic(err) // it is part of the program
	}
	return string(text)
}

// hash is a text as a policy names it.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
