package transform

import (
	"context"
	"testing"

	"port-bitbucket-exporter/internal/kind"
)

// BenchmarkApply maps one object of each kind by the default mapping.
func BenchmarkApply(b *testing.B) {
	for _, name := range []string{"project", "repository", "pull-request"} {
		r, o, _ := loadKind(b, name)
		// What most objects have, so that nothing is null.
		o["author"] = map[string]any{"display_name": "Person A"}
		o["participants"] = []any{map[string]any{"user": o["author"]}}
		o["mainbranch"] = map[string]any{"name": "main"}
		p, err := Compile(r, nil, kind.Objects(r.Kind))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Apply(context.Background(), Source{Object: o})
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	r, _, _ := loadKind(b, "pull-request")
	for b.Loop() {
		if _, err := Compile(r, nil, kind.Objects(r.Kind)); err != nil {
			b.Fatal(err)
		}
	}
}
