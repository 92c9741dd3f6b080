package diag

import "strconv"

// Where is what a problem is about, as people name it: a resource of the mapping, an input, or
// anything else, and the part of it. The zero Where is nothing.
type Where struct {
	Resource  int    // the number of the resource, from 1, or 0
	Kind      string // of the resource, or ""
	Resources string // in place of these two, several resources in words; see Grouped
	Input     string // the name of the input, or ""
	From      string // what the value of the input came from, or ""
	Part      string // `property "owner"`, or the name of what is neither resource nor input
}

// String returns `resource 2 (repository): property "owner"`, as far as it is known.
func (w Where) String() string { return joined(w.whole(), w.Part) }

// In returns a part of what is named.
func (w Where) In(part string) Where {
	w.Part = joined(w.Part, part)
	return w
}

// whole names the resource or the input without its part.
func (w Where) whole() string {
	switch {
	case w.Resources != "":
		return w.Resources
	case w.Resource > 0:
		return "resource " + strconv.Itoa(w.Resource) + inBrackets(w.Kind)
	case w.Input != "" && w.From != "":
		return "input " + w.Input + inBrackets("from "+w.From)
	case w.Input != "":
		return "input " + w.Input
	}
	return ""
}

// inResource is the part alone where it is one of resources, else all.
func (w Where) inResource() string {
	if w.Resource > 0 || w.Resources != "" {
		return w.Part
	}
	return w.String()
}

func joined(whole, part string) string {
	if whole == "" || part == "" {
		return whole + part
	}
	return whole + ": " + part
}

func inBrackets(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}
