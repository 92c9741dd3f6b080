package kind_test

import (
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/kind"
)

func TestSkills(t *testing.T) {
	s := bitbuckettest.New("acme")
	s.AddRepository(bitbuckettest.Repository{Name: "tools", Files: map[string]string{
		".claude/skills/release/SKILL.md":          "---\nname: release-notes\ndescription: Writes them\nallowed-tools: [Read]\n---\n\n# Steps\n\n---\n\nEnd.\n",
		"apps/web/.agents/skills/a/b/SKILL.md":     "\ufeff---\r\nname: deep\r\n---\r\nText\r\n",
		".cursor/skills/plain/SKILL.md":            "No front matter.\n",
		".github/skills/broken/SKILL.md":           "---\nname: a: b\n---\nText\n",
		".codex/skills/open/SKILL.md":              "---\nname: never ends\n",
		".gemini/skills/none/SKILL.md":             "---\n---\n",
		"docs/SKILL.md":                            "---\nname: elsewhere\n---\n",
		".claude/skills/release/reference/NOTE.md": "text",
	}})
	inBubble(t, s, func(w world) {
		got := w.extract("skill", "")
		var names, texts []string
		for _, o := range got.objects {
			of := o["skill"].(kind.Object)
			names = append(names, of["path"].(string)+"="+of["name"].(string))
			texts = append(texts, of["instructions"].(string))
			if o["__repository"].(kind.Object)["slug"] != "tools" || o["__branch"] != "main" {
				w.Errorf("got %v, want its repository and branch", o)
			}
		}
		w.equal("names", strings.Join(names, "\n"), strings.Join([]string{
			".claude/skills/release/SKILL.md=release-notes", ".codex/skills/open/SKILL.md=open", ".cursor/skills/plain/SKILL.md=plain",
			".gemini/skills/none/SKILL.md=none", ".github/skills/broken/SKILL.md=broken", "apps/web/.agents/skills/a/b/SKILL.md=deep",
		}, "\n"))
		w.equal("instructions", texts, []string{"# Steps\n\n---\n\nEnd.", "---\nname: never ends", "No front matter.", "", "Text", "Text"})
		first := got.objects[0]["skill"].(kind.Object)
		w.equal("description", first["description"], "Writes them")
		w.equal("front matter", first["frontmatter"].(kind.Object)["allowed-tools"], []any{"Read"})
		if len(got.failed) != 1 || !strings.Contains(got.failed[0].Error(), "the front matter of a skill is not a mapping") {
			w.Errorf("got %v, want one warning", got.failed)
		}
		elsewhere := w.good("skill", "paths: ['docs/*.md']")
		w.equal("elsewhere", len(elsewhere), 1)
	})
}
