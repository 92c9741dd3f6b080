package internal_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// licence is one that lets everybody use, change and pass on a program.
type licence string

const (
	mit    licence = "MIT"
	bsd    licence = "BSD-3-Clause"
	apache licence = "Apache-2.0"
)

// says are sentences that no other licence of a module in the binary has.
var says = map[licence]string{
	mit:    "Permission is hereby granted, free of charge, to any person obtaining a copy",
	bsd:    "Redistribution and use in source and binary forms, with or without modification, are permitted",
	apache: "Apache License Version 2.0, January 2004",
}

// modules are those of other people in the binary. A further one needs a row, with why the
// program has it: each can break, change hands, or turn against those who use it.
var modules = []struct {
	path    string
	licence licence
	why     string
}{
	{"github.com/bmatcuk/doublestar/v4", mit, "matches paths with **"},
	{"github.com/cenkalti/backoff/v4", mit, "spaces retries; the project asks for it"},
	{"github.com/go-json-experiment/json", bsd, "reads JSON token by token, so that what no expression needs is never held"},
	{"github.com/gofrs/flock", bsd, "locks the folder of the memory, on every system"},
	{"github.com/itchyny/gojq", mit, "evaluates jq; the project asks for it"},
	{"github.com/itchyny/timefmt-go", mit, "is gojq's, for strftime and strptime"},
	{"github.com/klauspost/compress", bsd, "compresses what the memory keeps, with zstd"},
	{"github.com/santhosh-tekuri/jsonschema/v6", apache, "checks in a plan what Port checks by the schemas of blueprints"},
	{"github.com/sethvargo/go-githubactions", apache, "speaks the commands of GitHub Actions; the project asks for it"},
	{"go.etcd.io/bbolt", mit, "keeps the memory between runs in one file that survives a kill"},
	{"go.yaml.in/yaml/v4", apache, "reads YAML files of repositories by the rules of YAML 1.2"},
	{"golang.org/x/crypto/x509roots/fallback", bsd, "holds the certificates that browsers trust, for systems without any"},
	{"golang.org/x/net", bsd, "knows public suffixes, so that no token goes to a stranger's host"},
	{"golang.org/x/sys", bsd, "is that of bbolt and flock, for system calls"},
	{"golang.org/x/text", bsd, "is that of jsonschema, for its messages"},
	{"gopkg.in/yaml.v3", mit, "reads mappings with their lines and columns; the project asks for it"},
}

// inBinary are the modules of other people in the binary, with their folders. A package of ours
// that is for tests fails the test.
func inBinary(t *testing.T) map[string]string {
	t.Helper()
	const format = `{{if not .Standard}}{{.ImportPath}} {{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}{{end}}`
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", format, ".")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	found := map[string]string{}
	ours := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.SplitN(strings.TrimSpace(line), " ", 3)
		switch len(fields) {
		case 1:
			if fields[0] == "" {
				continue
			}
			ours++
			if p := rowName(strings.TrimPrefix(fields[0], module+"/")); slices.Contains(support, p) || strings.HasSuffix(p, "test") {
				t.Errorf("the binary holds %s, which is for tests", p)
			}
		case 3:
			found[fields[1]] = fields[2]
		}
	}
	if ours < 10 {
		t.Errorf("packages of ours: got %d, want all of them", ours)
	}
	return found
}

// Every module in the binary has a row and no row is left over; its licence is the one of its
// row; and NOTICE, which goes along with the binary, holds the whole texts.
func TestModules(t *testing.T) {
	t.Parallel()
	found := inBinary(t)
	var notice strings.Builder
	notice.WriteString("The program is built with Go and with the modules below. Each is the work of its authors, under the\nlicence that follows its name.\n")
	write := func(name string, texts []string) {
		fmt.Fprintf(&notice, "\n%s\n%s\n", strings.Repeat("-", 98), name)
		for _, text := range texts {
			notice.WriteString("\n" + strings.TrimRight(text, "\n") + "\n")
		}
	}
	// The Go authors give all their modules the licence of Go. Not every system keeps it beside Go.
	write("Go, BSD-3-Clause: its runtime and standard library", terms(t, found["golang.org/x/sys"]))
	for _, m := range modules {
		folder, there := found[m.path]
		if !there {
			t.Errorf("%s is not in the binary any more: take its row away", m.path)
			continue
		}
		delete(found, m.path)
		texts := terms(t, folder)
		if all := strings.Join(strings.Fields(strings.Join(texts, " ")), " "); !strings.Contains(all, says[m.licence]) || m.why == "" {
			t.Errorf("%s: its licence is not %s, or its row gives no reason", m.path, m.licence)
		}
		write(fmt.Sprintf("%s, %s: %s", m.path, m.licence, m.why), texts)
	}
	for path := range found {
		t.Errorf("%s is new in the binary: give it a row, with its licence and why the program needs it", path)
	}
	file := filepath.Join("..", "NOTICE")
	if *update {
		if err := os.WriteFile(file, []byte(notice.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != notice.String() {
		t.Errorf("NOTICE is not what the modules say: go test ./internal -run Modules -update")
	}
}

// terms are the texts of the licence in a folder, and of what it asks to pass on. Long lines,
// spaces at their ends and carriage returns are as the authors wrote them.
func terms(t *testing.T, folder string) (texts []string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`^(LICEN[CS]E|NOTICE|COPYING|PATENTS)(\.(md|txt))?$`)
	for _, e := range entries {
		if !named.MatchString(strings.ToUpper(e.Name())) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, strings.ReplaceAll(string(text), "\r\n", "\n"))
	}
	if len(texts) == 0 {
		t.Errorf("%s holds no licence", folder)
	}
	return texts
}
