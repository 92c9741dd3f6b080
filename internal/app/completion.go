package app

import (
	_ "embed" // the scripts
	"fmt"
	"strings"

	"port-bitbucket-exporter/internal/clip"
	"port-bitbucket-exporter/internal/input"
)

var completionCommand = command{
	name:  "completion",
	usage: "completion bash|zsh|fish",
	about: "Prints what a shell completes commands and flags by, and how to load it.",
	words: []string{"bash", "zsh", "fish"},
	text: func(commands []command, shell string) string {
		script := map[string]func([]command) string{"bash": bashScript, "zsh": zshScript, "fish": fishScript}[shell](commands)
		return strings.ReplaceAll(script, "PROGRAM", program)
	},
}

// The scripts, with words in capital letters in place of what the tables give.
var (
	//go:embed completion/bash
	bashFrame string
	//go:embed completion/zsh
	zshFrame string
	//go:embed completion/fish
	fishFrame string
)

// option is an input as a shell completes it.
type option struct {
	flag, about string
	values      values
	words       []string // for someWords
}

// values is what the value of an option can be.
type values int

const (
	anyText   values = iota
	noValue          // it is true without one
	someWords        // those that are known
	anyFile
	anyFolder
)

// options are the inputs that may stand on a command line, in the order of the table.
func options() []option {
	var all []option
	for _, in := range input.Table {
		o := option{flag: flagName(in.ID), about: brief(in.Help), words: in.Words}
		switch {
		case in.Secret:
			continue
		case isFlag(in):
			o.values = noValue
		case strings.HasSuffix(in.ID, "_file"):
			o.values = anyFile
		case strings.HasSuffix(in.ID, "_dir"):
			o.values = anyFolder
		case len(in.Words) > 0:
			o.values = someWords
		}
		all = append(all, o)
	}
	return all
}

// brief is the beginning of a text, as far as it says what it is about.
func brief(text string) string {
	const maxBrief = 70
	text = strings.ReplaceAll(text, "\n", " ")
	for _, end := range []string{". ", "; ", ": ", ", relative"} {
		text, _, _ = strings.Cut(text, end)
	}
	return clip.Runes(strings.TrimSuffix(text, "."), maxBrief, "…")
}

// shortFlags are the flags that are no input, and what each does.
func shortFlags(commands []command) (flags [][2]string) {
	for _, s := range shortcuts {
		flags = append(flags, [2]string{s.flag, "The same as " + flagName(s.id) + " " + s.text})
	}
	for _, c := range commands {
		for _, flag := range c.flags {
			flags = append(flags, [2]string{flag, c.brief()})
		}
	}
	return flags
}

// brief says what a command is about.
func (c command) brief() string {
	if c.about == "" {
		return "Print the " + c.name
	}
	return brief(c.about)
}

func bashScript(commands []command) string {
	flags := map[values][]string{}
	var all, valued, names []string
	var words, behind strings.Builder
	for _, o := range options() {
		all = append(all, o.flag)
		flags[o.values] = append(flags[o.values], o.flag)
		if o.values != noValue {
			valued = append(valued, o.flag)
		}
		if o.values == someWords {
			fmt.Fprintf(&words, "    %s)\n        COMPREPLY=($(compgen -W %q -- \"$cur\"))\n        return\n        ;;\n", o.flag, strings.Join(o.words, " "))
		}
	}
	for _, s := range shortFlags(commands) {
		all = append(all, s[0])
	}
	for _, c := range commands {
		names = append(names, c.name)
		switch {
		case c.files > 0:
			fmt.Fprintf(&behind, "    %s) ;; # by the default\n", c.name)
		case len(c.words) > 0:
			fmt.Fprintf(&behind, "    %s)\n        COMPREPLY=($(compgen -W %q -- \"$cur\"))\n        ;;\n", c.name, strings.Join(c.words, " "))
		}
	}
	return strings.NewReplacer(
		"FILE_FLAGS", strings.Join(flags[anyFile], "|"), "FOLDER_FLAGS", strings.Join(flags[anyFolder], "|"),
		"WORD_FLAGS", words.String(), "OTHER_FLAGS", strings.Join(flags[anyText], "|"), "VALUE_FLAGS", strings.Join(valued, "|"),
		"ALL_FLAGS", strings.Join(all, " "), "COMMANDS_OR", strings.Join(names, "|"), "COMMANDS_ALL", strings.Join(names, " "), "BEHIND", behind.String(),
	).Replace(bashFrame)
}

func zshScript(commands []command) string {
	quote := strings.NewReplacer("'", `'\''`, `\`, `\\`, "[", `\[`, "]", `\]`, ":", `\:`).Replace
	var flags, names, behind strings.Builder
	for _, o := range options() {
		value := map[values]string{anyText: ":value:", anyFile: ":file:_files", anyFolder: ":folder:_files -/", someWords: ":value:(" + strings.Join(o.words, " ") + ")"}[o.values]
		if value != "" {
			o.flag += "=" // the value stands after that, or in the next word
		}
		fmt.Fprintf(&flags, "        '%s[%s]%s' \\\n", o.flag, quote(o.about), value)
	}
	for _, s := range shortFlags(commands) {
		fmt.Fprintf(&flags, "        '%s[%s]' \\\n", s[0], quote(s[1]))
	}
	for _, c := range commands {
		fmt.Fprintf(&names, "            '%s:%s'\n", c.name, quote(c.brief()))
		switch {
		case c.files > 0:
			fmt.Fprintf(&behind, "        %s) _files ;;\n", c.name)
		case len(c.words) > 0:
			fmt.Fprintf(&behind, "        %s) compadd %s ;;\n", c.name, strings.Join(c.words, " "))
		}
	}
	return strings.NewReplacer("FLAGS", flags.String(), "COMMANDS", names.String(), "BEHIND", behind.String()).Replace(zshFrame)
}

func fishScript(commands []command) string {
	quote := strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, "complete -c PROGRAM "+format+"\n", args...) }
	var names []string
	for _, c := range commands {
		names = append(names, c.name)
	}
	for _, c := range commands {
		line("-n 'not __fish_seen_subcommand_from %s' -a %s -d '%s'", strings.Join(names, " "), c.name, quote(c.brief()))
		switch {
		case c.files > 0:
			line("-n '__fish_seen_subcommand_from %s' -F", c.name)
		case len(c.words) > 0:
			line("-n '__fish_seen_subcommand_from %s' -a '%s'", c.name, strings.Join(c.words, " "))
		}
	}
	for _, o := range options() {
		value := map[values]string{anyText: "-x ", anyFile: "-r -F ", anyFolder: "-x -a '(__fish_complete_directories)' ", someWords: "-x -a '" + strings.Join(o.words, " ") + "' "}[o.values]
		line("-l %s %s-d '%s'", strings.TrimPrefix(o.flag, "--"), value, quote(o.about))
	}
	for _, s := range shortFlags(commands) {
		if long, is := strings.CutPrefix(s[0], "--"); is {
			line("-l %s -d '%s'", long, quote(s[1]))
		} else {
			line("-s %s -d '%s'", strings.TrimPrefix(s[0], "-"), quote(s[1]))
		}
	}
	return fishFrame + b.String()
}
