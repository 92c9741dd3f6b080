//go:build !race

package rerun_test

const raceDetector = false
