package input

import (
	"cmp"
	"path"
	"strings"
)

// reportFile reads the path of a file for a form of the report.
func reportFile(v value, c *Config) {
	if v.text == "" {
		return
	}
	if c.Files == nil {
		c.Files = map[string]string{}
	}
	c.Files[v.id] = v.text
}

// standardOutput is what stands in place of a path for the standard output, and where a
// file is read for the standard input.
const standardOutput = "-"

// checkFiles takes out of files, by the id of their input, those that cannot be written, and
// those that another input names too: one of the two would be lost.
func checkFiles(all values, c Config, env Environment) {
	files := c.Files
	findTestReport(all, c, env)
	if env.CheckFile == nil || env.SameFile == nil {
		return
	}
	var checked []value
	for _, in := range Table {
		v := all[in.ID]
		if v.text = files[v.id]; v.text == "" {
			continue
		}
		if checkFile(v, checked, all, env) {
			checked = append(checked, v)
		} else {
			delete(files, v.id)
		}
	}
}

// findTestReport puts a path in place of the value auto, which has none outside of Bitbucket
// Pipelines. A step may run more than one mode.
func findTestReport(all values, c Config, env Environment) {
	const id, auto = "junit_file", "auto"
	switch {
	case !strings.EqualFold(c.Files[id], auto):
	case env.TestReports == "":
		all[id].problem("name a file, as port.xml, and give it to the test report of your CI system", "auto is the folder in which Bitbucket Pipelines looks for test reports, and this is not a step of it")
		delete(c.Files, id)
	default:
		c.Files[id] = path.Join(env.TestReports, "port-"+string(cmp.Or(c.Mode, Sync))+".xml")
	}
}

// readFiles are the inputs that name a file to read.
var readFiles = []string{"mapping_file", "blueprints_file", "ca_file"}

// checkFile reports whether the file of v can be written; earlier are those before it.
func checkFile(v value, earlier []value, all values, env Environment) bool {
	for _, other := range earlier {
		if env.SameFile(v.text, other.text) {
			what := "the file of " + other.id
			if v.text == standardOutput {
				what = "the standard output, to which " + other.id + " goes"
			}
			v.problem("write each form of the report to a file of its own", "it names %s (from %s) too", what, other.from)
			return false
		}
	}
	for _, id := range readFiles {
		if other := all[id]; other.ok() && other.text != standardOutput && v.text != standardOutput && env.SameFile(v.text, other.text) {
			v.problem("name another file", "it names the file that %s (from %s) reads, which would be lost", id, other.from)
			return false
		}
	}
	if why, fix := env.CheckFile(v.text); why != "" {
		v.problem(fix, "%s", why)
		return false
	}
	return true
}
