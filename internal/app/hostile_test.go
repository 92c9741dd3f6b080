package app_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/port/porttest"
)

// hostile are texts that a name, a title or a vendor's message may hold.
var hostile = []string{
	"::set-output name=status::owned",
	"  ::add-mask::success",
	"##[error]owned",
	"##vso[task.setvariable variable=x]owned",
	"a\n::warning::owned",
	"a\r\n::stop-commands::owned",
	"\x1b]0;owned\x07\x1b[2Jowned",
	"a\n_GitHubActionsFileCommandDelimeter_\nstatus=owned",
	"status=owned\nEOF",
	"| owned | <img src=x onerror=alert(1)> | [x](javascript:alert(1)) `",
	"@everyone closes #1 ![x](https://evil.example/x.png) www.evil.example",
	"\u202eowned\u2066",
	"\u2028::error::owned",
}

// Foreign text comes into identifiers, titles, examples and messages. It forges no
// command, no output and no row of a table, on any platform.
func TestHostileText(t *testing.T) {
	t.Parallel()
	for _, platform := range []string{"github", "pipe", "plain"} {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			b := bitbuckettest.New("acme")
			for i, text := range hostile {
				b.AddRepository(bitbuckettest.Repository{Name: text, Slug: "r" + string(rune('a'+i)), Description: text})
			}
			w := newWorld(t, b)
			w.offContract()
			w.addBlueprints()
			message, _ := quotedJSON(strings.Join(hostile, " ")).(string)
			w.port.Fault(porttest.Fault{
				Method: http.MethodPost, Path: "/v1/blueprints/bitbucketProject/entities/bulk", Times: -1,
				Status: http.StatusForbidden, Body: `{"ok":false,"error":` + message + `,"message":` + message + `}`,
				Header: http.Header{"X-Trace-Id": {"::error::owned"}},
			})
			switch platform {
			case "github":
				w.github()
			case "pipe":
				w.env["BITBUCKET_BUILD_NUMBER"] = "1"
				w.env["BITBUCKET_PIPELINES_VARIABLES_PATH"] = w.dir + "/variables"
			}
			// Names are identifiers, blueprints, values of properties that raise errors.
			w.write("mapping.yml", strings.Replace(repositories, "identifier: .slug", "identifier: .name", 1)+`          properties:
            url: error(.name)
`+strings.TrimPrefix(strings.Replace(repositories, `'"bitbucketRepository"'`, ".name", 1), "resources:\n")+
				strings.TrimPrefix(strings.ReplaceAll(repositories, "bitbucketRepository", "bitbucketProject"), "resources:\n")+
				strings.TrimPrefix(strings.Replace(repositories, `query: "true"`, "query: error(.name)", 1), "resources:\n"))
			r := w.run(map[string]string{"MAPPING_FILE": "mapping.yml", "LOG_LEVEL": "debug"})
			r.check(t, 1, "failed") // the only request to write is refused
			if n := len(r.report["problems"].([]any)); n < len(hostile) {
				t.Fatalf("got %d problems: the texts did not come through", n)
			}
			checkLog(t, r.stdout, platform == "github")
			checkLog(t, r.stderr, false)
			switch platform {
			case "github":
				outputs := w.outputs()
				if len(outputs) != len(outputNames) || outputs["status"] != "failed" {
					t.Errorf("got outputs %v", outputs)
				}
				checkTables(t, w.read("summary.md"))
			case "pipe":
				if got := w.variables(); len(got) != len(outputNames)-1 || got["status"] != "failed" {
					t.Errorf("got variables %v", got)
				}
			}
			if text := w.read("report.json"); strings.ContainsAny(text, "\x1b\x07\r\u202e\u2066\u2028") {
				t.Error("the report file holds control characters")
			}
		})
	}
}

var (
	// annotations are what we print on GitHub on purpose.
	annotations = regexp.MustCompile(`^::(error|warning)( (col|file|line)=[A-Za-z0-9._]+(,(col|file|line)=[A-Za-z0-9._]+)*)?::|^::add-mask::(client-id-in-tests|client-secret-in-tests|workspace-token-in-tests|porttest\.[0-9.a-z]+)$`)
	hashes      = regexp.MustCompile(`##[A-Za-z]*\[`)
)

// checkLog expects no command but our own, and nothing that moves the cursor.
func checkLog(t *testing.T, text string, github bool) {
	t.Helper()
	if strings.ContainsAny(text, "\x1b\x07\r\u202e\u2066\u2028\u2029") {
		t.Errorf("the log holds control characters: %q", text)
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		command := strings.HasPrefix(strings.TrimSpace(line), "::")
		if command && !(github && annotations.MatchString(line)) {
			t.Errorf("a forged command: %s", line)
		}
		if !command && hashes.MatchString(line) || github && strings.Contains(line, "##[error]") {
			t.Errorf("a forged command: %s", line)
		}
	}
}

var (
	// unescapedPipe separates cells.
	unescapedPipe = regexp.MustCompile(`(^|[^\\])\|`)
	// markdownLinks lead to pages, and marks are those that we make, in cells and elsewhere.
	markdownLinks = regexp.MustCompile(`\[[^\[\]]*\]\(https?://[-A-Za-z0-9._~/:?#=%+,;&]+\)`)
	markdownMarks = regexp.MustCompile(`<!-- -->|<br>|<wbr>`)
	// markdownFrame is what is not foreign text at all.
	markdownFrame = regexp.MustCompile("^(</?details>.*|[0-9,]+ more in the report file \\(input `report_file`\\)\\.)$")
)

// checkTables expects every row of a table to have as many cells as its head, every block to end
// where ours do, and no markup but our own.
func checkTables(t *testing.T, markdown string) {
	t.Helper()
	cells, fence := 0, ""
	for line := range strings.Lines(markdown) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case fence != "":
			if line == fence {
				fence = ""
			} else if !strings.HasPrefix(line, "- ") && !strings.HasPrefix(line, "+ ") && !strings.HasPrefix(line, "! ") && !strings.HasPrefix(line, "@@ ") && !strings.Contains(line, "/") {
				t.Errorf("not our line of a block: %s", line)
			}
			continue
		case strings.HasPrefix(line, "```"):
			fence = line[:strings.LastIndexByte(line, '`')+1] // without the language
			continue
		case markdownFrame.MatchString(line):
			continue
		}
		n := 0
		if strings.HasPrefix(line, "|") {
			n = len(unescapedPipe.FindAllString(line, -1))
			if cells != 0 && n != cells {
				t.Errorf("a row with %d cells below a head with %d: %s", n-1, cells-1, line)
			}
		}
		cells = n
		rest := markdownMarks.ReplaceAllString(markdownLinks.ReplaceAllString(line, ""), "")
		if strings.ContainsAny(rest, "<>`@") || strings.Contains(rest, "](") || n == 0 && strings.HasPrefix(strings.TrimLeft(rest, " "), "#") && !strings.HasPrefix(rest, "## Port ") && !strings.HasPrefix(rest, "### ") {
			t.Errorf("markup of others: %s", line)
		}
	}
	if fence != "" {
		t.Error("a block does not end")
	}
}
