package bitbucket_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/reach"
	"port-bitbucket-exporter/internal/transport"
)

// read lists the objects of a page that is answered to every request; each has its name as key.
func read(t *testing.T, text string, e bitbucket.Endpoint[bitbucket.Listed]) (all []bitbucket.Listed, odd []error, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, inProcess, transport.Func(func(req *http.Request) (*http.Response, error) {
			return answer(req, http.StatusOK, text), nil
		}))
		e.Path, e.Route, e.Pagelen = "/x", "x", 50
		e.Key = func(l bitbucket.Listed) (string, error) {
			name, ok := l.Object["name"].(string)
			if !ok {
				return "", errors.New("it has no name")
			}
			return name, nil
		}
		all, odd, err = collectOdd(bitbucket.List(t.Context(), c, e, nil))
	})
	return all, odd, err
}

// A page of whatever form gives what encoding/json finds in it.
func TestPageForms(t *testing.T) {
	for _, text := range []string{
		`{"values": [{"name": "a", "n": 1.50, "é\u0041": [null]}, {"name": "b"}], "size": 2}`,
		`{"size": 7e0, "values": [{"name": "a", "name": "b"}, 5, null, {"name": 1}, {}, [{}], "text"], "values\u0000": 1}`,
		`{"VALUES": [{"name": "a"}]}`, `{"values": [{"name": "a"}], "Values": [{"name": "b"}]}`, `{"value` + "\u017f" + `": [{"name": "a"}]}`,
		`{"values": [{"name": "a"}], "values": [{"name": "b"}]}`, `{"values": [{"name": "a"}], "values": null}`, `{"values": null, "values": []}`,
		`{"values": [], "size": 0, "next": null}`, `{"values": [], "next": "", "next": ""}`, `{"values": [], "size": 1, "size": 0}`, `{"values": [], "next": 5, "next": ""}`,
		`{"values": [], "size": 1.5}`, `{"values": [], "size": "0"}`, `{"values": {}}`, `{"values": [], "next": 5}`, `{"values": [], "sIZE": true}`,
		`{}`, `[]`, `5`, `null`, ``, `<html>`, `{"values": [{"name": "a"}]} x`, `{"values": [{"name": "a"}`, `{"values": [{"name": "a"},]}`,
		"{\"values\": [{\"name\": \"\xff\xfe\", \"b\": \"\\ud800\"}]}",
	} {
		t.Run(text, func(t *testing.T) {
			got, odd, err := read(t, text, bitbucket.Endpoint[bitbucket.Listed]{Name: "things"})
			var want struct {
				Values *[]json.RawMessage
				Next   string
				Size   *float64
			}
			wrong := json.Unmarshal([]byte(text), &want) != nil || want.Values == nil || want.Size != nil && *want.Size == 1.5
			if wrong {
				wantError(t, err, "list things: GET /2.0/x: the answer is not the JSON that was expected")
				equal(t, "objects of a wrong page", len(got)+len(odd), 0)
				return
			}
			equal(t, "error", err, nil)
			var objects []bitbucket.Object
			for _, raw := range *want.Values {
				var object bitbucket.Object
				d := json.NewDecoder(bytes.NewReader(raw))
				d.UseNumber()
				if d.Decode(&object) != nil {
					continue
				}
				if _, named := object["name"].(string); named {
					equal(t, "JSON", string(got[len(objects)].JSON), string(raw))
					objects = append(objects, object)
				}
			}
			for i, l := range got {
				equal(t, "object", l.Object, objects[i])
			}
			equal(t, "number of objects", len(got), len(objects))
			equal(t, "number of odd values", len(odd), len(*want.Values)-len(objects))
		})
	}
}

// A list makes of its objects what is read of them, and names odd ones by all that they have.
func TestReads(t *testing.T) {
	reads := &reach.Paths{}
	reads.Add("name")
	reads.At("people").Elements().Add("id")
	text := `{"values": [{"name": "a", "people": [{"id": 1, "x": [{}]}, 5], "x": "\""}, {"slug": "s", "x": 1}]}`
	got, odd, err := read(t, text, bitbucket.Endpoint[bitbucket.Listed]{Name: "things", Reads: reads, NoJSON: true})
	equal(t, "error", err, nil)
	equal(t, "objects", got, []bitbucket.Listed{{Object: bitbucket.Object{
		"name": "a", "people": []any{bitbucket.Object{"id": json.Number("1")}, json.Number("5")},
	}}})
	equal(t, "odd", fmt.Sprint(odd), `[list things: value 2 of the list (slug "s"): it has no name]`)
}

// Of a page that is cut off, or wrong in its last byte, nothing is used: it is asked for again.
func TestNothingOfAWrongPage(t *testing.T) {
	whole := `{"values": [{"name": "a"}], "size": 1}`
	for _, first := range []string{strings.Replace(whole[:len(whole)-1], `"a"`, `"b"`, 1), strings.Replace(whole, `"a"`, `"b"`, 1) + "}"} {
		synctest.Test(t, func(t *testing.T) {
			n := 0
			c := newClient(t, inProcess, transport.Func(func(req *http.Request) (*http.Response, error) {
				if n++; n == 1 {
					return answer(req, http.StatusOK, first), nil
				}
				return answer(req, http.StatusOK, whole), nil
			}))
			got, err := collect(bitbucket.List(t.Context(), c, bitbucket.Endpoint[bitbucket.Object]{
				Path: "/x", Route: "x", Pagelen: 50, Key: func(o bitbucket.Object) (string, error) { return fmt.Sprint(o["name"]), nil },
			}, nil))
			equal(t, "error", err, nil)
			equal(t, "names", column(got, "name"), "a")
			equal(t, "requests", n, 2)
		})
	}
}

// Values stay as they are when further pages are read, of this list and of others.
func TestPagesShareNothing(t *testing.T) {
	s := withRepositories(25)
	s.MaxPage(2)
	inBubble(t, s, func(t *testing.T, c *bitbucket.Client) {
		e := bitbucket.Endpoint[bitbucket.Listed]{
			Path: c.Path("repositories"), Route: "r", Pagelen: 100, Key: func(l bitbucket.Listed) (string, error) { return fmt.Sprint(l.Object["uuid"]), nil },
		}
		var before []string
		all := map[int]bitbucket.Listed{}
		for l, err := range bitbucket.List(t.Context(), c, e, nil) {
			equal(t, "error", err, nil)
			for other, err := range bitbucket.List(t.Context(), c, e, nil) {
				if equal(t, "error", err, nil); other.Object["uuid"] == l.Object["uuid"] {
					break
				}
			}
			all[len(all)] = l
			before = append(before, fmt.Sprintf("%v %s", l.Object, l.JSON))
		}
		equal(t, "number", len(all), 25)
		for i, text := range before {
			equal(t, "value", fmt.Sprintf("%v %s", all[i].Object, all[i].JSON), text)
		}
	})
}
