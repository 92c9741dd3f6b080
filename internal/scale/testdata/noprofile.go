package main

func startProfile() {}
func heapProfile()  {}
func stopProfile()  {}
