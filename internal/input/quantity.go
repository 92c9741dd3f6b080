package input

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// RateLimit allows N requests in each rolling window.
type RateLimit struct {
	N      int
	Window time.Duration
}

// defaultGitRate is what the vendor allows git operations of one credential.
//
// Source: https://support.atlassian.com/bitbucket-cloud/docs/api-request-limits/, read 2026-11.
var defaultGitRate = RateLimit{N: 60_000, Window: time.Hour}

// rateLimits reads N/duration, and the same for two classes of requests: src=N/duration and
// git=N/duration. What is not given is the default. The second is nil when it is not given.
func rateLimits(v value) (all RateLimit, source *RateLimit, git RateLimit) {
	const fix = `write a number of at least 1, a slash and a duration, such as "1000/1h"; ` +
		`for files and folders apart add "src=" and the same, and for git "git=": "1000/1h,src=5000/1h,git=60000/1h"`
	given := map[string]RateLimit{}
	for item := range strings.SplitSeq(v.text, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		class, text, named := strings.Cut(item, "=")
		if class = strings.ToLower(strings.TrimSpace(class)); !named {
			class, text = "", item
		}
		rate, ok := parseRate(text)
		switch _, twice := given[class]; {
		case named && class != "src" && class != "git":
			v.problem(fix, "%q is not known: src and git are the classes with a name", class)
		case twice:
			v.problem(fix, "%q is an allowance that is given already", item)
		case !ok:
			v.problem(fix, "%q is not number/duration", strings.TrimSpace(text))
		}
		given[class] = rate
	}
	if len(given) == 0 {
		v.problem(fix, "%q is not number/duration", v.text)
	}
	all, ok := given[""]
	if !ok {
		all, _ = parseRate(v.standard)
	}
	if rate, ok := given["src"]; ok {
		source = &rate
	}
	if git, ok = given["git"]; !ok {
		git = defaultGitRate
	}
	return all, source, git
}

// parseRate reads N/duration.
func parseRate(text string) (RateLimit, bool) {
	count, window, ok := strings.Cut(text, "/")
	n, err := strconv.Atoi(strings.TrimSpace(count))
	d, durationErr := parseWindow(strings.TrimSpace(window))
	if !ok || err != nil || durationErr != nil || n < 1 || d <= 0 {
		return RateLimit{}, false
	}
	return RateLimit{N: n, Window: d}, true
}

// parseWindow reads a Go duration that may begin with whole days: 1d, 1d12h.
func parseWindow(text string) (time.Duration, error) {
	days, rest, ok := strings.Cut(text, "d")
	if !ok {
		return time.ParseDuration(text)
	}
	n, err := strconv.ParseUint(days, 10, 16)
	if err != nil {
		return 0, err
	}
	return time.ParseDuration(strconv.FormatUint(n*24, 10) + "h" + rest)
}

// mostFileSize bounds max_file_size, in bytes: whole files are in memory while
// they are read.
const mostFileSize = 64 << 20

func maxFileSize(v value) int64 {
	return size(v, 1, mostFileSize, "1 byte to 64 MiB",
		`write a whole number and a unit (B, KB, MB, KiB or MiB), from 1B to 64MiB, such as "500KB"; the default is 1MiB`)
}

// gitMaxBytes reads what git may receive of a repository. Less than the least is used up by
// the lists of a middling one; the most is what a line of 30 Mbit/s brings in the time that
// an answer may take.
func gitMaxBytes(v value) int64 {
	return size(v, 1<<20, 1<<30, "1 MiB to 1 GiB",
		`write a whole number and a unit (MB, MiB or GiB), from 1MiB to 1GiB, such as "256MiB"; the default is 64MiB`)
}

// size reads a number of bytes within bounds, which are given in words too.
func size(v value, least, most int64, bounds, fix string) int64 {
	n, err := parseSize(v.text)
	switch {
	case err != nil:
		v.problem(fix, "%q is not a size: %v", v.text, err)
	case n < least || n > most:
		v.problem(fix, "%q is not from %s", v.text, bounds)
	default:
		return n
	}
	return 0
}

// units are those of sizes, in bytes, in lower case.
var units = map[string]int64{
	"": 1, "b": 1, "byte": 1, "bytes": 1,
	"kb": 1e3, "mb": 1e6, "gb": 1e9,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30,
}

// parseSize reads a number of bytes with a unit: 1MiB, 500 KB, 4096. A size that
// is too large to count in bytes is the largest that is not.
func parseSize(text string) (int64, error) {
	digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
	unit, ok := units[strings.ToLower(strings.TrimSpace(text[digits:]))]
	switch {
	case digits == 0:
		return 0, errors.New("it does not begin with a digit")
	case strings.HasPrefix(text[digits:], "."):
		return 0, errors.New("it is not a whole number")
	case !ok:
		return 0, fmt.Errorf("%q is not a unit", strings.TrimSpace(text[digits:]))
	}
	n, err := strconv.ParseInt(text[:digits], 10, 64)
	if err != nil || n > math.MaxInt64/unit {
		return math.MaxInt64, nil // so many digits are the one error left
	}
	return n * unit, nil
}

// concurrency reads a number of requests in flight. More than the bound have no use: a
// credential is allowed about a thousand requests an hour.
func concurrency(v value) int {
	const most = 100
	n, err := strconv.Atoi(v.text)
	if err != nil || n < 1 || n > most {
		v.problem("write a whole number from 1 to 100; the default is 10", "%q is not a number from 1 to %d", v.text, most)
		return 0
	}
	return n
}

func maxDeletions(v value) *int {
	if v.text == "" {
		return nil
	}
	n, err := strconv.Atoi(v.text)
	if err != nil || n < 0 {
		v.problem("write a whole number, such as 100; 0 deletes nothing, and without this input there is no bound", "%q is not a number of entities", v.text)
		return nil
	}
	return &n
}

func timeLimit(v value) time.Duration {
	if v.text == "" {
		return 0
	}
	d, err := time.ParseDuration(v.text)
	if err != nil || d < 0 {
		v.problem(`write a duration with its unit, such as "110m" or "1h30m", or 0 for none`, "%q is not a duration", v.text)
		return 0
	}
	return d
}
