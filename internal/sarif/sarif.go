// Package sarif writes the problems of a mapping as SARIF 2.1.0, which code scanners
// and editors read.
//
// Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html, and
// https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning,
// read 2026-11.
package sarif

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"path"
	"strconv"
	"strings"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
)

const (
	schema  = "https://json.schemastore.org/sarif-2.1.0.json"
	version = "2.1.0"
	// fingerprint names the way in which results are told apart between two runs.
	fingerprint = "mappingProblem/v1"
)

// Tool is the program that found the problems.
type Tool struct {
	Name    string
	Version string
}

// levels are the words of SARIF for the severities.
var levels = map[diag.Severity]string{diag.Error: "error", diag.Warning: "warning", diag.Notice: "note"}

type document struct {
	Schema  string `json:"$schema"`
	Version string `json:"version"`
	Runs    []run  `json:"runs"`
}

type run struct {
	Tool       tool     `json:"tool"`
	ColumnKind string   `json:"columnKind"`
	Results    []result `json:"results"`
}

type tool struct {
	Driver driver `json:"driver"`
}

type driver struct {
	Name            string `json:"name"`
	SemanticVersion string `json:"semanticVersion"`
	Rules           []rule `json:"rules"`
}

type rule struct {
	ID               string `json:"id"`
	ShortDescription text   `json:"shortDescription"`
	Help             text   `json:"help"`
}

type text struct {
	Text string `json:"text"`
}

type result struct {
	RuleID              string            `json:"ruleId"`
	RuleIndex           int               `json:"ruleIndex"`
	Level               string            `json:"level"`
	Message             text              `json:"message"`
	Locations           []location        `json:"locations"`
	PartialFingerprints map[string]string `json:"partialFingerprints"`
}

type location struct {
	PhysicalLocation physicalLocation `json:"physicalLocation"`
}

type physicalLocation struct {
	ArtifactLocation artifactLocation `json:"artifactLocation"`
	Region           *region          `json:"region,omitempty"`
}

type artifactLocation struct {
	URI       string `json:"uri"`
	URIBaseID string `json:"uriBaseId,omitempty"`
}

type region struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
}

// Marshal gives the problems as one SARIF document, also when there are none. The name
// of a file is that of the positions; with relative it is first made relative to the
// root of the sources, with "/" between its parts.
func Marshal(t Tool, problems diag.Problems, relative func(file string) string) ([]byte, error) {
	r := run{
		Tool:       tool{driver{Name: t.Name, SemanticVersion: t.Version}},
		ColumnKind: "unicodeCodePoints",
		Results:    []result{},
	}
	index := map[diag.Rule]int{}
	for i, info := range mapping.Rules {
		index[info.Rule] = i
		r.Tool.Driver.Rules = append(r.Tool.Driver.Rules, rule{string(info.Rule), text{info.Short}, text{info.Help}})
	}
	seen := map[string]int{}
	for _, p := range problems {
		key := identity(p)
		seen[key]++
		r.Results = append(r.Results, result{
			RuleID: string(p.Rule), RuleIndex: index[p.Rule], Level: levels[p.Severity], Message: text{message(p)},
			Locations:           []location{{place(p.At, relative)}},
			PartialFingerprints: map[string]string{fingerprint: key + ":" + strconv.Itoa(seen[key])},
		})
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(document{schema, version, []run{r}})
	return out.Bytes(), err
}

// message is the problem with its fix, without its place.
func message(p diag.Problem) string {
	p.At, p.Snippet = diag.Position{}, ""
	return p.Error()
}

func place(p diag.Position, relative func(string) string) physicalLocation {
	at := physicalLocation{ArtifactLocation: artifact(relative(p.File))}
	if p.Line > 0 {
		at.Region = &region{p.Line, p.Column}
	}
	return at
}

// artifact is a file by its address: within the sources, or anywhere.
func artifact(file string) artifactLocation {
	if path.IsAbs(file) {
		return artifactLocation{URI: (&url.URL{Scheme: "file", Path: file}).String()}
	}
	return artifactLocation{URI: (&url.URL{Path: file}).String(), URIBaseID: "%SRCROOT%"}
}

// identity stays the same when lines are added above, so that a known problem is not told
// as a new one: it is made of the rule, the line's text and the message.
func identity(p diag.Problem) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{string(p.Rule), strings.TrimSpace(p.Snippet), p.Message}, "\x00")))
	return hex.EncodeToString(sum[:8])
}
