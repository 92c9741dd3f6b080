package version

import (
	"runtime/debug"
	"testing"
)

const hash = "1a2b3c4d5e6f7081920a1b2c3d4e5f6071829304"

func TestOf(t *testing.T) {
	t.Parallel()
	checkout := func(version, modified string) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version}, Settings: []debug.BuildSetting{
			{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: hash}, {Key: "vcs.time", Value: "2026-11-30T12:00:00Z"}, {Key: "vcs.modified", Value: modified},
		}}
	}
	for _, tt := range []struct {
		name  string
		given Build
		info  *debug.BuildInfo
		want  string
	}{
		{"a test, or a copy without its history", Build{}, &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, "0.0.0-dev"},
		{"nothing known", Build{}, &debug.BuildInfo{}, "0.0.0-dev"},
		{"go install of a version", Build{}, &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, "1.2.3"},
		{"go build in a checkout", Build{}, checkout("v1.2.3", "false"), "1.2.3 (commit 1a2b3c4d5e6f, 2026-11-30T12:00:00Z)"},
		{"go build with changed files", Build{}, checkout("v1.2.4-0.20261130120000-1a2b3c4d5e6f+dirty", "true"),
			"1.2.4-0.20261130120000-1a2b3c4d5e6f+dirty (commit 1a2b3c4d5e6f-dirty, 2026-11-30T12:00:00Z)"},
		{"a release", Build{"v1.2.3", hash, "2026-11-30T13:00:00+01:00"}, &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}},
			"1.2.3 (commit 1a2b3c4d5e6f, 2026-11-30T12:00:00Z)"},
		{"a release built in another checkout", Build{"v1.2.3", "ffff", ""}, checkout("v9.9.9", "true"), "1.2.3 (commit ffff)"},
		{"a date that is none", Build{"v1.2.3", "", "today"}, &debug.BuildInfo{}, "1.2.3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := of(tt.given, tt.info).String(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// The test binary knows no version; the program always names one.
func TestThis(t *testing.T) {
	t.Parallel()
	if got := This().Version; got == "" {
		t.Error("got no version")
	}
}
