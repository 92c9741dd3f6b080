//go:build !race

package resync_test

// hugeFiles is how many files TestHugeTree has.
const hugeFiles = 100_000
