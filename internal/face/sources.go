package face

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"port-bitbucket-exporter/internal/report"
)

// mostReasons bounds the different reasons in a line.
const mostReasons = 4

// GitText returns on one line what was read over git, and what not:
//
//	812 repositories, 1,377 requests, 2.1 GB; REST instead for 9: 7 over git_max_bytes, 2 cut off
func GitText(s report.Sources) string {
	text := fmt.Sprintf("%s, %s, %s", grouped(s.Repositories, "repository", "repositories"), grouped(s.Requests, "request", "requests"), bytesText(s.Bytes))
	if len(s.Fallbacks) > 0 {
		text += fmt.Sprintf("; REST instead for %s: %s", digits(int64(len(s.Fallbacks))), reasonsOf(s))
	}
	return text
}

// reasons returns the reasons of the fallbacks with their numbers, the most frequent first.
func reasonsOf(s report.Sources) string {
	count := map[string]int{}
	var all []string
	for _, f := range s.Fallbacks {
		if count[f.Reason] == 0 {
			all = append(all, f.Reason)
		}
		count[f.Reason]++
	}
	slices.SortFunc(all, func(a, b string) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), strings.Compare(a, b))
	})
	var parts []string
	others := 0
	for i, reason := range all {
		if i < mostReasons {
			parts = append(parts, digits(int64(count[reason]))+" "+visible(reason, maxExample))
		} else {
			others += count[reason]
		}
	}
	if others > 0 {
		parts = append(parts, digits(int64(others))+" for other reasons")
	}
	return strings.Join(parts, ", ")
}

// text returns on one line what read folders and files; empty when there were none to read.
func sourcesText(s report.Sources) string {
	switch s.Reader {
	case report.Git:
		text := "folders and files: over git: " + GitText(s)
		if s.Stopped != "" {
			text += "; git was given up: " + visible(s.Stopped, maxExample)
		}
		return text
	case report.REST:
		return "folders and files: " + visible(cmp.Or(s.Why, "over REST"), maxMessage)
	}
	return ""
}

// maxFallbackLines bounds the fallbacks in a log.
const maxFallbackLines = 20

// fallbackLines are one for each repository that was not read over git, as far as a log
// bears them.
func fallbackLines(s report.Sources) []string {
	var all []string
	for i, f := range s.Fallbacks {
		if i == maxFallbackLines {
			all = append(all, fmt.Sprintf("%d more repositories over REST instead of git are in the report file (input report_file)", len(s.Fallbacks)-i))
			break
		}
		all = append(all, fmt.Sprintf("repository %q: over REST instead of git: %s", visible(f.Repository, maxName), visible(f.Reason, maxExample)))
	}
	return all
}

// fallbackTable is folded; of a sync the notices have it.
func (m markdown) fallbackTable() table {
	all := m.Sources.Fallbacks
	if !m.Planned {
		all = nil
	}
	return table{
		title: fmt.Sprintf("\n<details><summary>Read over REST instead of git: %d</summary>\n\n", len(all)),
		heads: []string{"Repository", "Why"},
		rows:  len(all),
		row: func(i int) []string {
			return []string{cell(all[i].Repository, maxName), cell(all[i].Reason, maxExample)}
		},
		end: "\n</details>\n",
	}
}

type fallbackJSON struct {
	Repository string `json:"repository"`
	Reason     string `json:"reason"`
}

type sourcesJSON struct {
	Reader       report.Reader  `json:"reader"`
	Why          string         `json:"why"`
	Repositories int            `json:"git_repositories"`
	Fallbacks    []fallbackJSON `json:"fallbacks"`
	Stopped      string         `json:"git_given_up"`
}

func sourcesOf(s report.Sources) sourcesJSON {
	out := sourcesJSON{s.Reader, s.Why, s.Repositories, make([]fallbackJSON, len(s.Fallbacks)), s.Stopped}
	for i, f := range s.Fallbacks {
		out.Fallbacks[i] = fallbackJSON(f)
	}
	return out
}

// grouped is a number with its noun: "1,377 requests".
func grouped(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return digits(int64(n)) + " " + many
}

// bytesText is a number of bytes in the largest unit that leaves a digit before the point:
// "2.1 GB".
func bytesText(n int64) string {
	size, unit := float64(n), ""
	for _, unit = range []string{"bytes", "kB", "MB", "GB", "TB"} {
		if size < 999.95 || unit == "TB" {
			break
		}
		size /= 1000
	}
	if unit == "bytes" {
		return grouped(int(n), "byte", "bytes")
	}
	return strconv.FormatFloat(size, 'f', 1, 64) + " " + unit
}
