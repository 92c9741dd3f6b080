package face

import (
	"bytes"
	"encoding/json"
	"net/url"
	"path"
	"slices"
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
	Version         string      `json:"version"`
	SemanticVersion string      `json:"semanticVersion"`
	InformationURI  string      `json:"informationUri"`
	Rules           []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string    `json:"id"`
	Name             string    `json:"name"`
	ShortDescription sarifText `json:"shortDescription"`
	FullDescription  sarifText `json:"fullDescription"`
	Help             sarifText `json:"help"`
	HelpURI          string    `json:"helpUri"`
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
	Region           sarifRegion           `json:"region"`
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
	all := findings(r)
	run := sarifRun{
		Tool:       sarifTool{sarifDriver{Name: r.Program.Name, Version: r.Program.Version, SemanticVersion: r.Program.Version, InformationURI: mappingManual}},
		ColumnKind: "unicodeCodePoints",
		Results:    []sarifResult{},
	}
	rules := slices.Clone(m.Rules)
	if slices.ContainsFunc(all, func(f finding) bool { return f.Rule == runRule.Rule }) {
		rules = append(rules, runRule)
	}
	index := map[diag.Rule]int{}
	for i, info := range rules {
		index[info.Rule] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, ruleOf(info))
	}
	for _, f := range all {
		run.Results = append(run.Results, sarifResult{
			RuleID: string(f.Rule), RuleIndex: index[f.Rule], Level: levels[f.Severity], Message: sarifText{sarifMessage(f.Problem)},
			Locations:           []sarifLocation{{placeOf(m, f.At)}},
			PartialFingerprints: map[string]string{fingerprint: f.id},
			OccurrenceCount:     f.Count,
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

// The manuals that explain what a rule is about: Port's of the mappings that this program
// runs, that of their expressions, and that of the language of the file. Read 2026-11.
const (
	mappingManual = "https://docs.port.io/context-lake/ingestion/ingest-data-into-port/native-integrations/git/bitbucket/bitbucket-cloud"
	jqManual      = "https://jqlang.org/manual/v1.8/"
	yamlManual    = "https://yaml.org/spec/1.2.2/"
)

// ruleOf describes a rule. Its name is its id in the spelling that the standard wants, and the
// full description has the reason, too.
func ruleOf(info diag.RuleInfo) sarifRule {
	uri := mappingManual
	switch language, _, _ := strings.Cut(string(info.Rule), "-"); language {
	case "jq":
		uri = jqManual
	case "yaml":
		uri = yamlManual
	}
	name := ""
	for part := range strings.SplitSeq(string(info.Rule), "-") {
		name += strings.ToUpper(part[:1]) + part[1:]
	}
	if strings.EqualFold(name, string(info.Rule)) { // a name must not be the id
		name += "Rule"
	}
	return sarifRule{string(info.Rule), name, sarifText{info.Short}, sarifText{info.Short + " " + info.Help}, sarifText{info.Help}, uri}
}

// sarifMessage returns the problem with its example and its fix, without its place.
func sarifMessage(p diag.Problem) string {
	p.At, p.Snippet = diag.Position{}, ""
	p.Message += often(p)
	return p.Error()
}

// placeOf returns the line of the file that a problem names, or the first one, as GitHub shows
// a result without a line.
func placeOf(m report.Mapping, p diag.Position) sarifPhysicalLocation {
	return sarifPhysicalLocation{artifact(sourceOf(m, p)), sarifRegion{max(p.Line, 1), p.Column}}
}

// artifact is a file by its address: within the sources, or anywhere.
func artifact(file string) sarifArtifactLocation {
	if path.IsAbs(file) {
		return sarifArtifactLocation{URI: (&url.URL{Scheme: "file", Path: file}).String()}
	}
	return sarifArtifactLocation{URI: (&url.URL{Path: file}).String(), URIBaseID: "%SRCROOT%"}
}
