//go:build !race

package faultmatrix_test

const (
	raceDetector = false
	oneOfSample  = 1
)
