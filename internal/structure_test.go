package internal_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	// maxMethods bounds the methods of a type: one with more is several.
	maxMethods = 25
	// minLines is the length from which a file holds an idea of its own.
	minLines = 40
	// maxBackPercent bounds the references from file to file of a package that run against
	// the best order of its files, of all such references: one reads a package from its
	// first file down.
	maxBackPercent = 10
)

// shortFiles are the files below minLines, and why each stands alone.
var shortFiles = map[string]string{
	"app/validate.go":     "a command is a file",
	"platform/jenkins.go": "a platform is a file",
}

// backReferences are the packages above maxBackPercent, and the percentage that each must
// not exceed. It only shrinks.
var backReferences = map[string]int{"bitbucket": 21}

// structure is what one package looks like from outside its functions.
type structure struct {
	name    string
	methods map[string]int    // by type
	lines   map[string]int    // by file
	uses    map[[2]string]int // references from file to file
}

// structures reads all packages of production.
func structures(t *testing.T) []structure {
	t.Helper()
	exports := exportData(t)
	var all []structure
	for _, r := range house(t) {
		if r.name != "." && r.name != "internal" && r.name != "examples/demo" && r.name != "faultmatrix" && !slices.Contains(support, r.name) {
			all = append(all, structureOf(t, r.name, exports))
		}
	}
	return all
}

// exportData names the files in which the compiler keeps what packages export.
func exportData(t *testing.T) map[string]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", ".")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if name, file, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			files[name] = file
		}
	}
	return files
}

func structureOf(t *testing.T, name string, exports map[string]string) structure {
	t.Helper()
	s := structure{name, map[string]int{}, map[string]int{}, map[[2]string]int{}}
	fset := token.NewFileSet()
	sources, err := filepath.Glob(filepath.Join(filepath.FromSlash(name), "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(fset, source, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
		s.lines[filepath.Base(source)] = bytes.Count(text, []byte("\n"))
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: importer.ForCompiler(fset, "gc", func(imported string) (io.ReadCloser, error) {
		return os.Open(exports[imported])
	})}
	pkg, err := config.Check(module+"/internal/"+name, fset, files, info)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, of := range pkg.Scope().Names() {
		if object, ok := pkg.Scope().Lookup(of).(*types.TypeName); ok {
			if named, ok := object.Type().(*types.Named); ok {
				s.methods[of] = named.NumMethods()
			}
		}
	}
	for identifier, object := range info.Uses {
		if object.Pkg() != pkg {
			continue
		}
		from, to := filepath.Base(fset.Position(identifier.Pos()).Filename), filepath.Base(fset.Position(object.Pos()).Filename)
		if from != to {
			s.uses[[2]string{from, to}]++
		}
	}
	return s
}

// order returns the files of a package in the best order that is found, users first, and
// the references that run against it. It moves single files as long as that helps, from
// many beginnings, which are the same in each test.
func (s structure) order() (files []string, back [][2]string) {
	const beginnings = 100 // many more find no better order in our packages
	names := slices.Sorted(maps.Keys(s.lines))
	random := rand.New(rand.NewPCG(1, 2))
	fewest := -1
	for range beginnings {
		random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for s.improve(names) {
		}
		if against := s.against(names); fewest < 0 || len(against) < fewest {
			files, back, fewest = slices.Clone(names), against, len(against)
		}
	}
	return files, back
}

// improve moves each file to its best place, and reports whether any move helped.
func (s structure) improve(names []string) (helped bool) {
	for at := range names {
		gain, best, to := 0, 0, at
		for _, direction := range []int{-1, 1} {
			gain = 0
			for i := at + direction; i >= 0 && i < len(names); i += direction {
				// After the move names[at] stands on the other side of names[i].
				change := min(1, s.uses[[2]string{names[at], names[i]}]) - min(1, s.uses[[2]string{names[i], names[at]}])
				if gain -= change * direction; gain > best {
					best, to = gain, i
				}
			}
		}
		if to != at {
			name := names[at]
			copy(names[at:], names[at+1:])
			copy(names[to+1:], names[to:len(names)-1])
			names[to], helped = name, true
		}
	}
	return helped
}

// against lists the references that run up.
func (s structure) against(names []string) (back [][2]string) {
	for use := range s.uses {
		if slices.Index(names, use[0]) > slices.Index(names, use[1]) {
			back = append(back, use)
		}
	}
	slices.SortFunc(back, func(a, b [2]string) int { return strings.Compare(a[0]+" "+a[1], b[0]+" "+b[1]) })
	return back
}

// No type does everything, no file splits an idea, and a package can be read from its first
// file down.
func TestStructure(t *testing.T) {
	t.Parallel()
	short := maps.Clone(shortFiles) // those that are needed no more
	for _, s := range structures(t) {
		for name, n := range s.methods {
			if n > maxMethods {
				t.Errorf("%s: type %s has %d methods, more than %d: make it several", s.name, name, n, maxMethods)
			}
		}
		for file, n := range s.lines {
			name := path.Join(s.name, file)
			if n >= minLines {
				continue
			}
			delete(short, name)
			if shortFiles[name] == "" {
				t.Errorf("%s has %d lines, fewer than %d: put it where it is used, or name it and the reason here", name, n, minLines)
			}
		}
		files, back := s.order()
		percent := 0
		if len(s.uses) > 0 {
			percent = 100 * len(back) / len(s.uses)
		}
		if most := max(maxBackPercent, backReferences[s.name]); percent > most && len(back) > 1 { // one alone is much of a small package
			var list strings.Builder
			for _, use := range back {
				fmt.Fprintf(&list, "\n%s uses %s", use[0], use[1])
			}
			t.Errorf("%s: %d of %d references from file to file run back, more than %d %%; the best order found is %s, against which%s",
				s.name, len(back), len(s.uses), most, strings.Join(files, " "), list.String())
		}
	}
	for name := range short {
		t.Errorf("%s is no short file: take it out of the list", name)
	}
}
