package app_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"port-bitbucket-exporter/internal/app"
	"port-bitbucket-exporter/internal/input"
)

// completer is a shell that completes.
type completer struct {
	name string
	args []string // before the path of the driver
	// driver asks the shell, which has read the file script, about each line of the file
	// lines, and prints the candidates a line each, and after them ANSWERED.
	driver string
}

var completers = []completer{
	{"bash", []string{"--norc", "--noprofile"}, `
source ./script
compopt() { [[ $1 == -o ]] || default=""; }
while IFS= read -r line; do
    # As readline does it, "=" is a word of its own.
    read -r -a COMP_WORDS <<< "${line//=/ = }"
    [[ $line == *' ' ]] && COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    default=files COMPREPLY=()
    _port_bitbucket_exporter port-bitbucket-exporter
    if ((${#COMPREPLY[@]})); then
        printf '%s\n' "${COMPREPLY[@]}"
    elif [[ $default ]]; then
        compgen -f -- "${COMP_WORDS[COMP_CWORD]}"
    fi
    echo ANSWERED
done < lines`},
	{"zsh", []string{"-f"}, `
zmodload zsh/zpty
cat > completing.zsh <<'END'
PROMPT=
unsetopt automenu autolist # a long list asks whether to show it, and takes the next letter for an answer
: > dump # in the place of one that takes seconds to make: all functions are found by their names
autoload -Uz compinit ${^fpath}/_*(N:t)
compinit -C -d ./dump
source ./script
zstyle ':completion:*' insert-tab false
print-end() { print -r -- "END-OF-CANDIDATES" }
complete-all() { comppostfuncs=(print-end); zle complete-word; BUFFER= }
zle -N complete-all
bindkey '^I' complete-all
compadd() {
    if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
        builtin compadd "$@"
        return
    fi
    local -a candidates
    builtin compadd -A candidates "$@"
    local candidate
    for candidate in $candidates; do print -r -- "CANDIDATE $candidate"; done
    builtin compadd "$@"
}
END
zpty shell zsh -f -i
zpty -w shell 'source ./completing.zsh; print -r -- RE''ADY'
zpty -m -r shell out '*READY*'
while IFS= read -r line; do
    zpty -n -w shell "$line"$'\t'
    zpty -m -r shell out '*END-OF-CANDIDATES*'
    for found in ${(f)${out//$'\r'/}}; do
        [[ $found == *"CANDIDATE "* ]] && print -r -- ${found##*CANDIDATE }
    done
    print ANSWERED
done < lines
zpty -d shell`},
	{"fish", []string{"--no-config"}, `
source script
while read -l line
    complete --do-complete "$line" | string replace -r '\t.*' ''
    echo ANSWERED
end < lines`},
}

// candidate takes what shells put around a candidate: what is before a "=", and signs that quote.
var candidate = regexp.MustCompile(`^--[a-z-]+=\b|\\`)

// completionScript is what the program prints for a shell.
func completionScript(t *testing.T, shell string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if status := app.Main(context.Background(), app.Process{Args: []string{"completion", shell}, Stdout: &stdout, Stderr: &stderr}); status != 0 || stderr.Len() > 0 {
		t.Fatalf("status %d: %s%s", status, stdout.String(), stderr.String())
	}
	return stdout.String()
}

// Each shell completes commands, flags, their values and files.
func TestCompletion(t *testing.T) {
	skipShort(t)
	t.Parallel()
	for _, shell := range completers {
		t.Run(shell.name, func(t *testing.T) {
			t.Parallel()
			script := completionScript(t, shell.name)
			program, err := exec.LookPath(shell.name)
			if err != nil {
				t.Skipf("SKIPPED: there is no %s here: its completion is not tested", shell.name)
			}
			var lines strings.Builder
			for _, tt := range completions {
				lines.WriteString("port-bitbucket-exporter " + tt.line + "\n")
			}
			dir := t.TempDir()
			for name, text := range map[string]string{"script": script, "driver": shell.driver, "lines": lines.String(), "port mapping.yml": "", "folder/x": ""} {
				if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755), os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), program, append(shell.args, "driver")...)
			cmd.Dir, cmd.Env = dir, []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TERM=dumb", "LC_ALL=C.UTF-8"}
			out, err := cmd.CombinedOutput()
			answers := strings.Split(string(out), "ANSWERED\n")
			if err != nil || len(answers) != len(completions)+1 {
				t.Fatalf("%d answers to %d lines: %v\n%s", len(answers)-1, len(completions), err, out)
			}
			for i, tt := range completions {
				var got []string
				for line := range strings.Lines(answers[i]) {
					got = append(got, strings.TrimRight(candidate.ReplaceAllString(line, ""), "/=\n"))
				}
				tt.check(t, got)
			}
		})
	}
}

// completed is a line, and what stands among the candidates for its end, and what does not.
type completed struct {
	line        string
	want, never []string
}

var completions = []completed{
	{"", []string{"sync", "plan", "validate", "completion", "help", "version"}, []string{"folder", "--mode"}},
	{"va", []string{"validate"}, []string{"sync"}},
	{"-", []string{"--mapping-file", "--dry-run", "--version", "--debug"}, []string{"--port-client-secret", "--port-client-id"}},
	{"plan --detai", []string{"--detailed-exit"}, nil},
	{"--deletion ", []string{"apply", "report", "never"}, []string{"plan"}},
	{"sync --deletion=re", []string{"report"}, []string{"apply", "never"}},
	{"--log-level=", []string{"debug", "info", "warning", "error"}, nil},
	{"--debug pl", []string{"plan"}, nil},
	{"--concurrency 3 pl", []string{"plan"}, nil},
	{"completion ", []string{"bash", "zsh", "fish"}, []string{"plan"}},
	{"validate ", []string{"port mapping.yml"}, []string{"plan"}},
	{"sync --mapping-file po", []string{"port mapping.yml"}, []string{"plan"}},
	{"--state-dir ", []string{"folder"}, []string{"port mapping.yml"}},
	{"--concurrency ", nil, []string{"port mapping.yml", "plan"}},
}

func (c completed) check(t *testing.T, got []string) {
	t.Helper()
	for _, word := range c.want {
		if !slices.Contains(got, word) {
			t.Errorf("%q: %q is not offered: %q", c.line, word, got)
		}
	}
	for _, word := range c.never {
		if slices.Contains(got, word) {
			t.Errorf("%q: %q is offered", c.line, word)
		}
	}
}

// Every input that may stand on a command line is in each script, and no secret.
func TestCompletionHoldsTheTable(t *testing.T) {
	t.Parallel()
	for _, shell := range completers {
		script := completionScript(t, shell.name)
		var missing, secrets []string
		for _, in := range input.Table {
			name := strings.ReplaceAll(in.ID, "_", "-")
			found := regexp.MustCompile(`(--|-l )` + name + `[ =|)\["]`).MatchString(script)
			switch {
			case in.Secret && found:
				secrets = append(secrets, name)
			case !in.Secret && !found:
				missing = append(missing, name)
			}
		}
		if diff := cmp.Diff([][]string{missing, secrets}, [][]string{nil, nil}); diff != "" {
			t.Errorf("%s: missing, and secrets:\n%s", shell.name, diff)
		}
		if left := regexp.MustCompile(`[A-Z]+_(FLAGS|OR|ALL)\b|PROGRAM|BEHIND|\bFLAGS\b`).FindString(strings.NewReplacer("COMP_WORDS", "", "OPTIONS", "").Replace(script)); left != "" {
			t.Errorf("%s: %s is not replaced", shell.name, left)
		}
	}
}
