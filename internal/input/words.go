package input

import (
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Mode is what to do.
type Mode string

// The values of mode.
const (
	Sync     Mode = "sync"     // read, map and write
	Plan     Mode = "plan"     // read and map, and report what a sync would write
	Validate Mode = "validate" // check the mapping
)

// Modes are the values of mode, in the order of the manual.
func Modes() []Mode { return []Mode{Sync, Plan, Validate} }

// Deletion is what is done with stale entities.
type Deletion string

// The values of deletion.
const (
	DeletionApply  Deletion = "apply"
	DeletionReport Deletion = "report" // report them only
	DeletionNever  Deletion = "never"  // do not look for them
)

// ResponseFields is what of an object Bitbucket is asked for.
type ResponseFields string

// The values of response_fields.
const (
	FieldsMapping ResponseFields = "mapping" // what the mapping can read
	FieldsAll     ResponseFields = "all"
)

// UseOf is which of several kinds of credentials are used.
type UseOf string

// The values of credentials.
const (
	UseFirst UseOf = "first" // the first kind that is given
	UseAll   UseOf = "all"   // all of them, side by side
)

// isUse accepts the values of credentials.
func isUse(text string) bool { return oneOf(text, words(UseFirst, UseAll)...) }

// CodeInsights is where a report of the run goes to in Bitbucket.
type CodeInsights string

// The values of code_insights. Empty is as InsightsOff.
const (
	InsightsAuto CodeInsights = "auto"  // onto the commit of a pipeline whose proxy is there
	InsightsOn   CodeInsights = "true"  // onto the commit of a pipeline
	InsightsOff  CodeInsights = "false" // nowhere
)

// codeInsights reads a boolean or auto.
func codeInsights(v value) CodeInsights {
	switch {
	case IsTrue(v.text):
		return InsightsOn
	case isFalse(v.text):
		return InsightsOff
	}
	return choice[CodeInsights](v)
}

// isCodeInsights accepts the values of code_insights.
func isCodeInsights(text string) bool { return IsBoolean(text) || oneOf(text, string(InsightsAuto)) }

// LogFormat is how lines are written.
type LogFormat string

// The values of log_format.
const (
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// isLogFormat accepts the values of log_format.
func isLogFormat(text string) bool { return oneOf(text, string(LogText), string(LogJSON)) }

// Color is whether lines are coloured.
type Color string

// The values of color.
const (
	ColorAuto   Color = "auto"
	ColorAlways Color = "always"
	ColorNever  Color = "never"
)

// isColor accepts the values of color.
func isColor(text string) bool {
	return oneOf(text, string(ColorAuto), string(ColorAlways), string(ColorNever))
}

// FailOn decides which partial runs end with a failing exit status.
type FailOn string

// The values of fail_on.
const (
	FailOnIncomplete FailOn = "incomplete" // something was not read or not delivered
	FailOnRejected   FailOn = "rejected"   // also when single entities were rejected
	FailOnNever      FailOn = "never"
)

// PublishMapping decides when the mapping of the inputs replaces the one that the
// integration in Port shows.
type PublishMapping string

// The values of publish_mapping.
const (
	PublishIfEmpty PublishMapping = "if-empty" // when it shows none
	PublishAlways  PublishMapping = "always"
	PublishNever   PublishMapping = "never"
)

// mode reads the input mode.
func mode(v value) Mode {
	if m := Mode(strings.ToLower(v.text)); slices.Contains(Modes(), m) {
		return m
	}
	v.problem("write one of: sync, plan, validate; where the variable MODE is another program's, INPUT_MODE wins over it", "%q is not known", v.text)
	return ""
}

// choice reads an input that is one of its words.
func choice[T ~string](v value) T {
	for _, word := range v.words {
		if strings.EqualFold(v.text, word) {
			return T(word)
		}
	}
	v.problem("write one of: "+strings.Join(v.words, ", "), "%q is not known", v.text)
	return ""
}

// words are the values of a type, as the table has them.
func words[T ~string](all ...T) []string {
	texts := make([]string, len(all))
	for i, word := range all {
		texts[i] = string(word)
	}
	return texts
}

func boolean(v value) bool {
	if !IsBoolean(v.text) {
		v.problem("write true or false", "%q is neither true nor false", v.text)
	}
	return IsTrue(v.text)
}

// IsBoolean reports whether text is a value of an input that is true or false.
func IsBoolean(text string) bool { return IsTrue(text) || isFalse(text) }

// IsTrue reports whether text is one that means true.
func IsTrue(text string) bool  { return oneOf(text, "true", "1", "yes", "on") }
func isFalse(text string) bool { return oneOf(text, "false", "0", "no", "off") }

func oneOf(text string, words ...string) bool {
	return slices.Contains(words, strings.ToLower(strings.TrimSpace(text)))
}

var namePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// variableNames reads a list of names of environment variables.
func variableNames(v value) []string {
	var names []string
	for name := range strings.SplitSeq(v.text, ",") {
		name = strings.TrimSpace(name)
		if name == "" || slices.Contains(names, name) {
			continue
		}
		if !namePattern.MatchString(name) {
			v.problem(`write names of environment variables, separated by commas, such as "TEAM,REGION"`,
				"%q is not the name of an environment variable", name)
			continue
		}
		names = append(names, name)
	}
	return names
}

// list reads names that are separated by commas or blanks, each once, also in the brackets and
// quotes of a list in YAML.
func list(v value) []string {
	var names []string
	for _, name := range strings.FieldsFunc(v.text, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`,[]"'`, r) }) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// logLevel puts debug first, then log_level. Both hold words that are known, since others
// were left out when they were found. GitHub sets RUNNER_DEBUG when a re-run asks for debug
// logging.
func logLevel(debug, name value, runnerDebug given) slog.Level {
	if IsTrue(debug.text) || strings.TrimSpace(runnerDebug.text) == "1" {
		return slog.LevelDebug
	}
	l, _ := level(name.text)
	return l
}

func isLevel(text string) bool {
	_, ok := level(text)
	return ok
}

// level reads a level's name; the names of Ocean's log levels are among them.
func level(text string) (slog.Level, bool) {
	switch strings.ToLower(text) {
	case "debug":
		return slog.LevelDebug, true
	case "info":
		return slog.LevelInfo, true
	case "warn", "warning":
		return slog.LevelWarn, true
	case "error", "critical":
		return slog.LevelError, true
	default:
		return slog.LevelInfo, false
	}
}
