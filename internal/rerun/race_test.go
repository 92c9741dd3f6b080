//go:build race

package rerun_test

// raceDetector takes ten times as long. The tests that count requests over many runs are left
// to .ci/run's other step: how many there are does not depend on it.
const raceDetector = true
