package main

import (
	"bytes"
	"debug/buildinfo"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	spdxjson "github.com/spdx/tools-golang/json"
)

// sboms returns lists of both formats, by their names: those of the folder SBOMS, which a release
// has made, else those of this test.
func sboms(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	if folder := os.Getenv("SBOMS"); folder != "" {
		for _, pattern := range []string{"*.cdx.json", "*.spdx.json"} {
			files, err := filepath.Glob(filepath.Join(folder, pattern))
			if err != nil || len(files) == 0 {
				t.Fatalf("%s has no %s: %v", folder, pattern, err)
			}
			for _, file := range files {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				found[filepath.Base(file)] = string(text)
			}
		}
		return found
	}
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	notice := &strings.Builder{}
	for _, d := range info.Deps {
		fmt.Fprintf(notice, "%s, MIT: a module of the test\n", d.Path)
	}
	folder := t.TempDir()
	names := filepath.Join(folder, "NOTICE")
	if err := os.WriteFile(names, []byte(notice.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for format, name := range map[string]string{"cyclonedx": "x.cdx.json", "spdx": "x.spdx.json"} {
		out := filepath.Join(folder, name)
		err := run([]string{"sbom", "-format", format, "-version", "1.2.3", "-source", "https://github.com/acme/x", "-notice", names, "-created", "2026-11-30T12:00:00Z", "-out", out, binary}, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		found[name] = string(text)
	}
	return found
}

// The lists are of the form that the schemas of CycloneDX 1.6, which its module brings, and of SPDX
// 2.3, which no package brings, demand: SPDX_SCHEMA is the latter's file, schemas/spdx-schema.json
// of the specification.
func TestSBOMsFitTheirSchemas(t *testing.T) {
	folder, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	cyclone := filepath.Join(strings.TrimSpace(string(folder)), "schema")
	schemas := map[string]*jsonschema.Schema{
		".cdx.json": compile(t, filepath.Join(cyclone, "bom-1.6.schema.json"), map[string]string{
			"spdx.schema.json": filepath.Join(cyclone, "spdx.schema.json"), "jsf-0.82.schema.json": filepath.Join(cyclone, "jsf-0.82.schemax.json"),
		}),
	}
	if file := os.Getenv("SPDX_SCHEMA"); file != "" {
		schemas[".spdx.json"] = compile(t, file, nil)
	}
	compared := 0
	for name, text := range sboms(t) {
		for ending, schema := range schemas {
			if !strings.HasSuffix(name, ending) {
				continue
			}
			compared++
			if err := schema.Validate(value(t, name, text)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			// A schema that takes everything would find nothing.
			if err := schema.Validate(value(t, name, strings.Replace(text, `"versio`, `"versiom`, 1))); err == nil {
				t.Errorf("%s: a misspelt name passes", name)
			}
		}
	}
	if compared == 0 {
		t.Error("nothing was compared")
	}
	if schemas[".spdx.json"] == nil {
		t.Log("SKIPPED: SPDX_SCHEMA names no file, so no schema sees the lists of SPDX")
	}
}

// Another reader takes the lists of SPDX, each name stands once, and no relationship leads nowhere.
func TestSPDXIsWhole(t *testing.T) {
	for name, text := range sboms(t) {
		if !strings.HasSuffix(name, ".spdx.json") {
			continue
		}
		d, err := spdxjson.Read(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		ids := map[string]int{"DOCUMENT": 1}
		for _, p := range d.Packages {
			ids[string(p.PackageSPDXIdentifier)]++
		}
		for id, n := range ids {
			if n != 1 {
				t.Errorf("%s: %s stands %d times", name, id, n)
			}
		}
		for _, r := range d.Relationships {
			if ids[string(r.RefA.ElementRefID)] == 0 || ids[string(r.RefB.ElementRefID)] == 0 {
				t.Errorf("%s: %s leads from %s to %s, and one of them is not there", name, r.Relationship, r.RefA.ElementRefID, r.RefB.ElementRefID)
			}
		}
		if len(d.Packages) < 3 || len(d.Relationships) != len(d.Packages) {
			t.Errorf("%s: got %d packages and %d relationships", name, len(d.Packages), len(d.Relationships))
		}
	}
}

// compile reads a schema, and those beside it that it names.
func compile(t *testing.T, file string, beside map[string]string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	add := func(name, file string) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource("http://cyclonedx.org/schema/"+name, value(t, file, string(text))); err != nil {
			t.Fatal(err)
		}
	}
	for name, file := range beside {
		add(name, file)
	}
	main := filepath.Base(file)
	add(main, file)
	schema, err := c.Compile("http://cyclonedx.org/schema/" + main)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func value(t *testing.T, name, text string) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(text)))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}
