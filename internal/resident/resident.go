// Package resident measures the memory of a process that a test has started.
package resident

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// every is how often a process is looked at: the kernel keeps the peak, so that only what a
// process takes in its last moments is lost.
const every = 5 * time.Millisecond

// ErrUnknown is the error where the system does not say what a process takes, or no longer does:
// once it has ended.
var ErrUnknown = errors.New("the memory of a process is known on Linux alone, and as long as it runs")

// Peak is the most that a process had in memory, in bytes.
type Peak struct {
	Bytes int64
	Err   error
}

// Watch sends the peak of a process once it has ended. It has looked at the process once when it
// returns: what ends at once is measured too. Rusage.Maxrss will not do: it begins with the peak
// of the process that started it.
//
// Source: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html, VmHWM, and
// https://man7.org/linux/man-pages/man2/getrusage.2.html, ru_maxrss, read 2026-11; what it
// begins with by trial.
func Watch(pid int) <-chan Peak {
	peak := make(chan Peak, 1)
	kib, ok := read(pid)
	if !ok {
		peak <- Peak{Err: ErrUnknown}
		return peak
	}
	go func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		most := kib
		for ok {
			most = max(most, kib)
			<-tick.C
			kib, ok = read(pid)
		}
		peak <- Peak{Bytes: most << 10}
	}()
	return peak
}

// read returns the peak of a process so far, in KiB.
func read(pid int) (kib int64, ok bool) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, after, found := strings.Cut(string(status), "VmHWM:")
	fields := strings.Fields(after)
	if err != nil || !found || len(fields) == 0 {
		return 0, false
	}
	kib, err = strconv.ParseInt(fields[0], 10, 64)
	return kib, err == nil
}
