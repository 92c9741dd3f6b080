package input

import (
	"slices"

	"port-bitbucket-exporter/internal/diag"
)

// Parse reads every input of the table. The error is diag.Problems: every problem of
// every input, in the order of the table. A Config that comes with an error holds
// what was read, with the zero value for what is wrong: its Secrets must be hidden
// all the same, the mapping can be checked, and Files, MappingFile and FailOn
// decide where and how the error is reported. No run may use it. In the mode validate
// problems and notes are those of its own inputs.
func Parse(env Environment) (Config, Notes, error) {
	rep := &report{}
	r := &reader{env: env, ocean: readOcean(env.Environ, rep), rep: rep}
	all := r.read()
	r.ocean.check(rep)
	checkRequired(env, all, rep)

	var c Config
	for _, in := range Table {
		if in.read != nil {
			in.read(all[in.ID], &c)
		}
	}
	c.Credentials, c.unused = credentials(env, all, c.UseAll, rep)
	c.LogLevel = logLevel(all["debug"], all["log_level"], r.variable("RUNNER_DEBUG"))
	checkGit(all["source_reader"], c)
	checkMemory(all, c)
	checkMapping(all, c.Mode, rep)
	checkBlueprints(all["blueprints_file"], c)
	checkFiles(all, c, env)
	if c.Mode == Validate {
		onlyValidate(rep)
	}
	checkStrays(env, c, rep)
	c.hidden = rep.hidden

	sortProblems(rep)
	if len(rep.problems) > 0 {
		return c, rep.notes, rep.problems
	}
	return c, rep.notes, nil
}

func checkRequired(env Environment, all values, rep *report) {
	for _, in := range Table {
		if !in.Required || all[in.ID].ok() || rep.hasProblem(in.ID) {
			continue
		}
		fix := env.write(in, "acme") + env.noSecret(in) + "; --help lists all inputs"
		rep.problem(location(in.ID, ""), fix, "it is required and not set")
	}
}

// checkMapping wants at most one mapping, and in the mode validate one.
func checkMapping(all values, mode Mode, rep *report) {
	text, file := all["mapping"], all["mapping_file"]
	switch {
	case text.ok() && file.ok():
		text.problem("remove one of mapping and mapping_file", "mapping_file is set too (from %s)", file.from)
	case mode == Validate && !text.ok() && !file.ok() && !rep.hasProblem("mapping"):
		file.problem("name the file that holds the mapping, such as --mapping-file port/mapping.yml, "+
			"or \"mapping_file: port/mapping.yml\" under \"with:\" of a workflow", "the mode validate checks a mapping, and neither mapping_file nor mapping is set")
	}
}

// checkBlueprints warns of blueprints that nothing is made of.
func checkBlueprints(file value, c Config) {
	if file.ok() && !c.InitializePortResources && c.Mode != Validate {
		file.rep.warn("blueprints_file is set (from %s), and initialize_port_resources is false: no blueprint is created", file.from)
	}
}

// onlyValidate removes what is about inputs that the mode validate ignores.
func onlyValidate(rep *report) {
	kept := func(of func(Input) bool) bool {
		return slices.ContainsFunc(Table, func(in Input) bool { return in.Validate && of(in) })
	}
	rep.problems = slices.DeleteFunc(rep.problems, func(p diag.Problem) bool {
		return !kept(func(in Input) bool { return about(p, in.ID) })
	})
	rep.notes.Sources = slices.DeleteFunc(rep.notes.Sources, func(s Source) bool {
		return !kept(func(in Input) bool { return in.ID == s.ID })
	})
	rep.notes.Infos, rep.notes.Warnings = nil, nil
}

// sortProblems puts the problems in the order of the table, each once. Those of no input
// of the table come last, in the order they were found.
func sortProblems(rep *report) {
	rank := func(p diag.Problem) int {
		if i := slices.IndexFunc(Table, func(in Input) bool { return about(p, in.ID) }); i >= 0 {
			return i
		}
		return len(Table)
	}
	slices.SortStableFunc(rep.problems, func(a, b diag.Problem) int { return rank(a) - rank(b) })
	rep.problems = slices.Compact(rep.problems)
}
