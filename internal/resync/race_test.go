//go:build race

package resync_test

// hugeFiles is fewer under the race detector, which takes half a minute for all.
const hugeFiles = 10_000
