package main

import (
	"encoding/json"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

// told is what the benchmarks read.
var told = os.NewFile(3, "statistics")

// statistics tells how often and how much was allocated, and what the heap holds.
func statistics() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	_ = json.NewEncoder(told).Encode(map[string]uint64{
		"allocations": m.Mallocs, "allocated": m.TotalAlloc, "held": m.HeapAlloc,
	}) // they miss it
}

// The signal asks for what the heap holds without garbage.
func init() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	go func() {
		for range signals {
			runtime.GC()
			runtime.GC() // the first one leaves what pools have
			statistics()
			heapProfile()
		}
	}()
	startProfile()
}

// exitMeasured takes the place of os.Exit in main.
func exitMeasured(status int) {
	stopProfile()
	statistics()
	os.Exit(status)
}
