// Package version says which build of the program runs.
package version

import (
	"cmp"
	"runtime/debug"
	"strings"
	"time"
)

// A release sets these by the linker: its build has neither a checkout nor a module version that
// Go could note by itself.
//
//	go build -ldflags "-X port-bitbucket-exporter/internal/version.tag=v1.2.3 …"
var (
	tag    string // of the release, with its v
	commit string // in hex
	date   string // of the commit, in RFC 3339
)

// development is the version of a build that was not named. Port takes semantic versions.
const development = "0.0.0-dev"

// Build is one build of the program.
type Build struct {
	Version string // a semantic version without v
	Commit  string // empty where it is not known, and with "-dirty" where files were changed
	Date    string // of the commit, in RFC 3339; empty where it is not known
}

// String returns the build on one line, as far as it is known:
//
//	1.2.3 (commit 1a2b3c4d5e6f, 2026-11-30T12:00:00Z)
func (b Build) String() string {
	var parts []string
	if b.Commit != "" {
		parts = append(parts, "commit "+b.Commit)
	}
	if b.Date != "" {
		parts = append(parts, b.Date)
	}
	if len(parts) == 0 {
		return b.Version
	}
	return b.Version + " (" + strings.Join(parts, ", ") + ")"
}

// This returns the build that runs: what the linker was given, else what Go noted of the
// checkout or of the module that it built.
func This() Build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return of(Build{tag, commit, date}, info)
}

// of completes what the linker was given. Nothing of a checkout is added to a given commit.
func of(given Build, info *debug.BuildInfo) Build {
	noted := Build{Version: info.Main.Version}
	dirty := ""
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			noted.Commit = setting.Value
		case "vcs.time":
			noted.Date = setting.Value
		case "vcs.modified":
			if setting.Value == "true" {
				dirty = "-dirty"
			}
		}
	}
	if noted.Commit != "" {
		noted.Commit = short(noted.Commit) + dirty
	}
	if noted.Version == "(devel)" {
		noted.Version = ""
	}
	if given.Commit != "" {
		noted.Commit, noted.Date = short(given.Commit), ""
	}
	if when, err := time.Parse(time.RFC3339, given.Date); err == nil {
		noted.Date = when.UTC().Format(time.RFC3339)
	}
	noted.Version = cmp.Or(strings.TrimPrefix(given.Version, "v"), strings.TrimPrefix(noted.Version, "v"), development)
	return noted
}

// short is as much of a commit as nothing else is called by.
func short(commit string) string {
	const digits = 12
	return commit[:min(len(commit), digits)]
}
