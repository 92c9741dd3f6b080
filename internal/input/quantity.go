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

// rateLimits reads N/duration, and the same for a class of requests: src=N/duration.
// Without the first the default holds. The second is nil when it is not given.
func rateLimits(v value) (all RateLimit, source *RateLimit) {
	const fix = `write a number of at least 1, a slash and a duration, such as "1000/1h"; ` +
		`for files and folders apart add "src=" and the same: "1000/1h,src=5000/1h"`
	var given bool
	for item := range strings.SplitSeq(v.text, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		class, text, named := strings.Cut(item, "=")
		if class = strings.TrimSpace(class); !named {
			class, text = "", item
		}
		rate, ok := parseRate(text)
		switch {
		case named && !strings.EqualFold(class, "src"):
			v.problem(fix, "%q is not known: src is the one class with a name", class)
		case named && source != nil, !named && given:
			v.problem(fix, "%q is an allowance that is given already", item)
		case !ok:
			v.problem(fix, "%q is not number/duration", strings.TrimSpace(text))
		}
		if named {
			source = &rate
			continue
		}
		all, given = rate, true
	}
	switch {
	case given:
	case source == nil:
		v.problem(fix, "%q is not number/duration", v.text)
	default:
		all, _ = parseRate(v.standard)
	}
	return all, source
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
	const fix = `write a whole number and a unit (B, KB, MB, KiB or MiB), from 1B to 64MiB, such as "500KB"; the default is 1MiB`
	size, err := parseSize(v.text)
	switch {
	case err != nil:
		v.problem(fix, "%q is not a size: %v", v.text, err)
	case size < 1 || size > mostFileSize:
		v.problem(fix, "%q is not from 1 byte to %d MiB", v.text, mostFileSize>>20)
	default:
		return size
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
		return 0, errors.New("it is no whole number")
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
