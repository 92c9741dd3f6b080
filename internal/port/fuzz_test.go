package port_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/transport"
)

// canned is a client to which every call is answered by answer, after a login.
func canned(answer func(req *http.Request, body []byte) (status int, text string)) *port.Client {
	return port.New(config("http://port.test/odd", transport.Func(func(req *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		status, text := http.StatusOK, `{"accessToken":"t","expiresIn":100000}`
		if req.URL.Path != "/odd/v1/auth/access_token" {
			status, text = answer(req, body)
		}
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader([]byte(text))), Request: req}, nil
	})))
}

// FuzzURL asks for a blueprint of any name: the request goes to its own route, with
// the name as it is, or does not go out.
func FuzzURL(f *testing.F) {
	for _, name := range []string{"service", "..", ".", "a/../b", "a/b?c#d", "%2e%2e", "\r\nHost: evil.test", "@evil.test", "é\u202e\x00\xff", "", "%"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		synctest.Test(t, func(t *testing.T) {
			var sent []*url.URL
			c := canned(func(req *http.Request, _ []byte) (int, string) {
				sent = append(sent, req.URL)
				return http.StatusNotFound, `{"ok":false}`
			})
			_, err := c.Blueprints.Read(context.Background(), name)
			if dots := name == "." || name == ".."; dots || len(sent) != 1 {
				if len(sent) != 0 || !errors.Is(err, transport.ErrDots) || !dots {
					t.Errorf("%q: %d requests went out, error %v", name, len(sent), err)
				}
				return
			}
			line := sent[0].RequestURI()
			segments := strings.Split(line, "/")
			if sent[0].Host != "port.test" || len(segments) != 5 || strings.Join(segments[:4], "/") != "/odd/v1/blueprints" ||
				strings.ContainsFunc(line, func(r rune) bool { return r <= ' ' || r > '~' || r == '?' || r == '#' }) {
				t.Fatalf("%q: the request goes to %q at %q", name, line, sent[0].Host)
			}
			if plain, err := url.PathUnescape(segments[4]); err != nil || plain != name {
				t.Errorf("%q: got the name %q, %v", name, plain, err)
			}
		})
	})
}

// FuzzPages reads a list whose pages are anything. It ends, each request asks for
// what the answer before it named, and only a last page ends it well.
func FuzzPages(f *testing.F) {
	f.Add(`{"entities":[{"identifier":"a","blueprint":"b"}],"next":"x"}`, `{"entities":[{"identifier":"c"}],"next":null}`, "")
	f.Add(`{"next":"x","entities":[]}`, `{"entities":[],"next":"x"}`, `{"entities":[]}`)
	f.Add(`{"entities":null}`, `{"ok":true}`, `[]`)
	f.Add(`{"entities":[{"identifier":5}]}`, `{"entities":[1]}`, `{"entities":{}}`)
	f.Add(`{"entities":[],"next":"a"}`, `{"entities":[],"next":"b"}`, `{"entities":[],"next":""}`)
	f.Add(`{"entities":[],"entities":[],"next":"a","next":"b"}`, `{"entities":[]`, "\xff")
	f.Fuzz(func(t *testing.T, first, second, third string) {
		synctest.Test(t, func(t *testing.T) {
			bodies := []string{first, second, third}
			asked := 0
			var from []string // of each request
			c := canned(func(_ *http.Request, body []byte) (int, string) {
				if asked++; asked > 100 {
					t.Fatal("the list does not end")
				}
				var sent struct{ From string }
				if err := json.Unmarshal(body, &sent); err != nil {
					t.Error(err)
				}
				from = append(from, sent.From)
				return http.StatusOK, bodies[min(asked, len(bodies))-1]
			})
			var err error
			for _, e := range c.Entities.Owned(context.Background(), time.Now()) {
				if err != nil {
					t.Error("something follows the error")
				}
				err = e
			}
			for i := 1; i < len(from); i++ {
				if from[i] != from[i-1] && slices.Contains(from[:i], from[i]) {
					t.Errorf("a cursor is asked for again: %q", from)
				}
			}
			if err != nil {
				return
			}
			var last struct {
				Entities []any
				Next     *string
			}
			text := bodies[min(asked, len(bodies))-1]
			if err := json.NewDecoder(strings.NewReader(text)).Decode(&last); err != nil || last.Next != nil && *last.Next != "" {
				t.Errorf("the list ends well with %q: %v", text, err)
			}
		})
	})
}
