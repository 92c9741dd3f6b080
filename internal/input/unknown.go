package input

import (
	"fmt"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/clip"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/nearest"
)

// foreign are the names that begin as those of an action's inputs do, and are others': GitHub
// takes entryPoint and args for every container, and input methods of desktops are named by a
// variable.
//
// Source: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
// (jobs.<job_id>.steps[*].with.args) and openSUSE's /etc/X11/xim, both read 2026-11.
var foreign = []string{"INPUT_ENTRYPOINT", "INPUT_ARGS", "INPUT_METHOD"}

const (
	// minName is the length from which a name in a pipe is compared with ours, in characters:
	// among shorter ones others' names are near by chance, as NODE is to MODE.
	minName = 8
	// maxShown bounds what is shown of a name, in characters.
	maxShown = 100
	// maxDistance is how many characters of it may be wrong.
	maxDistance = 2
)

// Near returns the input that an unknown one was most likely meant to be, or one of the other
// names: the nearest one, or the only one that the words of it are a part of.
func Near(id string, others ...string) (near string, ok bool) {
	ids := slices.Clone(others)
	for _, in := range Table {
		ids = append(ids, in.ID)
	}
	if near, ok = nearest.Name(id, ids); ok {
		return near, true
	}
	for _, in := range Table {
		if !strings.HasSuffix(in.ID, "_"+strings.ToLower(id)) {
			continue
		}
		if near != "" {
			return "", false
		}
		near = in.ID
	}
	return near, near != ""
}

// stray is a variable that looks like an input and is none.
type stray struct {
	name, text string
	near       Input  // the one it was most likely meant to be; without an ID when none is near
	value      string // that it was meant to have, where its name says so
	file       bool   // it was meant to name a file that holds the value
}

// strays finds the variables of the environment that look like inputs and are none, in the
// order of their names: those that begin as inputs of an action do, and in a pipe, to whose
// container nothing comes that was not written for it, those that are nearly ours.
func strays(env Environment, config Config) []stray {
	if env.Environ == nil {
		return nil
	}
	var all []stray
	for _, line := range env.Environ() {
		name, text, _ := strings.Cut(line, "=")
		if strings.TrimSpace(text) == "" || slices.Contains(foreign, name) || slices.Contains(config.JQEnvAllow, name) {
			continue
		}
		s, found := stray{}, false
		if id, ok := strings.CutPrefix(name, actionPrefix); ok {
			s, found = strayInput(id)
		} else if env.Pipe {
			s, found = strayVariable(name)
		}
		if found {
			s.name, s.text = clip.Runes(name, maxShown, "…"), text
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b stray) int { return strings.Compare(a.name, b.name) })
	return all
}

// strayInput judges a name after INPUT_.
func strayInput(name string) (stray, bool) {
	if slices.ContainsFunc(Table, func(in Input) bool { return name == in.Name() || name == in.dashed() }) {
		return stray{}, false
	}
	id := strings.ToLower(strings.ReplaceAll(name, "-", "_"))
	base, file := strings.CutSuffix(id, "_file")
	for _, in := range Table {
		if file && in.ID == base {
			return stray{near: in, file: true}, true
		}
	}
	near, _ := Near(id, "dry_run")
	if near == "dry_run" {
		return stray{near: inputOf("mode"), value: string(Plan)}, true
	}
	return stray{near: inputOf(near), value: "…"}, true
}

// strayVariable judges any other name.
func strayVariable(name string) (stray, bool) {
	if ownVariable(name) {
		return stray{}, false
	}
	best, distance := stray{}, maxDistance+1
	for _, in := range Table {
		for _, of := range []string{in.Name(), in.Name() + fileSuffix, in.Name() + countSuffix} {
			shorter, longer := min(len(name), len(of)), max(len(name), len(of))
			if of != in.Name() && len(in.ID) < minName || longer < minName || longer-shorter >= distance {
				continue
			}
			if d := nearest.Distance(name, of); d < distance && (d == 1 || shorter >= minName) {
				best, distance = stray{near: in, value: "…", file: of == in.Name()+fileSuffix}, d
			}
		}
	}
	return best, distance <= maxDistance
}

// ownVariable reports whether a variable is read, or is one of those that make an array.
func ownVariable(name string) bool {
	if i := strings.LastIndexByte(name, '_'); i >= 0 && i+1 < len(name) && strings.Trim(name[i+1:], "0123456789") == "" {
		return true // its _COUNT is judged
	}
	return slices.ContainsFunc(Table, func(in Input) bool {
		rest, ours := strings.CutPrefix(name, in.Name())
		return ours && (rest == "" || rest == fileSuffix || rest == countSuffix)
	})
}

func inputOf(id string) Input {
	for _, in := range Table {
		if in.ID == id {
			return in
		}
	}
	return Input{}
}

// checkStrays reports variables that look like inputs and are none. A sync does not begin with
// one: another mapping would run, or another workspace be read, and what is stale be deleted.
func checkStrays(env Environment, c Config, rep *report) {
	for _, s := range strays(env, c) {
		if s.near.Secret {
			rep.hidden = append(rep.hidden, s.text)
		}
		what, fix := "it is not an input of this program, and nothing reads it", s.fix(env)
		if c.Mode == Sync {
			rep.problem(diag.Where{Part: s.name}, fix, "%s: a sync would run without what it sets", what)
			continue
		}
		rep.warn("%s: %s; a sync does not begin with it; fix: %s", s.name, what, fix)
	}
}

func (s stray) fix(env Environment) string {
	switch {
	case s.near.ID == "" && strings.HasPrefix(s.name, actionPrefix):
		return "remove it, or give it a name that does not begin with " + actionPrefix + "; --help lists the inputs"
	case s.file:
		return fmt.Sprintf("to read %s from a file set the environment variable %s", s.near.ID, s.near.Name()+fileSuffix)
	}
	return fmt.Sprintf("did you mean %s? in its place %s", s.near.ID, env.write(s.near, s.value))
}

// write returns what a user does where the program runs to give an input a value, as a clause.
func (e Environment) write(in Input, text string) string {
	variable := "set the environment variable " + in.Name()
	switch {
	case e.Pipe && in.Secret:
		return fmt.Sprintf(`write "%[1]s: $%[1]s" under "variables:" of the pipe`, in.Name())
	case e.Pipe:
		return fmt.Sprintf(`write "%s: %s" under "variables:" of the pipe`, in.Name(), text)
	case e.Actions && in.Secret:
		return fmt.Sprintf(`write "%s: ${{ secrets.%s }}" under "with:" of the step, or in a "run:" step %s`, in.ID, in.Name(), variable)
	case e.Actions:
		return fmt.Sprintf(`write "%s: %s" under "with:" of the step, or in a "run:" step %s`, in.ID, text, variable)
	case in.Secret:
		return variable
	}
	return variable + ", or write --" + strings.ReplaceAll(in.ID, "_", "-") + " " + text
}

// called is the name under which an input is set where the program runs: that of the input in
// an action, else its variable's.
func (e Environment) called(id string) string {
	if e.Actions {
		return id
	}
	return inputOf(id).Name()
}

// noSecret is why an input may be empty that a workflow sets, as the end of a sentence: GitHub
// gives an empty text for a secret that it does not have, or does not hand out.
//
// Source: https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/use-secrets, read 2026-11.
func (e Environment) noSecret(in Input) string {
	if !e.Actions || !in.Secret {
		return ""
	}
	return "; where that is written already, the secret is not defined under Settings > Secrets and variables > Actions, " +
		"or the run is for a pull request of a fork or of Dependabot, which is given none"
}
