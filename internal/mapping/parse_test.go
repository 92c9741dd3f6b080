package mapping

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/diag"
)

const small = `resources: [{kind: x, selector: {query: .q}, port: {entity: {mappings: {identifier: .a, blueprint: .b}}}}]`

func TestParseBounds(t *testing.T) {
	t.Parallel()
	fill := func(size int) []byte { return []byte(small + strings.Repeat("\n", size-len(small))) }
	if _, err := Parse("m", fill(maxBytes)); err != nil {
		t.Errorf("Parse of %d bytes: got %v, want no error", maxBytes, err)
	}
	_, err := Parse("m", fill(maxBytes+1))
	const want = "m: the mapping has more than 1048576 bytes\nfix: check that this is the mapping file"
	if err == nil || err.Error() != want {
		t.Errorf("Parse of %d bytes: got %v, want %s", maxBytes+1, err, want)
	}
}

func TestParseManyProblems(t *testing.T) {
	t.Parallel()
	_, err := Parse("m", []byte(strings.Repeat("a: 1\n", 500)+"resources: []\n"))
	problems, _ := err.(diag.Problems)
	if len(problems) != maxProblems+1 {
		t.Fatalf("got %d problems, want %d", len(problems), maxProblems+1)
	}
	// 499 duplicates, one unknown key, one empty list.
	const want = "m:101:1: there are 401 problems more\nfix: solve the others first"
	if got := problems[maxProblems].Error(); got != want {
		t.Errorf("last problem: got %q, want %q", got, want)
	}
}

func TestParseText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, src string
		want      diag.Position // of the kind
	}{
		{"plain", small, diag.Position{File: "m", Line: 1, Column: 20}},
		{"byte order mark", "\uFEFF" + small, diag.Position{File: "m", Line: 1, Column: 20}},
		{"document start", "# a\n---\n" + small + "\n...\n", diag.Position{File: "m", Line: 3, Column: 20}},
		{"a version of YAML", "%YAML 1.2\n%LATER x\n---\n" + small, diag.Position{File: "m", Line: 4, Column: 20}},
		{"Windows line breaks", "# a\r\n\r\n" + small, diag.Position{File: "m", Line: 3, Column: 20}},
		{"JSON with tabs", "{\n\t\"resources\": [{\"kind\": \"x\", \"selector\": {\"query\": \".q\\/\"},\n\t" +
			"\"port\": {\"entity\": {\"mappings\": {\"identifier\": \".a\", \"blueprint\": \".b\"}}}}]}", diag.Position{File: "m", Line: 2, Column: 25}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, err := Parse("m", []byte(tt.src))
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Resources[0].KindPos; got != tt.want {
				t.Errorf("position of the kind: got %v, want %v", got, tt.want)
			}
		})
	}
}

// checkParse fails when Parse breaks its contract. It panics when Parse does.
func checkParse(t *testing.T, src []byte) {
	t.Helper()
	m, err := Parse("m", src)
	if m == nil && err == nil {
		t.Fatalf("Parse(%q): got neither a mapping nor an error", src)
	}
	if err != nil {
		problems, ok := err.(diag.Problems)
		if !ok || len(problems.Errors()) == 0 || problems.Error() == "" {
			t.Fatalf("Parse(%q): got error %v, want diag.Problems with an error", src, err)
		}
		return
	}
	for _, p := range m.Warnings {
		_ = p.Error()
	}
	for _, e := range exprs(m) {
		for i := range len(e.Text) + 2 {
			_ = e.At(i)
		}
	}
	for _, r := range m.Resources {
		if err := r.Selector.Decode(new(testSelector)); err != nil {
			_ = err.Error()
		}
	}
}

// seeds gives every file of testdata.
func seeds(tb testing.TB) [][]byte {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "*", "*.yml"))
	if err != nil || len(paths) == 0 {
		tb.Fatalf("no seeds: %v", err)
	}
	var all [][]byte
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, src)
	}
	return all
}

func FuzzParse(f *testing.F) {
	for _, src := range seeds(f) {
		f.Add(src)
	}
	f.Add([]byte(small))
	f.Fuzz(func(t *testing.T, src []byte) { checkParse(t, src) })
}

func TestParseRandom(t *testing.T) {
	t.Parallel()
	random, times := rand.New(rand.NewPCG(1, 2)), 1
	if os.Getenv("TESTS") == "full" { // as .ci/run lets them
		times = 2
	}
	for range 100 * times {
		src := make([]byte, random.IntN(60))
		for i := range src {
			src[i] = byte(random.Uint32())
		}
		checkParse(t, src)
	}
	const signs = "ab.:-#'\"[]{}&*!|>%@?,\\<~ \n\t"
	for range 600 * times {
		src := make([]byte, random.IntN(60))
		for i := range src {
			src[i] = signs[random.IntN(len(signs))]
		}
		checkParse(t, src)
	}
	all := seeds(t)
	for range 400 * times {
		src := append([]byte(nil), all[random.IntN(len(all))]...)
		for range 1 + random.IntN(4) {
			at := random.IntN(len(src))
			switch random.IntN(3) {
			case 0:
				src[at] = signs[random.IntN(len(signs))]
			case 1:
				src = append(src[:at:at], src[min(len(src), at+1+random.IntN(8)):]...)
				src = append(src, ' ')
			default:
				src = append(src[:at:at], append([]byte{signs[random.IntN(len(signs))]}, src[at:]...)...)
			}
		}
		checkParse(t, src)
	}
}

func TestParseMerge(t *testing.T) {
	t.Parallel()
	m, err := Parse("m", []byte(`resources:
- kind: x
  selector: {query: .q}
  port:
    entity:
      mappings:
      - {identifier: .a, blueprint: .b, properties: &one {a: .one, b: .one}}
      - {identifier: .a, blueprint: .b, relations: &two {b: .two, c: .two}}
      - identifier: .a
        blueprint: .b
        properties:
          <<: [*one, *two]
          c: .own
          "<<": .text
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range m.Resources[0].Entities[2].Properties {
		got = append(got, f.Name+" "+f.Value.Expr.Text)
	}
	const want = "a .one, b .one, c .own, << .text"
	if joined := strings.Join(got, ", "); joined != want {
		t.Errorf("properties: got %s, want %s", joined, want)
	}
}

// A resource that is sound is there to be checked further, beside one that is not.
func TestParseKeepsSoundResources(t *testing.T) {
	t.Parallel()
	m, err := Parse("m.yml", []byte(`resources:
- kind: project
  selector: {query: 'true'}
- kind: repository
  selector: {query: 'true'}
  port: {entity: {mappings: {identifier: .slug, blueprint: '"repo"'}}}
`))
	if err == nil || m == nil {
		t.Fatalf("got mapping %v and error %v, want both", m, err)
	}
	if len(m.Resources) != 1 || m.Resources[0].Index != 2 {
		t.Errorf("got resources %+v, want the second one alone", m.Resources)
	}
}
