package main

import (
	"os"
	"runtime/pprof"
)

// profile returns a file that is named by the environment, with an ending; nil for none.
func profile(ending string) *os.File {
	name := os.Getenv("SCALE_PROFILE")
	if name == "" {
		return nil
	}
	file, err := os.Create(name + ending)
	if err != nil {
		panic(err)
	}
	return file
}

func startProfile() {
	if file := profile(".cpu"); file != nil {
		if err := pprof.StartCPUProfile(file); err != nil {
			panic(err)
		}
	}
}

func heapProfile() { write("heap", ".heap") }

func stopProfile() {
	pprof.StopCPUProfile()
	write("allocs", ".allocs")
}

func write(kind, ending string) {
	file := profile(ending)
	if file == nil {
		return
	}
	if err := pprof.Lookup(kind).WriteTo(file, 0); err != nil {
		panic(err)
	}
}
