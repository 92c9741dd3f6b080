package input

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// rateLimits reads N/duration, and the same for a class of requests: src=N/duration.
// Without the first the default holds. The second is nil when it is not given.
func (p *parser) rateLimits() (all RateLimit, source *RateLimit) {
	const id = "bitbucket_rate_limit"
	const fix = `write a number of at least 1, a slash and a duration, such as "1000/1h"; ` +
		`for files and folders apart add "src=" and the same: "1000/1h,src=5000/1h"`
	var given bool
	for item := range strings.SplitSeq(p.text(id), ",") {
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
			p.problem(p.where(id), fix, "%q is not known: src is the one class with a name", class)
		case named && source != nil, !named && given:
			p.problem(p.where(id), fix, "%q is an allowance that is given already", item)
		case !ok:
			p.problem(p.where(id), fix, "%q is not number/duration", strings.TrimSpace(text))
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
		p.problem(p.where(id), fix, "%q is not number/duration", p.text(id))
	default:
		all, _ = parseRate(defaultRateLimit)
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

func (p *parser) maxFileSize() int64 {
	const id = "max_file_size"
	const fix = `write a whole number and a unit (B, KB, MB, KiB or MiB), from 1B to 64MiB, such as "500KB"; the default is 1MiB`
	size, err := parseSize(p.text(id))
	switch {
	case err != nil:
		p.problem(p.where(id), fix, "%q is not a size: %v", p.text(id), err)
	case size < 1 || size > mostFileSize:
		p.problem(p.where(id), fix, "%q is not from 1 byte to %d MiB", p.text(id), mostFileSize>>20)
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
