package terminal

import "strings"

// colors are those of the words that lines begin with.
//
// Source: ECMA-48, 8.3.117 (SGR), read 2026-11.
var colors = []struct{ word, color string }{
	{"ERROR ", "31"}, {"WARNING ", "33"}, {"NOTICE ", "36"}, {"DEBUG ", "2"},
	{"errors:", "31"}, {"warnings:", "33"}, {"notes:", "36"},
	{"failed:", "31"}, {"partial:", "33"}, {"success:", "32"},
	{"plan: failed:", "31"}, {"plan: partial:", "33"}, {"plan: success:", "32"},
	{"- ", "31"}, {"~ ", "33"}, {"+ ", "32"}, {"! ", "31"},
}

// paint colours the words that lines begin with.
func paint(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		for _, c := range colors {
			if rest, found := strings.CutPrefix(line, c.word); found {
				word := strings.TrimSuffix(c.word, " ")
				b.WriteString("\x1b[" + c.color + "m" + word + reset)
				line = strings.TrimPrefix(c.word, word) + rest
				break
			}
		}
		b.WriteString(line)
	}
	return b.String()
}

// Colored reports whether lines to a stream are coloured where no input says so, by the
// variables that people set for all programs.
//
// Source: https://no-color.org, https://force-color.org and https://bixense.com/clicolors/,
// read 2026-11. Node.js takes FORCE_COLOR=0 for no.
func Colored(terminal bool, getenv func(name string) string) bool {
	switch {
	case getenv("NO_COLOR") != "":
		return false
	case getenv("FORCE_COLOR") != "":
		return getenv("FORCE_COLOR") != "0"
	case getenv("CLICOLOR_FORCE") != "" && getenv("CLICOLOR_FORCE") != "0":
		return true
	}
	return Live(terminal, getenv) && getenv("CLICOLOR") != "0"
}

// Live reports whether a stream is a terminal on which a line can be written again.
func Live(terminal bool, getenv func(name string) string) bool {
	return terminal && getenv("TERM") != "dumb"
}
