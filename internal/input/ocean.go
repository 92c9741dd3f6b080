package input

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/nearest"
)

// The settings of Ocean that are not inputs. Source: Ocean's settings
// (port-labs/ocean, commit 607bead, read 2026-11).
const (
	oceanConfig        = "OCEAN__INTEGRATION__CONFIG"
	oceanType          = "OCEAN__INTEGRATION__TYPE"
	oceanListener      = "OCEAN__EVENT_LISTENER"
	oceanListenerType  = "OCEAN__EVENT_LISTENER__TYPE"
	oceanBaseURL       = "OCEAN__BASE_URL"
	oceanJQEnvironment = "OCEAN__ALLOW_ENVIRONMENT_VARIABLES_JQ_ACCESS"
)

// oceanSettings are the environment variables that begin with OCEAN__ or
// APPLICATION__, and the keys of the integration config by folded name.
type oceanSettings struct {
	variables map[string]given // by upper-case name
	config    map[string]given // by folded key
}

// readOcean sorts the environment. Names are matched without regard to case,
// as Ocean does; of two spellings of one name the first in byte order wins,
// which is the upper-case one with underscores. A key's own variable wins over
// the same key in the JSON object.
func readOcean(environ func() []string, rep *report) oceanSettings {
	s := oceanSettings{variables: map[string]given{}, config: map[string]given{}}
	if environ == nil {
		return s
	}
	lines := slices.Clone(environ())
	// Byte order puts upper case before "_" and "_" before lower case. The "="
	// must not take part: it comes before both.
	slices.SortStableFunc(lines, func(a, b string) int {
		an, _, _ := strings.Cut(a, "=")
		bn, _, _ := strings.Cut(b, "=")
		return strings.Compare(an, bn)
	})
	joined := map[string]given{}
	for _, line := range lines {
		name, text, _ := strings.Cut(line, "=")
		upper := strings.ToUpper(name)
		if !strings.HasPrefix(upper, "OCEAN__") && !strings.HasPrefix(upper, "APPLICATION__") || strings.TrimSpace(text) == "" {
			continue
		}
		g := given{text: text, from: name}
		setFirst(s.variables, upper, g)
		if key, ok := strings.CutPrefix(upper, oceanConfigPrefix); ok {
			if strings.Contains(key, "_") {
				setFirst(s.config, nearest.Fold(key), g)
			} else {
				setFirst(joined, nearest.Fold(key), g)
			}
		}
	}
	for key, g := range joined {
		setFirst(s.config, key, g)
	}
	s.readObject(rep)
	return s
}

func setFirst(m map[string]given, key string, g given) {
	if _, taken := m[key]; !taken {
		m[key] = g
	}
}

// readObject adds the keys of OCEAN__INTEGRATION__CONFIG, a JSON object.
func (s oceanSettings) readObject(rep *report) {
	whole, ok := s.variables[oceanConfig]
	if !ok {
		return
	}
	fix := `write one JSON object, such as {"bitbucket_workspace": "acme"}`
	var object map[string]any
	decoder := json.NewDecoder(bytes.NewReader([]byte(whole.text)))
	decoder.UseNumber()
	if err := decoder.Decode(&object); err != nil || object == nil || decoder.More() {
		// The decoder's message may quote a piece of a secret.
		rep.problem(diag.Where{Part: whole.from}, fix, "the value is not a JSON object")
		return
	}
	keys := make([]string, 0, len(object))
	for key := range object {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	slices.SortStableFunc(keys, func(a, b string) int { // snake_case first
		return btoi(!strings.Contains(a, "_")) - btoi(!strings.Contains(b, "_"))
	})
	for _, key := range keys {
		text, ok := scalar(object[key])
		if !ok {
			if _, known := configInput(nearest.Fold(key)); known {
				rep.problem(diag.Where{Part: whole.from}, fix, "the value of the key %q is neither a text nor a list of texts", key)
			}
			continue
		}
		if strings.TrimSpace(text) != "" {
			setFirst(s.config, nearest.Fold(key), given{text: text, from: whole.from + " (key " + key + ")"})
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// scalar returns a JSON value as the text that a user would have written for it.
func scalar(value any) (string, bool) {
	switch v := value.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			text, ok := item.(string)
			if !ok {
				return "", false
			}
			items[i] = text
		}
		return strings.Join(items, ","), true
	default:
		return "", false
	}
}

func configInput(folded string) (Input, bool) {
	for _, in := range Table {
		if key, ok := in.oceanConfigKey(); ok && key == folded {
			return in, true
		}
	}
	return Input{}, false
}

// find returns the value of an input under its OCEAN__ names.
func (s oceanSettings) find(in Input) given {
	if key, ok := in.oceanConfigKey(); ok {
		return s.config[key]
	}
	for _, name := range in.Ocean {
		if g, ok := s.variables[name]; ok {
			return g
		}
	}
	return given{}
}

// check reports what this program does differently from what the settings ask.
func (s oceanSettings) check(rep *report) {
	if g, ok := s.variables[oceanType]; ok && !strings.EqualFold(strings.TrimSpace(g.text), "bitbucket-cloud") {
		rep.problem(diag.Where{Part: g.from}, "remove "+g.from+", or write bitbucket-cloud",
			"%q is not an integration that this program can run", strings.TrimSpace(g.text))
	}
	if listener, from := s.listener(); from != "" && !strings.EqualFold(listener, "ONCE") {
		rep.warn("%s is not ONCE: it is ignored, this program runs once and exits", from)
	}
	if g, ok := s.config[nearest.Fold("webhook_secret")]; ok {
		rep.info("%s is ignored: it is for live events, and this program runs once and exits", g.from)
	}
	if g, ok := s.variables[oceanBaseURL]; ok {
		rep.info("%s is ignored: it is for live events, and this program runs once and exits", g.from)
	}
	if g, ok := s.variables[oceanJQEnvironment]; ok && IsTrue(g.text) {
		rep.warn("%s is ignored: name the variables that jq expressions may read in jq_env_allow", g.from)
	}
}

// listener returns the type of event listener that is asked for, and the variable that
// asks; the object may be given as JSON.
func (s oceanSettings) listener() (string, string) {
	if g, ok := s.variables[oceanListenerType]; ok {
		return strings.TrimSpace(g.text), g.from
	}
	g, ok := s.variables[oceanListener]
	if !ok {
		return "", ""
	}
	var object struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal([]byte(g.text), &object); err != nil {
		return strings.TrimSpace(g.text), g.from
	}
	return object.Type, g.from
}
