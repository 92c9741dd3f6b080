package platform

import (
	"encoding/json"
	"fmt"
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
		for name, env := range everywhere() {
			f := newFixture(t, env)
			f.Annotate(Annotation{Severity: diag.Warning, Message: text, At: diag.Position{File: text, Line: 3}})
			checkAnnotation(t, name, f.out.String())
		}
	}
}

// everywhere are the environments of all platforms.
func everywhere() map[string]map[string]string {
	return map[string]map[string]string{
		"github": {"GITHUB_ACTIONS": "true"}, "bitbucket": {"BITBUCKET_BUILD_NUMBER": "1"}, "gitlab": {"GITLAB_CI": "true"},
		"azure": {"TF_BUILD": "True"}, "jenkins": {"JENKINS_URL": "https://jenkins.example.com/"}, "plain": nil,
	}
}

// azureReads takes a line apart as the agent of Azure does.
//
// Source: https://github.com/microsoft/azure-pipelines-agent, Command.cs and CommandStringConvertor.cs, read 2026-11.
func azureReads(t *testing.T, printed string) (name string, properties map[string]string, data string) {
	t.Helper()
	line, found := strings.CutSuffix(printed, "\n")
	if !found || strings.ContainsAny(line, "\r\n") {
		t.Fatalf("not one line: %q", printed)
	}
	_, rest, found := strings.Cut(line, "##vso[")
	head, data, complete := strings.Cut(rest, "]")
	if !found || !complete {
		t.Fatalf("not a command: %q", printed)
	}
	unescape := func(s string) string {
		s = strings.NewReplacer("%3B", ";", "%0D", "\r", "%0A", "\n", "%5D", "]").Replace(s)
		return strings.ReplaceAll(s, "%AZP25", "%")
	}
	name, list, _ := strings.Cut(head, " ")
	properties = map[string]string{}
	for property := range strings.SplitSeq(list, ";") {
		if key, value, ok := strings.Cut(property, "="); ok {
			properties[key] = unescape(value)
		}
	}
	return name, properties, unescape(data)
}

// checkAzure expects one issue, of which each line does no more than show.
func checkAzure(t *testing.T, printed string) {
	t.Helper()
	name, properties, message := azureReads(t, printed)
	if name != "task.logissue" || properties["type"] != "warning" {
		t.Fatalf("not an issue: %q", printed)
	}
	for key, value := range properties {
		switch key {
		case "type", "sourcepath", "linenumber", "columnnumber":
			clean(t, value)
		default:
			t.Errorf("a property of somebody else: %q in %q", key, printed)
		}
	}
	for line := range strings.SplitSeq(message, "\n") {
		clean(t, line)
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
	if platform == "azure" {
		checkAzure(t, printed)
		return
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
		for name, env := range everywhere() {
			fix := newFixture(t, env)
			fix.scrubber.Add(secret)
			fix.Annotate(Annotation{Severity: diag.Warning, Message: message, At: diag.Position{File: file, Line: 1, Column: 2}})
			checkAnnotation(t, name, fix.out.String())
		}
	})
}

// groupHeads is what comes before the title of a group.
var groupHeads = map[string]*regexp.Regexp{
	"github": regexp.MustCompile(`^::group::`), "azure": regexp.MustCompile(`^##\[group\]`), "bitbucket": regexp.MustCompile(`^`),
	"gitlab": regexp.MustCompile(`^\x1b\[0Ksection_start:\d+:port_resync_1\[collapsed=true\]\r\x1b\[0K`), "jenkins": regexp.MustCompile(`^`), "plain": regexp.MustCompile(`^`),
}

// groupEnds is what ends a group.
var groupEnds = map[string]*regexp.Regexp{
	"github": regexp.MustCompile(`^::endgroup::\n$`), "azure": regexp.MustCompile(`^##\[endgroup\]\n$`), "bitbucket": regexp.MustCompile(`^$`),
	"gitlab": regexp.MustCompile(`^\x1b\[0Ksection_end:\d+:port_resync_1\r\x1b\[0K\n$`), "jenkins": regexp.MustCompile(`^$`), "plain": regexp.MustCompile(`^$`),
}

// FuzzGroup folds lines after any title on each platform: one line begins the group and,
// where lines fold, one ends it.
func FuzzGroup(f *testing.F) {
	for _, text := range dialects {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, title string) {
		for name, env := range everywhere() {
			fix := newFixture(t, env)
			fix.Group(title)
			begin := fix.out.String()
			head := groupHeads[name].FindString(begin)
			rest, complete := strings.CutSuffix(begin[len(head):], "\n")
			if name != "plain" && groupHeads[name].String() != "^" && head == "" || !complete || strings.Contains(rest, "\n") {
				t.Fatalf("%s: not the begin of a group: %q", name, begin)
			}
			if name == "github" {
				rest = strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%").Replace(rest)
			}
			clean(t, rest)
			fix.out.Reset()
			fix.EndGroup()
			if end := fix.out.String(); !groupEnds[name].MatchString(end) {
				t.Errorf("%s: not the end of a group: %q", name, end)
			}
		}
	})
}

// FuzzAzureVariables sets outputs in Azure Pipelines: each that has a line gets its value,
// and nothing else is set.
func FuzzAzureVariables(f *testing.F) {
	f.Add("status", "success")
	f.Add("a", "x]##vso[task.complete result=Failed]")
	f.Add("a;isSecret=true", "100%0A%AZP250A;]")
	f.Add("a", "x\ny")
	f.Fuzz(func(t *testing.T, name, value string) {
		fix := newFixture(t, map[string]string{"TF_BUILD": "True"})
		if err := fix.Publish([]Output{{name, value}}); err != nil {
			t.Fatal(err)
		}
		wanted := validName(name) && name != "summary" && !strings.ContainsFunc(value, lineBreak)
		if !wanted {
			if fix.out.Len() > 0 {
				t.Errorf("printed %q", fix.out)
			}
			return
		}
		got, properties, data := azureReads(t, fix.out.String())
		if got != "task.setvariable" || properties["variable"] != name || properties["isOutput"] != "true" || len(properties) != 2 || data != value {
			t.Errorf("got %s %v %q of %q", got, properties, data, fix.out)
		}
	})
}

// FuzzInert sends JSON to where commands are read: none is left, and it holds what it held.
func FuzzInert(f *testing.F) {
	for _, text := range dialects {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "")
		raw, err := json.MarshalIndent([]string{text}, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		inert := Inert(string(raw), func(c rune) string { return fmt.Sprintf(`\u%04x`, c) })
		var got []string
		if err := json.Unmarshal([]byte(inert), &got); err != nil || len(got) != 1 || got[0] != text {
			t.Fatalf("%v: got %q, want %q", err, got, text)
		}
		for line := range strings.SplitSeq(inert, "\n") {
			if broken := breakCommands(line); broken != line {
				t.Errorf("a command is left: %q", line)
			}
		}
	})
}

func TestInertMarkup(t *testing.T) {
	t.Parallel()
	html := func(c rune) string { return fmt.Sprintf("&#%d;", c) }
	got := Inert("a ##[error]b\n  ::error::c\n\u200c::d\nsection_start:1:x\n# e\nf::g", html)
	if want := "a &#35;#[error]b\n  &#58;:error::c\n\u200c&#58;:d\nsection_start&#58;1:x\n# e\nf::g"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
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
