package face

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/report"
)

const (
	sarifSchema  = "https://json.schemastore.org/sarif-2.1.0.json"
	sarifVersion = "2.1.0"
	// fingerprint names the way in which a scanner knows a result of an earlier run again.
	fingerprint = "mappingProblem/v1"
)

// runRule is the rule of the problems of a run, which have no class of their own.
var runRule = diag.RuleInfo{Rule: "run",
	Short: "A run met something that its reader should know.",
	Help:  "The message names what happened, and what to do about it."}

// levels are the words of SARIF for the severities.
var levels = map[diag.Severity]string{diag.Error: "error", diag.Warning: "warning", diag.Notice: "note"}

type sarifDocument struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool       sarifTool     `json:"tool"`
	ColumnKind string        `json:"columnKind"`
	Results    []sarifResult `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name            string      `json:"name"`
	SemanticVersion string      `json:"semanticVersion"`
	Rules           []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string    `json:"id"`
	ShortDescription sarifText `json:"shortDescription"`
	Help             sarifText `json:"help"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID              string            `json:"ruleId"`
	RuleIndex           int               `json:"ruleIndex"`
	Level               string            `json:"level"`
	Message             sarifText         `json:"message"`
	Locations           []sarifLocation   `json:"locations"`
	PartialFingerprints map[string]string `json:"partialFingerprints"`
	OccurrenceCount     int               `json:"occurrenceCount,omitempty"`
}

type sarifLocation struct {
	PhysicalLocation sarifPhysicalLocation `json:"physicalLocation"`
}

type sarifPhysicalLocation struct {
	ArtifactLocation sarifArtifactLocation `json:"artifactLocation"`
	Region           *sarifRegion          `json:"region,omitempty"`
}

type sarifArtifactLocation struct {
	URI       string `json:"uri"`
	URIBaseID string `json:"uriBaseId,omitempty"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
}

// SARIF returns the problems of the mapping and of the run as SARIF 2.1.0, which code
// scanners and editors read. They are there as results also when there are none, so that
// a scanner closes what was found before. It is nil when no mapping was looked at.
//
// Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html, and
// https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning,
// read 2026-11.
func SARIF(r *report.Report) []byte {
	m := r.Mapping
	if !m.Checked && len(m.Problems) == 0 {
		return nil
	}
	problems := allProblems(r)
	names := fingerprints(problems)
	run := sarifRun{
		Tool:       sarifTool{sarifDriver{Name: r.Program.Name, SemanticVersion: r.Program.Version}},
		ColumnKind: "unicodeCodePoints",
		Results:    []sarifResult{},
	}
	rules := slices.Clone(m.Rules)
	if slices.ContainsFunc(problems, func(p diag.Problem) bool { return p.Rule == "" }) {
		rules = append(rules, runRule)
	}
	index := map[diag.Rule]int{}
	for i, info := range rules {
		index[info.Rule] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{string(info.Rule), sarifText{info.Short}, sarifText{info.Help}})
	}
	for i, p := range problems {
		p.Rule = cmp.Or(p.Rule, runRule.Rule)
		run.Results = append(run.Results, sarifResult{
			RuleID: string(p.Rule), RuleIndex: index[p.Rule], Level: levels[p.Severity], Message: sarifText{sarifMessage(p)},
			Locations:           []sarifLocation{{placeOf(m, p.At)}},
			PartialFingerprints: map[string]string{fingerprint: names[i]},
			OccurrenceCount:     p.Count,
		})
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(sarifDocument{sarifSchema, sarifVersion, []sarifRun{run}}); err != nil {
		panic(err) // texts, numbers and structs of them always encode
	}
	return out.Bytes()
}

// sarifMessage returns the problem with its example and its fix, without its place.
func sarifMessage(p diag.Problem) string {
	p.At, p.Snippet = diag.Position{}, ""
	p.Message += often(p)
	return p.Error()
}

// place returns the line of the file that a problem names. What names none has a place
// all the same, the mapping as a whole: GitHub refuses a result without one.
func placeOf(m report.Mapping, p diag.Position) sarifPhysicalLocation {
	file := cmp.Or(p.File, m.Name, m.Blueprints.Name)
	for _, known := range m.Files() {
		if file == known.Name {
			file = cmp.Or(known.Path, file)
			break
		}
	}
	at := sarifPhysicalLocation{ArtifactLocation: artifact(file)}
	if p.Line > 0 {
		at.Region = &sarifRegion{p.Line, p.Column}
	}
	return at
}

// artifact is a file by its address: within the sources, or anywhere.
func artifact(file string) sarifArtifactLocation {
	if path.IsAbs(file) {
		return sarifArtifactLocation{URI: (&url.URL{Scheme: "file", Path: file}).String()}
	}
	return sarifArtifactLocation{URI: (&url.URL{Path: file}).String(), URIBaseID: "%SRCROOT%"}
}

// allProblems are those of the mapping, in its order, then the others of the run.
func allProblems(r *report.Report) diag.Problems {
	return append(slices.Clone(r.Mapping.Problems), r.Problems().Without(r.Mapping.Problems)...)
}

// fingerprints returns a name for each problem, by which a reader of more than one run knows it
// again.
func fingerprints(problems diag.Problems) []string {
	names, seen := make([]string, len(problems)), map[string]int{}
	for i, p := range problems {
		p.Rule = cmp.Or(p.Rule, runRule.Rule)
		key := identity(p)
		seen[key]++
		names[i] = key + ":" + strconv.Itoa(seen[key])
	}
	return names
}

// identity stays the same when lines are added above, so that a known problem is not
// reported as a new one: it is made of the rule, the line's text and the message.
func identity(p diag.Problem) string {
	message := p.Message
	if p.Rule == runRule.Rule {
		message = p.Text()
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{string(p.Rule), strings.TrimSpace(p.Snippet), message}, "\x00")))
	return hex.EncodeToString(sum[:8])
}
