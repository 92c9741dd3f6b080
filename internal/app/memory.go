package app

import (
	"io/fs"
	"log/slog"
	"math"
	"runtime/debug"
	"strconv"
	"strings"
)

// memoryPercent is the part of a container's memory that the program's heap may
// take before garbage is collected whatever it costs. The rest is left for what
// the collector does not count, and for what it has not collected yet.
const memoryPercent = 85

// limitFiles hold how much memory a control group may take, in bytes: that of
// version 2, and of version 1.
//
// Source: https://docs.kernel.org/admin-guide/cgroup-v2.html (memory.max) and
// https://docs.kernel.org/admin-guide/cgroup-v1/memory.html (memory.limit_in_bytes), read 2026-11.
var limitFiles = []string{"memory.max", "memory/memory.limit_in_bytes", "memory.limit_in_bytes"}

// limitMemory sets the memory limit of Go's collector, which does not read that of the
// container itself. GOMEMLIMIT in the environment wins.
func limitMemory(w world, log *slog.Logger) {
	if _, given := w.environment["GOMEMLIMIT"]; given || w.Cgroup == nil {
		return
	}
	limit, ok := containerMemory(w.Cgroup)
	if !ok || debug.SetMemoryLimit(-1) != math.MaxInt64 {
		return
	}
	debug.SetMemoryLimit(limit / 100 * memoryPercent)
	log.Debug("memory limit", "container_mib", limit>>20, "soft_mib", limit/100*memoryPercent>>20)
}

// containerMemory is false when there is no limit. Version 1 writes that as a number of
// bytes that no machine has.
func containerMemory(cgroup fs.FS) (bytes int64, ok bool) {
	const most = 1 << 50
	for _, name := range limitFiles {
		text, err := fs.ReadFile(cgroup, name)
		if err != nil {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
		return n, err == nil && n > 0 && n < most
	}
	return 0, false
}
