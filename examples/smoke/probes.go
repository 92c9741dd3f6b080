package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// exchange is one request and its answer, with the beginning of its body.
type exchange struct {
	*http.Request
	*http.Response
	query url.Values
	body  []byte
}

// verdict is what one exchange says of an assumption.
type verdict int

// The verdicts, in the order in which a later one stands against an earlier one.
const (
	silent verdict = iota
	holds
	fails
)

// probe is an assumption that no documentation settles.
type probe struct {
	fact  string
	where string // in the code
	// see judges one exchange. Most say nothing about the assumption.
	see func(x exchange) verdict
}

// probes are the assumptions, those about Bitbucket first. Where one is wrong the program still
// deletes nothing that is there: it asks more, reads less at once, or reports what it cannot know.
var probes = []probe{
	{"a page may hold 50 pull requests", "internal/bitbucket/list.go: tooLong", func(x exchange) verdict {
		if !x.lists("/pullrequests") || x.query.Get("pagelen") != "50" {
			return silent
		}
		return x.taken()
	}},
	{"fields narrows the objects of a list", "internal/bitbucket/list.go: Fields", func(x exchange) verdict {
		return x.narrowed()
	}},
	{"sort=-updated_on gives pull requests newest first", "internal/kind/pullrequest.go: since, maxResults", func(x exchange) verdict {
		if !x.lists("/pullrequests") || x.query.Get("sort") != "-updated_on" {
			return silent
		}
		return x.descends("updated_on")
	}},
	{"q may compare a key, so that pages begin behind a value", "internal/bitbucket/keyed.go", func(x exchange) verdict {
		if x.Method != http.MethodGet || !strings.Contains(x.query.Get("q"), ">") || !strings.Contains(x.URL.Path, "/2.0/") {
			return silent
		}
		return x.taken()
	}},
	{"X-RateLimit-Limit is a number of requests", "internal/transport/pool.go", func(x exchange) verdict {
		limit := x.Header().Get("X-RateLimit-Limit")
		if limit == "" {
			return silent
		}
		_, err := strconv.Atoi(limit)
		return when(err == nil)
	}},
	{"reading folders and files has an allowance of its own", "internal/bitbucket/client.go: classSource", func(x exchange) verdict {
		resource := x.Header().Get("X-RateLimit-Resource")
		if !strings.Contains(x.URL.Path, "/src/") || resource == "" {
			return silent
		}
		return when(strings.Contains(resource, "raw") || strings.Contains(resource, "src"))
	}},
	{"a repository without Pipelines answers 404 to lists of them", "internal/kind/choice.go: orNone", func(x exchange) verdict {
		if !x.lists("/pipelines") && !x.lists("/deployments") && !x.lists("/environments") || x.StatusCode == http.StatusOK {
			return silent
		}
		return when(x.StatusCode == http.StatusNotFound)
	}},
	{"the git host speaks protocol 2", "internal/gitwire/refs.go", func(x exchange) verdict {
		if !strings.HasSuffix(x.URL.Path, "/info/refs") || x.StatusCode != http.StatusOK {
			return silent
		}
		return when(bytes.Contains(x.body, []byte("version 2")))
	}},
	{"the git host leaves out files by a filter", "internal/gitwire/refs.go: Filter", func(x exchange) verdict {
		if !strings.HasSuffix(x.URL.Path, "/info/refs") || !bytes.Contains(x.body, []byte("version 2")) {
			return silent
		}
		return when(bytes.Contains(x.body, []byte("filter")))
	}},
	{"Port lists what a data source has written", "internal/port/entities.go: datasource-entities", func(x exchange) verdict {
		if !strings.HasSuffix(x.URL.Path, "/datasource-entities") {
			return silent
		}
		return x.taken()
	}},
	{"writes may name their resync", "internal/port/client.go: ocean_info_resync_id", func(x exchange) verdict {
		if x.query.Get("ocean_info_resync_id") == "" {
			return silent
		}
		return when(x.StatusCode != http.StatusBadRequest)
	}},
	{"a bulk upsert answers for each entity", "internal/port/upsert.go", func(x exchange) verdict {
		if !strings.HasSuffix(x.URL.Path, "/entities/bulk") || x.Method != http.MethodPost || x.StatusCode >= 500 || x.StatusCode == http.StatusTooManyRequests {
			return silent
		}
		return when(bytes.Contains(x.body, []byte(`"entities"`)) || bytes.Contains(x.body, []byte(`"errors"`)))
	}},
	{"x-ratelimit-remaining is a number of requests", "internal/port/pace.go", func(x exchange) verdict {
		left := x.Header().Get("x-ratelimit-remaining")
		if left == "" {
			return silent
		}
		_, err := strconv.Atoi(left)
		return when(err == nil)
	}},
}

func when(so bool) verdict {
	if so {
		return holds
	}
	return fails
}

// Header is that of the answer.
func (x exchange) Header() http.Header { return x.Response.Header }

// lists reports whether a request asks for a list of a repository by the end of its path.
func (x exchange) lists(end string) bool {
	return x.Method == http.MethodGet && strings.HasSuffix(strings.TrimSuffix(x.URL.Path, "/"), end)
}

// taken holds for 200, and fails where the service did not understand.
func (x exchange) taken() verdict {
	switch x.StatusCode {
	case http.StatusOK:
		return holds
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusUnprocessableEntity:
		return fails
	}
	return silent
}

// narrowed reports whether the objects of a list hold no more than fields asks for.
func (x exchange) narrowed() verdict {
	fields := x.query.Get("fields")
	var page struct{ Values []map[string]any }
	if fields == "" || strings.ContainsAny(fields, "+-*") || x.StatusCode != http.StatusOK || json.Unmarshal(x.body, &page) != nil || len(page.Values) == 0 {
		return silent
	}
	asked := map[string]bool{}
	for field := range strings.SplitSeq(fields, ",") {
		if name, of := strings.CutPrefix(field, "values."); of {
			name, _, _ = strings.Cut(name, ".")
			asked[name] = true
		}
	}
	for _, v := range page.Values {
		for name := range v {
			if !asked[name] {
				return fails
			}
		}
	}
	return holds
}

// descends reports whether the values of a page come in descending order of a key.
func (x exchange) descends(key string) verdict {
	var page struct{ Values []map[string]any }
	if x.StatusCode != http.StatusOK || json.Unmarshal(x.body, &page) != nil || len(page.Values) < 2 {
		return silent
	}
	var all []string
	for _, v := range page.Values {
		text, _ := v[key].(string)
		all = append(all, text)
	}
	return when(slices.IsSortedFunc(all, func(a, b string) int { return strings.Compare(b, a) }))
}

// maxBody is how much of an answer the probes see, in bytes: a whole page.
const maxBody = 4 << 20

// peek reads the beginning of an answer and puts it back.
func peek(r *http.Response) []byte {
	head, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	rest := io.Reader(r.Body)
	if err != nil {
		rest = broken{err}
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), rest), r.Body}
	return head
}

// broken gives back the error that ended an answer.
type broken struct{ error }

func (b broken) Read([]byte) (int, error) { return 0, b.error }
