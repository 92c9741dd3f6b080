package mapping

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// tabFix returns how often the mistake was made.
func tabFix(lines []string, number int) string {
	others := 0
	for i, line := range lines {
		if blank := line[:len(line)-len(strings.TrimLeft(line, " \t"))]; i != number-1 && strings.Contains(blank, "\t") {
			others++
		}
	}
	fix := "indent with spaces: YAML takes no tabs"
	if others > 0 {
		fix += fmt.Sprintf("; there are tabs in %d more lines", others)
	}
	return fix
}

var (
	noBlank = regexp.MustCompile(`^\s*(?:- +)*([A-Za-z][\w-]*):([^\s/].*)$`)
	noColon = regexp.MustCompile(`^\s*(?:- +)*([A-Za-z][\w-]*)(?:\s+([^:#]*))?$`)
)

const defaultFix = "check the indentation, the colons and the quotes of this line and of the one above"

// layoutFix returns what is most likely wrong with a line that is not YAML for another
// reason than jq in it, and in which line to mend it. The message may be empty.
func (s *source) layoutFix(text string, lines []string, number, reached int) (line int, message, fix string) {
	if number < 1 || number > len(lines) {
		return number, "", defaultFix
	}
	if strings.HasPrefix(strings.TrimSpace(lines[0]), "<") {
		return number, "", "this looks like HTML or XML: check the path of the file, and how it was fetched"
	}
	for _, at := range []int{number, number - 1} {
		if at < 1 {
			continue
		}
		if m := noBlank.FindStringSubmatch(lines[at-1]); m != nil {
			return at, "the colon after the key has no blank after it", "write a blank after the colon: " + m[1] + ": " + cutHint(m[2])
		}
		if m := noColon.FindStringSubmatch(lines[at-1]); m != nil {
			value, assigned := strings.CutPrefix(m[2], "=")
			fix := "write a colon after the key: "
			if assigned {
				fix = `write a colon instead of the "=": `
			}
			return at, "the key has no colon after it", fix + strings.TrimSpace(m[1]+": "+cutHint(strings.TrimSpace(value)))
		}
	}
	if m, ok := s.misplaced(text, lines, number, reached); ok {
		return m.line, "the indentation of the line fits none of those around it", m.fix(lines)
	}
	return number, "", defaultFix
}

func blanks(n int) string {
	if n == 1 {
		return "1 blank"
	}
	return strconv.Itoa(n) + " blanks"
}

// shift is another indentation of a line, and of those below that stand deeper.
type shift struct {
	line, last int  // the first and the last line
	from, to   int  // blanks
	like       int  // a line with that indentation
	dash       bool // the "- " before the line goes, and it stays where it is
}

// leading counts the blanks before a line's text, and before its dashes.
func leading(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

func dashed(line string) bool { return strings.HasPrefix(strings.TrimLeft(line, " "), "- ") }

// misplaced finds the line near a syntax error that another indentation makes right:
// the one with which the least is wrong, and that is nearest to what it has.
func (s *source) misplaced(text string, lines []string, number, reached int) (best shift, found bool) {
	least := 0
	for _, at := range []int{number, number - 1, number - 2} {
		if at < 1 || strings.TrimSpace(lines[at-1]) == "" {
			continue
		}
		for _, m := range shifts(lines, at) {
			if !s.reread(text) {
				return best, found
			}
			moved := strings.Join(m.apply(lines), "\n")
			wrong, whole := faults(moved)
			switch {
			case whole:
			case readUntilError(moved) > reached+len(moved)-len(text)+len(lines[number-1]):
				wrong = maxNodes // further on is another syntax error
			default:
				continue
			}
			if !found || wrong < least || wrong == least && distanceOf(m) < distanceOf(best) {
				best, found, least = m, true, wrong
			}
		}
	}
	return best, found
}

// faults counts what is wrong with a text that is YAML. It returns false for one that is
// none.
func faults(text string) (int, bool) {
	doc, err := next(yaml.NewDecoder(strings.NewReader(text)))
	if err != nil || !readable(text) {
		return 0, false
	}
	_, problems := build(newSource("", text), doc.Content[0], nil)
	return len(problems), true
}

func distanceOf(m shift) int {
	if m.dash {
		return 3
	}
	d := 2 * max(m.to-m.from, m.from-m.to)
	if m.last > m.line {
		d++ // rather one line than many
	}
	return d
}

// shifts are the indentations of the lines around one that it could have instead.
func shifts(lines []string, number int) []shift {
	own := leading(lines[number-1])
	last := number
	for last < len(lines) && (strings.TrimSpace(lines[last]) == "" || leading(lines[last]) > own || leading(lines[last]) == own && dashed(lines[last]) == dashed(lines[number-1])) {
		last++
	}
	var all []shift
	if dashed(lines[number-1]) {
		all = append(all, shift{line: number, last: number, from: own, to: own, dash: true})
	}
	seen, seenBlock := map[int]bool{own: true}, map[int]bool{own: true}
	for distance := 1; distance <= 40; distance++ {
		for _, like := range []int{number - distance, number + distance} {
			if like < 1 || like > len(lines) || strings.TrimSpace(lines[like-1]) == "" || dashed(lines[like-1]) != dashed(lines[number-1]) {
				continue
			}
			to := leading(lines[like-1])
			if !seen[to] && (number == len(lines) || !deeper(lines, number, own) || deeper(lines, number, to)) {
				all = append(all, shift{number, number, own, to, like, false})
			}
			seen[to] = true
			if outside := like < number || like > last; outside && last > number && !seenBlock[to] {
				seenBlock[to] = true
				all = append(all, shift{number, last, own, to, like, false})
			}
		}
	}
	return all
}

// deeper reports whether the line below stands deeper than so many blanks, as far as
// this line has lines below it.
func deeper(lines []string, number, blanks int) bool {
	if dashed(lines[number-1]) || !strings.HasSuffix(strings.TrimRight(lines[number-1], " "), ":") {
		return true
	}
	return leading(lines[number]) > blanks
}

func (m shift) apply(lines []string) []string {
	moved := append([]string(nil), lines...)
	if m.dash {
		moved[m.line-1] = strings.Replace(moved[m.line-1], "- ", "", 1)
		return moved
	}
	for i := m.line - 1; i < m.last; i++ {
		if strings.TrimSpace(moved[i]) != "" {
			moved[i] = strings.Repeat(" ", max(0, leading(moved[i])+m.to-m.from)) + strings.TrimLeft(moved[i], " ")
		}
	}
	return moved
}

// fix returns what to type.
func (m shift) fix(lines []string) string {
	if m.dash {
		return `remove the "- "`
	}
	if m.last > m.line {
		how := fmt.Sprintf("%s more", blanks(m.to-m.from))
		if m.to < m.from {
			how = fmt.Sprintf("%s less", blanks(m.from-m.to))
		}
		return fmt.Sprintf("indent lines %d to %d by %s: line %d is then in line with line %d", m.line, m.last, how, m.line, m.like)
	}
	what := "the line"
	if text := strings.TrimSpace(lines[m.line-1]); dashed(lines[m.line-1]) {
		what = `the "-"`
	} else if key, _, ok := strings.Cut(text, ":"); ok {
		what = strconv.Quote(key)
	}
	return fmt.Sprintf("write %s before %s, as in line %d, and not %d", blanks(m.to), what, m.like, m.from)
}

// noEscape is a backslash in double quotes that YAML does not know, and what follows.
//
// Source: https://yaml.org/spec/1.2.2/#57-escaped-characters, read 2026-11.
var noEscape = regexp.MustCompile(`\\[^0abt\tnvfre "'\\/N_LPxuU]`)

// escapeFix is for a value in double quotes with an escape that YAML does not know:
// where it is in the line, and what to write. It is empty when there is none.
func escapeFix(line string) (column int, message, fix string) {
	m := keyAndValue.FindStringSubmatch(line)
	at := noEscape.FindStringIndex(line)
	if at == nil {
		return 0, "", ""
	}
	escape := line[at[0]:at[1]]
	message = fmt.Sprintf("YAML has no escape %q in double quotes", rawText(escape))
	fix = fmt.Sprintf(`put the whole value in single quotes, and write \%s inside`, escape)
	if m == nil || m[3] == "" || m[3][0] != '"' || closing(m[3]) != len(m[3])-1 || len(m[3]) > maxHint {
		return at[0] + 1, message, fix
	}
	inner := m[3][1 : len(m[3])-1]
	inner = strings.ReplaceAll(inner, `\\`, `\`)
	inner = strings.ReplaceAll(inner, `\"`, `"`)
	inner = noEscape.ReplaceAllStringFunc(inner, func(escape string) string { return `\` + escape })
	return at[0] + 1, message, fix + ": " + m[2] + ": " + InSingleQuotes(inner)
}

// rawText is printed with %q as it stands.
type rawText string

// Format prints the text in double quotes, unchanged.
func (r rawText) Format(f fmt.State, _ rune) { fmt.Fprintf(f, `"%s"`, string(r)) }

// conflict is a line that version control left.
var conflict = regexp.MustCompile(`^(<{7}|>{7})( |$)`)
