package app

import (
	"fmt"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/clip"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/input"
	"port-bitbucket-exporter/internal/nearest"
)

// arguments is what a command line asks for.
type arguments struct {
	commands []command                 // those that may stand on it
	text     *command                  // the first of them that is asked for and prints a text
	chosen   string                    // its word
	values   map[string]input.Argument // by the inputs' IDs
	words    []string                  // neither commands nor flags
	files    []string                  // those that are mapping files
	problems diag.Problems
}

// shortcuts are the flags that stand for one value of an input.
var shortcuts = []shortcut{
	{"-q", "quiet", "true"},
	{"--dry-run", "mode", string(input.Plan)},
}

type shortcut struct{ flag, id, text string }

// parseArguments reads a command line: a command, after some commands the mapping file, and
// inputs as --name value or --name=value. It reports all that is wrong at once, and repeats
// no value, which may be a secret.
func parseArguments(args []string, commands []command) arguments {
	a := arguments{commands: commands, values: map[string]input.Argument{}}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		c := a.named(arg)
		switch {
		case c != nil && c.text != nil:
			args = a.print(c, args)
		case c != nil:
			a.set("mode", arg, "the command "+arg)
		case strings.HasPrefix(arg, "-") && len(arg) > 1:
			args = a.flag(arg, args)
		default:
			a.words = append(a.words, arg)
		}
	}
	for _, word := range a.words {
		a.word(word)
	}
	return a
}

// named returns the command of that name or flag; nil when there is none.
func (a *arguments) named(name string) *command {
	i := slices.IndexFunc(a.commands, func(c command) bool { return c.name == name || slices.Contains(c.flags, name) })
	if i < 0 {
		return nil
	}
	return &a.commands[i]
}

// print notes that a command with a text is asked for, and returns the arguments after its
// word. One that is always printed wins.
func (a *arguments) print(c *command, rest []string) []string {
	if a.text == nil || c.always {
		a.text = c
	}
	switch {
	case len(c.words) == 0:
		return rest
	case len(rest) > 0 && slices.Contains(c.words, rest[0]):
		a.chosen = rest[0]
		return rest[1:]
	}
	said := "nothing follows it"
	if len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		said, rest = shortQuote(rest[0])+" follows it", rest[1:]
	}
	a.problem("argument "+c.name, "write "+c.usage, "%s", said)
	return rest
}

func (a *arguments) problem(where, fix, format string, args ...any) {
	a.problems = append(a.problems, diag.Problem{Where: diag.Where{Part: where}, Message: fmt.Sprintf(format, args...), Fix: fix})
}

func (a *arguments) set(id, text, from string) {
	earlier, twice := a.values[id]
	switch {
	case !twice || earlier.Text == text || id == "mode" && strings.EqualFold(earlier.Text, text):
	case id == "mode": // no secret, and --dry-run does not look like one
		a.problem("argument "+from, "write one of the two", "it asks for the mode %s, and %s for the mode %s", shortQuote(text), earlier.From, shortQuote(earlier.Text))
		return
	default:
		a.problem("argument "+from, "write one of the two", "%s is given already, with another value", earlier.From)
		return
	}
	a.values[id] = input.Argument{Text: text, From: from}
}

// word reads an argument that is neither a flag nor a command, when all others are read.
func (a *arguments) word(arg string) {
	if strings.TrimSpace(arg) == "" {
		a.problem("arguments", "remove it, or set the variable that it is taken from", "one of them is empty")
		return
	}
	var names []string
	for _, c := range a.commands {
		names = append(names, c.name)
	}
	if most := a.isFile(arg, names); most > 0 {
		a.file(arg, most)
		return
	}
	fix := "the commands are " + strings.Join(names, ", ") + "; inputs are written --name value"
	switch near, ok := nearest.Name(arg, names); {
	case ok:
		fix = fmt.Sprintf("did you mean %s? %s", near, fix)
	case strings.ContainsAny(arg, "./\\"):
		fix = "a mapping follows plan or validate; for sync it has a flag: --mapping-file FILE"
	}
	a.problem("arguments", fix, "%s is not a command", shortQuote(arg))
}

// isFile returns how many mapping files may stand after the command, when an argument is one.
func (a *arguments) isFile(arg string, commands []string) int {
	c := a.named(a.values["mode"].Text)
	if c == nil || c.files == 0 {
		return 0
	}
	if _, misspelt := nearest.Name(arg, commands); misspelt && !strings.ContainsAny(arg, "./\\") {
		return 0
	}
	return c.files
}

// file takes a mapping file that has no flag; there may be so many at most.
func (a *arguments) file(name string, most int) {
	if a.files = append(a.files, name); len(a.files) == 1 {
		a.set("mapping_file", name, "the argument after "+a.values["mode"].Text)
	} else if most == 1 {
		a.problem("arguments", "name one file; validate checks several", "%s is one mapping file too many for %s", shortQuote(name), a.values["mode"].Text)
	}
}

// shortQuote shows an argument, cut.
func shortQuote(arg string) string {
	const maxRunes = 40
	return fmt.Sprintf("%q", clip.Runes(arg, maxRunes, "…"))
}

// flag reads a flag, and returns the arguments after its value.
func (a *arguments) flag(arg string, rest []string) []string {
	name, text, joined := strings.Cut(arg, "=")
	if i := slices.IndexFunc(shortcuts, func(s shortcut) bool { return s.flag == name }); i >= 0 {
		a.shortcut(shortcuts[i], text, joined)
		return rest
	}
	id := strings.ReplaceAll(strings.TrimLeft(name, "-"), "-", "_")
	i := slices.IndexFunc(input.Table, func(in input.Input) bool { return in.ID == id })
	known := i >= 0 && strings.HasPrefix(name, "--")
	switch {
	case known && isFlag(input.Table[i]) && !joined && (len(rest) == 0 || !input.IsBoolean(rest[0])):
		a.set(id, "true", name)
		return rest
	case joined:
	case len(rest) > 0 && a.isValue(rest[0], known):
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

// isValue reports whether an argument is the value of the flag before it, and no flag. Where
// that one is not known, whatever begins with a dash is taken for a flag, and reported too.
func (a *arguments) isValue(arg string, known bool) bool {
	isFlag := func(s shortcut) bool { return s.flag == arg }
	return arg == "-" || !strings.HasPrefix(arg, "-") ||
		known && !strings.HasPrefix(arg, "--") && a.named(arg) == nil && !slices.ContainsFunc(shortcuts, isFlag)
}

// shortcut reads a flag that stands for a value, or is written as --flag=true or --flag=false.
func (a *arguments) shortcut(s shortcut, text string, joined bool) {
	switch {
	case joined && !input.IsBoolean(text):
		a.problem("argument "+s.flag, "write "+s.flag+" alone", "%s is neither true nor false", shortQuote(text))
	case !joined || input.IsTrue(text):
		a.set(s.id, s.text, s.flag)
	}
}

// isFlag reports whether an input is true or false.
func isFlag(in input.Input) bool { return in.Default == "true" || in.Default == "false" }

func (a *arguments) unknownFlag(name, id string) {
	fix := program + " --help lists them all"
	if near, ok := input.Near(id, "help", "version", "dry_run"); ok {
		fix = fmt.Sprintf("did you mean %s? %s", flagName(near), fix)
	}
	a.problem("argument "+shortQuote(name), fix, "there is no such input")
}

// flagName returns an input as the command line spells it.
func flagName(id string) string { return "--" + strings.ReplaceAll(id, "_", "-") }
