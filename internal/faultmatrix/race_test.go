//go:build race

package faultmatrix_test

// raceDetector takes ten times as long. What it looks for does not depend on which fault
// falls where: all of them fall without it, as .ci/run has it.
const (
	raceDetector = true
	oneOfSample  = 4 // what MATRIX asks for is tried as a whole
)
