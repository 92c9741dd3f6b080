package face

import (
	"bytes"
	"strings"

	"port-bitbucket-exporter/internal/report"
)

// dotenvPrefix begins the names of variables, as it does in Bitbucket Pipelines.
const dotenvPrefix = "PORT_RESYNC_"

const (
	// maxDotenvVariables and maxDotenvBytes are what GitLab takes of a file at least, whatever the
	// plan and the version: of one that is too large it takes nothing.
	//
	// Source: https://docs.gitlab.com/administration/instance_limits/ (dotenv), and
	// https://gitlab.com/gitlab-org/gitlab/-/issues/411139, read 2026-11.
	maxDotenvVariables = 20
	maxDotenvBytes     = 5 << 10
)

// Dotenv returns the outputs as lines NAME=value, which GitLab takes as variables for later
// jobs, and a shell as assignments: so it holds only values without blanks, quotes and the
// like, and none that is empty. The summary is left out.
//
// Source: https://docs.gitlab.com/ci/variables/dotenv_variables/, read 2026-11.
func Dotenv(r *report.Report) []byte {
	var out bytes.Buffer
	n := 0
	for _, o := range Outputs(r) {
		line := dotenvPrefix + strings.ToUpper(o.Name) + "=" + o.Text() + "\n"
		if o.Name == "summary" || o.Text() == "" || strings.ContainsFunc(o.Text(), special) || n == maxDotenvVariables || out.Len()+len(line) > maxDotenvBytes {
			continue
		}
		out.WriteString(line)
		n++
	}
	return out.Bytes()
}

// special reports whether a character may mean something to a shell.
func special(c rune) bool {
	letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
	return !letter && !strings.ContainsRune("-_.,:+/@%", c)
}
