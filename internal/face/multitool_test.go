package face

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/report"
)

// Microsoft's validator finds nothing by the rules of the standard and of GitHub's code
// scanning. SARIF_MULTITOOL names it: .ci/multitool installs it and prints its path.
func TestSARIFMultitool(t *testing.T) {
	t.Parallel()
	tool := os.Getenv("SARIF_MULTITOOL")
	if tool == "" {
		t.Skip("SKIPPED: SARIF_MULTITOOL is not set, so that no other program has read our SARIF; SARIF_MULTITOOL=$(.ci/multitool) sets it")
	}
	ran := checked(problems(t, broken))
	ran.Mapping.Path = "ci/port/my mapping.yml"
	ran.Note(diag.Problem{Severity: diag.Warning, Where: diag.Where{Resource: 1, Kind: "repository"}, Message: "not everything was read", Fix: "run again"})
	ran.Note(diag.Problem{Severity: diag.Error, At: diag.Position{File: "/etc/mapping.yml", Line: 3}, Message: "{0} refused\nan entity", Count: 2, Example: "service/a"})
	folder, found := t.TempDir(), filepath.Join(t.TempDir(), "found.sarif")
	for name, r := range map[string]*report.Report{"broken": checked(problems(t, broken)), "clean": checked(nil), "run": ran} {
		if err := os.WriteFile(filepath.Join(folder, name+".sarif"), SARIF(r), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), tool, "validate", filepath.Join(folder, "*.sarif"), "--rule-kind", "Sarif;Ghas", "--level", "Error;Warning", "--output", found)
	cmd.Env = append(os.Environ(), "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "3 files scanned") {
		t.Fatalf("%v:\n%s", err, out)
	}
	text, err := os.ReadFile(found)
	var l sarifLog
	if err = errors.Join(err, json.Unmarshal(text, &l)); err != nil || len(l.Runs) != 1 || len(l.Runs[0].Results) > 0 {
		t.Errorf("%v:\n%s", err, out)
	}
}
