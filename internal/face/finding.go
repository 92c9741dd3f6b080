package face

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/report"
)

// finding is a problem as code scanners take it: each has a rule, and an identity by which a
// scanner knows it again. No other finding of the report has it.
type finding struct {
	diag.Problem
	id string
}

// runRule is the rule of the problems of a run, which have no class of their own.
var runRule = diag.RuleInfo{Rule: "run",
	Short: "A run met something that its reader should know.",
	Help:  "The message names what happened, and what to do about it."}

// findings are the problems of the mapping, and those of the run.
func findings(r *report.Report) []finding {
	problems := append(slices.Clone(r.Mapping.Problems), r.Problems().Without(r.Mapping.Problems)...)
	seen := map[string]int{}
	all := make([]finding, len(problems))
	for i, p := range problems {
		p.Rule = cmp.Or(p.Rule, runRule.Rule)
		id := identity(p)
		seen[id]++
		all[i] = finding{p, id + ":" + strconv.Itoa(seen[id])}
	}
	return all
}

// sourceOf returns the path of the file that a problem names, from the root of the sources.
// What names none has a place all the same, the mapping as a whole: GitHub refuses a result
// without one.
func sourceOf(m report.Mapping, p diag.Position) string {
	file := cmp.Or(p.File, m.Name, m.Blueprints.Name)
	for _, known := range m.Files() {
		if file == known.Name {
			return cmp.Or(known.Path, file)
		}
	}
	return file
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
