package platform

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"port-bitbucket-exporter/internal/diag"
)

// dialects are what CI systems and terminals take for more than text.
var dialects = []string{
	"::set-output name=status::owned", " ::add-mask::success", "##[error]owned", "##[set-output name=a]b", "##vso[task.setvariable variable=a]b",
	"##teamcity[setParameter name='a' value='b']", "\x1b[0Ksection_start:1700000000:owned\r\x1b[0Kowned", "\x1b[0Ksection_end:1700000000:owned\r\x1b[0K",
	"travis_fold:start:owned\r", "travis_time:end:0a1b2c:start=1,finish=2\r\x1b[0K", "\x1b[8mha:AAAA\x1b[0mowned", "\x1b]1338;url='https://evil.test/x.png'\x07",
	"\x1b]8;;https://evil.test\x1b\\owned\x1b]8;;\x1b\\", "\x1bPq#0;2;0;0;0\x1b\\", "\x1b[2J\x1b[1;1H", "\u009b2J", "\u009d0;owned\u009c", "a\bb\x7f", "a\x00b",
	"\u202eowned\u2066\u2069", "\u2028::error::owned", "a\r\n::error::owned", "\u200b::error::owned", "owned\n" + outputDelimiter + "\nstatus=success",
	"EOF\nstatus=owned", "status<<EOF", "%0A::error::owned", "a%250A::error::b",
}

// clean fails when a line of a log does more than show.
func clean(t *testing.T, line string) {
	t.Helper()
	if !utf8.ValidString(line) || strings.ContainsFunc(line, unicode.IsControl) || strings.ContainsAny(line, "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\ufeff\u200b") {
		t.Errorf("a character is left that does not show: %q", line)
	}
	lower := strings.ToLower(line)
	for _, command := range []string{"##[", "##vso[", "##teamcity[", "travis_fold:", "travis_time:", "section_start:", "section_end:"} {
		if strings.Contains(lower, command) {
			t.Errorf("%s is left: %q", command, line)
		}
	}
	if strings.HasPrefix(strings.TrimLeftFunc(line, unicode.IsSpace), "::") {
		t.Errorf("a command is left: %q", line)
	}
}

// Each dialect comes through as text, whatever the platform.
func TestDialects(t *testing.T) {
	t.Parallel()
	for _, text := range dialects {
		line := (&Scrubber{}).Line(text)
		clean(t, line)
		if line == "" || strings.Contains(text, "owned") != strings.Contains(line, "owned") {
			t.Errorf("%q became %q, want it to show", text, line)
		}
		for name, env := range map[string]map[string]string{"github": {"GITHUB_ACTIONS": "true"}, "bitbucket": {"BITBUCKET_BUILD_NUMBER": "1"}, "plain": nil} {
			f := newFixture(t, env)
			f.Annotate(Annotation{Severity: diag.Warning, Message: text, At: diag.Position{File: text, Line: 3}})
			checkAnnotation(t, name, f.out.String())
		}
	}
}

// command is one of GitHub's own commands, as the runner reads it.
var command = regexp.MustCompile(`^::warning(?: ((?:file|line|col)=[^,:]*(?:,(?:file|line|col)=[^,:]*)*))?::(.*)$`)

// checkAnnotation expects one command on GitHub, and lines of text elsewhere.
func checkAnnotation(t *testing.T, platform, printed string) {
	t.Helper()
	if !strings.HasSuffix(printed, "\n") {
		t.Fatalf("%s: no line: %q", platform, printed)
	}
	lines := strings.Split(strings.TrimSuffix(printed, "\n"), "\n")
	if platform != "github" {
		for i, line := range lines {
			clean(t, line)
			if strings.HasPrefix(line, "WARNING ") != (i == 0) || strings.HasPrefix(line, "    ") != (i > 0) {
				t.Errorf("%s: a line of its own: %q", platform, line)
			}
		}
		return
	}
	parts := command.FindStringSubmatch(lines[0])
	if len(lines) != 1 || parts == nil {
		t.Fatalf("%s: not one command: %q", platform, printed)
	}
	// The runner prints the message again, with its line breaks.
	message := strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%").Replace(parts[2])
	for line := range strings.SplitSeq(message, "\n") {
		clean(t, line)
	}
}

// FuzzAnnotation shows anything on each platform.
func FuzzAnnotation(f *testing.F) {
	for _, text := range dialects {
		f.Add(text, "mapping.yml", "s3cret-value")
		f.Add("a\n"+text, text, text)
	}
	f.Fuzz(func(t *testing.T, message, file, secret string) {
		for name, env := range map[string]map[string]string{"github": {"GITHUB_ACTIONS": "true"}, "bitbucket": {"BITBUCKET_BUILD_NUMBER": "1"}, "plain": nil} {
			fix := newFixture(t, env)
			fix.scrubber.Add(secret)
			fix.Annotate(Annotation{Severity: diag.Warning, Message: message, At: diag.Position{File: file, Line: 1, Column: 2}})
			checkAnnotation(t, name, fix.out.String())
		}
	})
}

// FuzzVariables writes outputs for Bitbucket Pipelines: a line for each that has one,
// with its value, and nothing else.
func FuzzVariables(f *testing.F) {
	f.Add("status", "success", "A=1")
	f.Add("a", "x\nPATH=y", "A=1\n")
	f.Add("a=b", "x", "")
	f.Add("a", "x\u2028y\x00", "\xff")
	f.Add("a\nPATH", "", "x")
	f.Fuzz(func(t *testing.T, name, value, before string) {
		env := map[string]string{"BITBUCKET_BUILD_NUMBER": "1"}
		fix := newFixture(t, env)
		env["BITBUCKET_PIPELINES_VARIABLES_PATH"] = fix.path("variables")
		write(t, fix.path("variables"), before)
		if err := fix.Publish([]Output{{name, value}, {"status", "success"}}); err != nil {
			t.Fatal(err)
		}
		after := read(t, fix.path("variables"))
		added, found := strings.CutPrefix(after, before)
		if !found {
			t.Fatalf("what was there is changed: %q became %q", before, after)
		}
		want := "PORT_RESYNC_STATUS=success\n"
		if validName(name) && name != "summary" && !strings.ContainsFunc(value, lineBreak) {
			want = "PORT_RESYNC_" + strings.ToUpper(name) + "=" + value + "\n" + want
		}
		if before != "" && !strings.HasSuffix(before, "\n") {
			want = "\n" + want
		}
		if added != want {
			t.Errorf("got %q, want %q", added, want)
		}
		for line := range strings.Lines(want) {
			if line != "\n" && !regexp.MustCompile(`^PORT_RESYNC_[A-Z0-9_]+=[^\r\n]*\n$`).MatchString(line) {
				t.Errorf("not a variable: %q", line)
			}
		}
	})
}
