package kind

import (
	"context"
	"iter"
	"path"
	"strings"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/glob"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/shape"
)

var skill = define(Kind{
	Name: "skill", Aliases: []string{"skills", "agent-skill"},
	Manual: Manual{What: "skills of coding agents: files named SKILL.md, with front matter and instructions", Requests: "none of the API's over git; over REST as for file",
		Scope: "repository", APIScope: "read:repository:bitbucket"},
	Objects: shape.Kind{
		Object: withRepository("skill{name description instructions frontmatter{+} path folder} __branch"),
		Missing: map[string]string{
			".skill.content": "write .skill.instructions",
			".repo":          "write .__repository",
		},
		Identifier: `.__repository.slug + "/" + .skill.path`,
	},
	place: inRepository,
}, extractSkills)

// skillPaths are where agents look for the skills of a repository.
//
// Source: https://agentskills.io and the manuals of the agents, read 2026-11.
var skillPaths = []string{
	"**/.agents/skills/**/SKILL.md", "**/.claude/skills/**/SKILL.md", "**/.codex/skills/**/SKILL.md", "**/.cursor/skills/**/SKILL.md",
	"**/.gemini/skills/**/SKILL.md", "**/.github/skills/**/SKILL.md", "**/.opencode/skills/**/SKILL.md",
}

type skillSelector struct {
	walked
	Paths []string `yaml:"paths" help:"Patterns of the files: SKILL.md at any depth below the folder skills of .agents, .claude, .codex, .cursor, .gemini, .github and .opencode when it is absent."`
}

func (skillSelector) selective() bool { return true }

func (skillSelector) readsFiles() bool { return true }

func (skillSelector) cost() Cost { return Cost{Sources: 1} }

func (s skillSelector) problems(raw mapping.Selector) diag.Problems {
	return append(s.walked.problems(raw), checkNames(raw, "paths", s.Paths)...)
}

// extractSkills reads the files of skills as the kind file does, and takes them apart.
func extractSkills(ctx context.Context, ws *Workspace, s skillSelector) iter.Seq2[Task, error] {
	paths := s.Paths
	if len(paths) == 0 {
		paths = skillPaths
	}
	var want []wanted
	for _, pattern := range paths {
		g, err := glob.Parse(pattern)
		if err != nil {
			return func(yield func(Task, error) bool) { yield(Task{}, err) }
		}
		want = append(want, wanted{g, true})
	}
	files := fileSelector{walked: s.walked, reads: func(path ...string) bool { return path[0] != "metadata" }}
	return choose(ctx, ws, s.walked, [][]repoRef{nil}, func(c chosen) Run {
		run := fileTask(ws, c, want, files)
		return func(ctx context.Context) iter.Seq2[Found, error] {
			return func(yield func(Found, error) bool) {
				for found, err := range run(ctx) {
					var told *Warning
					if err == nil {
						found, told = ws.skillOf(found)
					}
					if !yield(found, err) || told != nil && !yield(Found{}, told) {
						return
					}
				}
			}
		}
	})
}

// skillOf takes a file apart. One without front matter that can be read is called as its folder is,
// and a warning comes with it where there is some.
func (w *Workspace) skillOf(file Found) (Found, *Warning) {
	of, _ := file.Object["file"].(Object)
	at, _ := of["path"].(string)
	text, _ := file.Object["content"].(string)
	matter, instructions := frontMatter(text)
	fields, told := Object{}, (*Warning)(nil)
	if matter != "" {
		parsed, err := w.contents.Parse("SKILL.yml", []byte(matter))
		known, ok := parsed.Value.(Object)
		switch {
		case err != nil, !ok && parsed.Value != nil:
			told = &Warning{Problem: diag.Problem{Message: "the front matter of a skill is not a mapping in YAML: the skill takes the name of its folder", Example: file.Address,
				Fix: "write name: and description: on lines of their own between two lines ---, and quote a text with a colon"}}
		case ok:
			fields = known
		}
	}
	folder := path.Dir(at)
	name, ok := fields["name"].(string)
	if !ok || name == "" {
		name = path.Base(folder)
	}
	description, _ := fields["description"].(string)
	found := Found{Address: file.Address, Raw: file.Raw, Unparsed: file.Raw || told != nil, Read: file.Read}
	found.Object = Object{
		"skill": Object{
			"name": name, "description": nil, "instructions": instructions, "frontmatter": fields, "path": at, "folder": folder,
		},
		withinKey: file.Object["repo"], "__branch": file.Object["branch"],
	}
	if description != "" {
		found.Object["skill"].(Object)["description"] = description
	}
	return found, told
}

// frontMatter splits a text after its front matter: the lines between a first line of three dashes
// and the next one.
func frontMatter(text string) (matter, rest string) {
	text = strings.TrimPrefix(strings.ReplaceAll(text, "\r\n", "\n"), "\ufeff")
	below, ok := strings.CutPrefix(text, "---\n")
	if !ok {
		return "", strings.TrimSpace(text)
	}
	matter, rest, ok = strings.Cut("\n"+below, "\n---\n")
	if !ok {
		if matter, ok = strings.CutSuffix("\n"+below, "\n---"); !ok {
			return "", strings.TrimSpace(text)
		}
		rest = ""
	}
	return matter, strings.TrimSpace(rest)
}
