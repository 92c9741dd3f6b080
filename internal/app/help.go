package app

import (
	"fmt"
	"strings"

	"port-bitbucket-exporter/internal/input"
	"port-bitbucket-exporter/internal/version"
)

const helpHead = `Reads a Bitbucket Cloud workspace and keeps your Port catalog up to date with it.
`

const helpExamples = `
plan and validate take the mapping file without its flag too, and validate several,
also as patterns: validate 'port/**/*.yml'. A file named - is the standard input.
--dry-run is the command plan, and -q is --quiet.

Examples:
  port-bitbucket-exporter validate mapping.yml
  port-bitbucket-exporter validate mapping.yml --sarif-file mapping.sarif
  port-bitbucket-exporter plan mapping.yml --detailed-exit
  port-bitbucket-exporter sync --mapping-file mapping.yml --deletion report

Inputs are given as --name value or --name=value, or by the environment variable of
the same name in upper case: --mapping-file is MAPPING_FILE, or INPUT_MAPPING_FILE.
Those that are true or false need no value for true.
An argument wins over the environment. Secrets are taken from the environment only,
from NAME, or from the file that NAME_FILE names. In the mode validate only the
inputs with a * are read.
`

const helpTail = `
Exit status:
  0  Done. For validate: the mapping can be used; there may be warnings.
  1  The run failed.
  2  Arguments, inputs or the mapping are wrong: nothing was read or written.
  3  Something was not read or not delivered, as fail_on rules.
  10 Only plan, with detailed_exit, instead of 0: a sync would change something.
`

var helpCommand = command{
	name:   "help",
	usage:  "-h | --help | -v | --version",
	text:   help,
	flags:  []string{"-h", "--help"},
	always: true,
}

var versionCommand = command{
	name:  "version",
	text:  func([]command, string) string { return program + " " + version.This().String() + "\n" },
	flags: []string{"-v", "--version"},
}

// help is what --help prints.
func help(commands []command, _ string) string {
	var b strings.Builder
	b.WriteString(program + " " + Version() + "\n\n" + helpHead + "\nUsage:\n")
	for _, c := range commands {
		if c.usage != "" {
			fmt.Fprintf(&b, "  %s %s\n", program, c.usage)
		}
	}
	b.WriteString("\nCommands:\n")
	for _, c := range commands {
		name := c.name
		for line := range strings.Lines(c.about) {
			fmt.Fprintf(&b, "  %-10s %s\n", name, strings.TrimSuffix(line, "\n"))
			name = "" // after it the lines of one command stand in one column
		}
	}
	b.WriteString(helpExamples)
	for _, group := range input.Groups {
		fmt.Fprintf(&b, "\n%s:\n", group)
		for _, in := range input.Table {
			if in.Group == group {
				writeInput(&b, in)
			}
		}
	}
	b.WriteString(helpTail)
	return b.String()
}

func writeInput(b *strings.Builder, in input.Input) {
	head := "  " + flagName(in.ID) + " " + valueName(in)
	if in.Secret {
		head = "  " + in.Name()
	}
	if in.Validate {
		head += " *"
	}
	text := in.Help
	if in.Required {
		text += " Required."
	}
	if in.Default != "" {
		text += " Default: " + in.Default
	}
	fmt.Fprintf(b, "%s\n", head)
	for _, line := range wrap(text, helpWidth) {
		fmt.Fprintf(b, "      %s\n", line)
	}
}

// valueName stands for the value of an input in the help.
func valueName(in input.Input) string {
	switch {
	case isFlag(in):
		return "true|false"
	case len(in.Words) > 0:
		return strings.Join(in.Words, "|")
	case strings.HasSuffix(in.ID, "_file"):
		return "FILE"
	case strings.HasSuffix(in.ID, "_dir"):
		return "FOLDER"
	case strings.HasSuffix(in.ID, "_url"):
		return "URL"
	}
	return "VALUE"
}

// helpWidth bounds the lines of the help, in characters, without their indentation.
const helpWidth = 78

// wrap breaks a text between words.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}
