package input

import (
	"strconv"
	"strings"
	"time"
)

// MaxRequests bounds the requests of a run to Bitbucket's API. The zero value means no bound.
type MaxRequests struct {
	N    int  // 0 when there is no number
	Auto bool // what the allowance of the credentials gives
}

// Given reports whether there is a bound.
func (m MaxRequests) Given() bool { return m.Auto || m.N > 0 }

// stateLimit reads how much of a disk the memory may take. The least holds a few thousand
// lists; the most is what a CI system keeps of all caches of a repository.
func stateLimit(v value) int64 {
	return size(v, 1<<20, 10<<30, "1 MiB to 10 GiB",
		`write a whole number and a unit (MB, MiB, GB or GiB), from 1MiB to 10GiB, such as "512MiB"; the default is 256MiB`)
}

// age reads how old something may be.
func age(v value) time.Duration {
	d, err := parseWindow(v.text)
	if err != nil || d < 0 {
		v.problem(`write a duration with its unit, such as "90m", "12h" or "2d"; 0s takes nothing from memory; the default is `+v.standard, "%q is not a duration", v.text)
		return 0
	}
	return d
}

// maxRequests reads a number or auto.
func maxRequests(v value) MaxRequests {
	if v.text == "" {
		return MaxRequests{}
	}
	if strings.EqualFold(v.text, "auto") {
		return MaxRequests{Auto: true}
	}
	n, err := strconv.Atoi(v.text)
	if err != nil || n < 1 {
		v.problem("write a whole number of at least 1, such as 300, or auto; without this input there is no bound", "%q is not a number of requests", v.text)
		return MaxRequests{}
	}
	return MaxRequests{N: n}
}

// checkMemory warns of a bound that leaves out the same in every run.
func checkMemory(all values, c Config) {
	if v := all["max_requests"]; c.MaxRequests.Given() && c.StateDir == "" && v.ok() {
		v.rep.warn("max_requests is set (from %s) without state_dir: a run does not know what the one before it asked for, "+
			"so that each asks for the same repositories first and leaves out the same; set state_dir to a folder that is kept between runs", v.from)
	}
}
