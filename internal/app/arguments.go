package app

import (
	"fmt"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/clip"
	"port-bitbucket-exporter/internal/input"
	"port-bitbucket-exporter/internal/nearest"
)

// program is its name on the command line.
const program = "port-bitbucket-exporter"

// arguments is what a command line asks for.
type arguments struct {
	help, version bool
	values        map[string]input.Argument // by the inputs' IDs
	problems      input.Problems
}

// parseArguments reads a command line: a command, which is a mode, behind validate and
// plan the mapping file, and inputs as --name value or --name=value. All that is wrong is told at once; no value is
// repeated, since it may be a secret.
func parseArguments(args []string) arguments {
	a := arguments{values: map[string]input.Argument{}}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "-h" || arg == "--help" || arg == "help":
			a.help = true
		case arg == "--version" || arg == "version":
			a.version = true
		case strings.HasPrefix(arg, "-") && len(arg) > 1:
			args = a.flag(arg, args)
		default:
			a.command(arg)
		}
	}
	return a
}

func (a *arguments) problem(where, fix, format string, args ...any) {
	a.problems = append(a.problems, input.Problem{Where: where, What: fmt.Sprintf(format, args...), Fix: fix})
}

func (a *arguments) set(id, text, from string) {
	if earlier, twice := a.values[id]; twice && earlier.Text != text {
		a.problem("argument "+from, "write one of the two", "%s is given already, with another value", earlier.From)
		return
	}
	a.values[id] = input.Argument{Text: text, From: from}
}

// command reads an argument that is no flag.
func (a *arguments) command(arg string) {
	var commands []string
	for _, m := range input.Modes() {
		if arg == string(m) {
			a.set("mode", arg, "the command "+arg)
			return
		}
		commands = append(commands, string(m))
	}
	if a.isFile(arg, append(commands, "help", "version")) {
		a.set("mapping_file", arg, "the argument behind "+a.values["mode"].Text)
		return
	}
	fix := "the commands are " + strings.Join(append(commands, "help", "version"), ", ") + "; inputs are written --name value"
	switch near, ok := nearest.Name(arg, append(commands, "help", "version")); {
	case ok:
		fix = fmt.Sprintf("did you mean %s? %s", near, fix)
	case strings.ContainsAny(arg, "./\\"):
		fix = "a mapping is named by a flag: validate --mapping-file FILE"
	}
	a.problem("arguments", fix, "%s is no command", shortQuote(arg))
}

// isFile says whether an argument is the mapping file of the command before it.
func (a *arguments) isFile(arg string, commands []string) bool {
	mode := a.values["mode"].Text
	if mode != string(input.Validate) && mode != string(input.Plan) {
		return false
	}
	_, misspelt := nearest.Name(arg, commands)
	return strings.ContainsAny(arg, "./\\") || !misspelt
}

// shortQuote shows an argument, cut.
func shortQuote(arg string) string {
	const maxRunes = 40
	return fmt.Sprintf("%q", clip.Runes(arg, maxRunes, "…"))
}

// flag reads a flag, and gives the arguments behind its value.
func (a *arguments) flag(arg string, rest []string) []string {
	name, text, joined := strings.Cut(arg, "=")
	id := strings.ReplaceAll(strings.TrimLeft(name, "-"), "-", "_")
	i := slices.IndexFunc(input.Table, func(in input.Input) bool { return in.ID == id })
	known := i >= 0 && strings.HasPrefix(name, "--")
	switch {
	case known && isFlag(input.Table[i]) && !joined && (len(rest) == 0 || !input.IsBoolean(rest[0])):
		a.set(id, "true", name)
		return rest
	case joined:
	case len(rest) > 0 && !strings.HasPrefix(rest[0], "--"):
		text, rest = rest[0], rest[1:]
	}
	switch {
	case !known:
		a.unknownFlag(name, id)
	case input.Table[i].Secret:
		a.problem("argument "+name, fmt.Sprintf("set the environment variable %[1]s, or %[1]s_FILE to the path of a file that holds it", input.Table[i].Name()),
			"a secret on the command line can be read by every process of the machine")
	case strings.TrimSpace(text) == "":
		a.problem("argument "+name, "write "+name+" VALUE", "it has no value")
	default:
		a.set(id, text, name)
	}
	return rest
}

// isFlag says whether an input is true or false.
func isFlag(in input.Input) bool { return in.Default == "true" || in.Default == "false" }

func (a *arguments) unknownFlag(name, id string) {
	var ids []string
	for _, in := range input.Table {
		ids = append(ids, in.ID)
	}
	fix := program + " --help lists them all"
	if near, ok := nearest.Name(id, append(ids, "help", "version")); ok {
		fix = fmt.Sprintf("did you mean %s? %s", flagName(near), fix)
	}
	a.problem("argument "+shortQuote(name), fix, "there is no such input")
}

// flagName is an input as the command line spells it.
func flagName(id string) string { return "--" + strings.ReplaceAll(id, "_", "-") }
