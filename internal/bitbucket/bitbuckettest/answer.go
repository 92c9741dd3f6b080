package bitbuckettest

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
	"port-bitbucket-exporter/internal/memtransport"
)

// answer is one HTTP answer before it is written.
type answer struct {
	status    int
	header    http.Header
	body      []byte
	violation string              // "" when a correct caller may meet this answer
	again     string              // of a page: a link to itself that names it by its number
	truncate  int                 // bytes of the body that are sent before the connection breaks; 0: all
	stall     int                 // bytes of the body that are sent before the connection stands still; 0: all
	drop      bool                // the connection breaks before the status line
	git       *gitwiretest.Answer // what git itself said; nil when this is none of it
}

func respond(status int, contentType string, body []byte) *answer {
	return &answer{status: status, header: http.Header{"Content-Type": {contentType}}, body: body}
}

func respondJSON(status int, o object) *answer {
	return respond(status, "application/json; charset=utf-8", appendJSON(nil, o))
}

// refuse is the vendor's error envelope with nothing but a message.
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/intro/, read 2026-11.
func refuse(status int, message string) *answer {
	return respondJSON(status, object{
		{"type", "error", shown},
		{"error", object{{"message", message, shown}}, shown},
	})
}

func (a *answer) noted(violation string) *answer {
	a.violation = violation
	return a
}

// rewrite changes a JSON answer; another kind of answer stays as it is.
func (a *answer) rewrite(change func(map[string]any)) {
	if !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
		return
	}
	var o map[string]any
	d := json.NewDecoder(bytes.NewReader(a.body))
	d.UseNumber()
	if err := d.Decode(&o); err != nil {
		return
	}
	change(o)
	body, err := json.Marshal(o)
	if err != nil {
		panic("bitbuckettest: Mutate left what is no JSON: " + err.Error())
	}
	a.body = body
}

func (a *answer) write(w http.ResponseWriter, r *http.Request) {
	if a.drop {
		panic(http.ErrAbortHandler)
	}
	if a.git != nil {
		a.git.Status, a.git.Header, a.git.Body = a.status, a.header, a.body
		if a.stall == 0 && a.truncate == 0 {
			a.git.Write(w, r)
			return
		}
	}
	h := w.Header()
	maps.Copy(h, a.header)
	if a.git == nil {
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	if a.stall > 0 && a.stall < len(a.body) {
		_, _ = w.Write(a.body[:a.stall])
		_ = http.NewResponseController(w).Flush()
		memtransport.Stall(w, r)
	}
	if a.truncate > 0 && a.truncate < len(a.body) {
		_, _ = w.Write(a.body[:a.truncate])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(a.body)
}
