package input

import (
	"strconv"
	"strings"
)

// Environment is the outside world as the inputs see it. Lookup must be set;
// without Environ no OCEAN__ name is found, without ReadFile no file is.
type Environment struct {
	// Lookup works like os.LookupEnv.
	Lookup func(name string) (string, bool)
	// Environ lists "NAME=value", as os.Environ does: the OCEAN__ names are
	// matched without regard to case, which Lookup cannot do.
	Environ func() []string
	// ReadFile works like os.ReadFile.
	ReadFile func(path string) ([]byte, error)
	// CheckFile returns why a file cannot be written, and what to do about it; both are
	// empty when it can. SameFile reports whether two paths name one file to write.
	// Without them nothing is checked.
	CheckFile func(path string) (why, fix string)
	SameFile  func(a, b string) bool
	// TestReports is the folder in which Bitbucket Pipelines looks for test reports; empty
	// elsewhere.
	TestReports string
	// Arguments are the values of the command line, by the inputs' IDs. They win over
	// every variable.
	Arguments map[string]Argument
	// Pipelines is true when the program runs in Bitbucket Pipelines, where
	// BITBUCKET_WORKSPACE is set by the environment itself, and Pipe when it runs there in the
	// container of a pipe, into which only the variables come that are listed for it.
	Pipelines, Pipe bool
	// Actions is true when the program runs in GitHub Actions.
	Actions bool
}

// Argument is the value that the command line gives to an input.
type Argument struct {
	Text string
	From string // as written there, such as "--mapping-file"
}

// reader finds the value of an input among its names.
type reader struct {
	env   Environment
	ocean oceanSettings
	rep   *report
}

// find returns the first value that is not blank and that the input accepts. An argument and an
// input of an action that it does not accept are a problem. The order
// of the sources is: the argument, INPUT_<ID>, <ID>, <ID>_FILE, the OCEAN__ names.
func (r *reader) find(in Input) given {
	type source struct {
		origin origin
		find   func(Input) given
	}
	argument, action, plain := source{fromArgument, r.argument}, source{fromAction, r.action}, source{fromEnvironment, r.plain}
	file, ocean := source{fromFile, r.file}, source{fromOcean, r.ocean.find}
	sources := []source{argument, action, plain, file, ocean}
	ambient := r.env.Pipelines && in.ID == "bitbucket_workspace"
	if ambient {
		// The plain name is the environment's own there and is always set:
		// whoever set another name meant that one. Reading the wrong workspace
		// would delete the entities of the right one.
		sources = []source{argument, action, file, ocean, plain}
	}
	for _, s := range sources {
		g := s.find(in)
		if !g.ok() {
			continue
		}
		g.origin = s.origin
		if in.ID != "mapping" {
			g.text = strings.TrimSpace(g.text)
		}
		if name, is := unresolved(in, g.text); is {
			r.unresolved(in, g, name)
			return given{}
		}
		if in.accept != nil && !in.accept(g.text) {
			if g.origin == fromArgument || g.origin == fromAction {
				r.rep.problem(location(in.ID, g.from), in.Help, "%q is not known", g.text)
			}
			continue
		}
		if own := r.plain(in); ambient && own.ok() && !strings.EqualFold(strings.TrimSpace(own.text), g.text) {
			r.rep.warn("bitbucket_workspace is taken from %s; it differs from %s, which Bitbucket Pipelines sets itself and which is not used", g.from, own.from)
		}
		return g
	}
	return given{}
}

func (r *reader) argument(in Input) given {
	a := r.env.Arguments[in.ID]
	return given{text: a.Text, from: a.From}
}

// actionPrefix begins the names of variables that are inputs of an action, and of nothing else.
const actionPrefix = "INPUT_"

// action reads INPUT_<ID>. GitHub upper-cases an input's name and leaves its
// dashes. Source: https://github.com/actions/runner, v2.336.0, read 2026-11.
func (r *reader) action(in Input) given {
	for _, name := range []string{in.Name(), in.dashed()} {
		if g := r.variable(actionPrefix + name); g.ok() {
			return g
		}
	}
	return given{}
}

// dashed is the input's name as somebody writes it who is used to dashes.
func (i Input) dashed() string { return strings.ReplaceAll(i.Name(), "_", "-") }

// The ends of names that a plain name has besides itself.
const (
	fileSuffix  = "_FILE"  // of the path of a file that holds the value
	countSuffix = "_COUNT" // of the number of a pipe's array
)

// plain reads <ID>, or a pipe's array: <ID>_COUNT with <ID>_0, <ID>_1 and so
// on, joined by commas. Source: Atlassian's documentation of pipes (array
// variables), read 2026-11.
func (r *reader) plain(in Input) given {
	if g := r.array(in); g.ok() {
		return g
	}
	return r.variable(in.Name())
}

func (r *reader) array(in Input) given {
	countName := in.Name() + countSuffix
	count, err := strconv.Atoi(strings.TrimSpace(r.variable(countName).text))
	if err != nil {
		return given{}
	}
	var items []string
	for i := range count {
		name := in.Name() + "_" + strconv.Itoa(i)
		item, ok := r.env.Lookup(name)
		if !ok && i == 0 {
			return given{} // another tool's variable of that name
		}
		if !ok {
			r.rep.problem(location(in.ID, countName), "set "+name+", or set "+countName+" to the number of items",
				"%s says %d items, but %s is not set", countName, count, name)
			break
		}
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	if len(items) == 0 {
		return given{}
	}
	return given{text: strings.Join(items, ","), from: countName}
}

// file reads the value from the file that <ID>_FILE names. Problems do not show the path:
// somebody may have written a secret in its place.
func (r *reader) file(in Input) given {
	name := in.Name() + fileSuffix
	for _, other := range Table {
		if other.Name() == name {
			return given{} // mapping_file is an input of its own
		}
	}
	path := r.variable(name)
	if !path.ok() || r.env.ReadFile == nil {
		return given{}
	}
	content, err := r.env.ReadFile(strings.TrimSpace(path.text))
	if err != nil {
		r.rep.problem(location(in.ID, name), "set "+name+" to the path of a file that this program can read",
			"the file it names cannot be read: %v", cause(err))
		return given{}
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	if strings.TrimSpace(text) == "" {
		return given{}
	}
	return given{text: text, from: name}
}

// variable reads one environment variable; blank is unset.
func (r *reader) variable(name string) given {
	text, _ := r.env.Lookup(name)
	if strings.TrimSpace(text) == "" {
		return given{}
	}
	return given{text: text, from: name}
}

// read finds the values of all inputs, and notes where each came from.
func (r *reader) read() values {
	all := values{}
	for _, in := range Table {
		g := r.find(in)
		if !g.ok() && in.Default != "" {
			g = given{text: in.Default, from: byDefault}
		}
		if g.ok() {
			r.rep.notes.Sources = append(r.rep.notes.Sources, Source{ID: in.ID, From: g.from, origin: g.origin})
		}
		all[in.ID] = value{given: g, id: in.ID, standard: in.Default, words: in.Words, rep: r.rep, readFile: r.env.ReadFile}
	}
	return all
}
