package dialect

import (
	"math"
	"strings"
	"time"

	"github.com/itchyny/gojq"
)

// gmtime is a broken-down time of the seconds since 1970. The fraction of the second counts
// from below, also before 1970.
func gmtime(v any, _ []any) any {
	seconds, ok := gojq.ToFloat64(v)
	if !ok || math.IsNaN(seconds) || math.Abs(seconds) > maxSeconds {
		return errRefused
	}
	t := time.Unix(int64(seconds), 0).UTC()
	second := any(t.Second())
	if fraction := seconds - math.Floor(seconds); fraction != 0 {
		second = float64(t.Second()) + fraction
	}
	return []any{t.Year(), int(t.Month()) - 1, t.Day(), t.Hour(), t.Minute(), second, int(t.Weekday()), t.YearDay() - 1}
}

// maxSeconds bounds a time: the years that fit into 32 bits.
const maxSeconds = 6.7e16

// timeOf returns the time that an array of up to eight numbers stands for. Those that are
// missing are 0, and the year 1900; weekday and day of the year are ignored.
func timeOf(v any) (t time.Time, ok bool) {
	list, ok := v.([]any)
	if !ok {
		return t, false
	}
	fields := [8]int{0: 1900}
	for i := range min(len(list), len(fields)) {
		f, ok := gojq.ToFloat64(list[i])
		if !ok || math.IsNaN(f) {
			return t, false
		}
		if i == 0 { // a fraction is cut off from the years since 1900
			f = math.Trunc(f-1900) + 1900
		}
		fields[i] = int(min(max(f, math.MinInt32), math.MaxInt32))
	}
	return time.Date(fields[0], time.Month(fields[1]+1), fields[2], fields[3], fields[4], fields[5], 0, time.UTC), true
}

// mktime returns seconds since 1970.
func mktime(v any, _ []any) any {
	t, ok := timeOf(v)
	if !ok || t.Unix() == -1 {
		return errRefused
	}
	return int(t.Unix())
}

// strftime formats a time in UTC, whose name is GMT.
func strftime(next Callable) Callable {
	return func(v any, args []any) any {
		format, isText := args[0].(string)
		seconds, isNumber := gojq.ToFloat64(v)
		switch {
		case !isText, isNumber && (math.IsNaN(seconds) || math.Abs(seconds) > maxSeconds):
			return errRefused
		case isNumber:
			v = math.Trunc(seconds)
		default:
			t, ok := timeOf(v)
			if !ok {
				return errRefused
			}
			v = float64(t.Unix())
		}
		return next(v, []any{gnuFormat(format, time.Unix(int64(v.(float64)), 0).UTC().Year())})
	}
}

// gnuFormat writes a format of the GNU C library for gojq, which has %f besides those and
// another name for UTC, and writes a year in four digits.
func gnuFormat(format string, year int) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		b.WriteByte(format[i])
		if format[i] != '%' {
			continue
		}
		directive := format[i+1:]
		name := strings.TrimLeft(directive, "-_0^#123456789EO")
		if name == "" {
			b.WriteString("%" + directive)
			break
		}
		switch written := directive[:len(directive)-len(name)+1]; name[0] {
		case 'Z':
			zone := "GMT"
			if strings.Contains(written, "#") {
				zone = "gmt"
			}
			text := b.String()
			b.Reset()
			b.WriteString(text[:len(text)-1] + zone)
		case 'f', 'v', 'L', 'N', 'E', 'O', 'Q', '+', 'q':
			b.WriteString("%" + written)
		case 'Y':
			if 0 <= year && year < 1000 && written == "Y" {
				written = "-Y"
			}
			b.WriteString(written)
		default:
			b.WriteString(written)
		}
		i += len(directive) - len(name) + 1
	}
	return b.String()
}
