#!/usr/bin/env bash
# Go 1.26.8 and Python 3.11.7 on Linux: the peak of memory that wait4 gives for a child
# (exec.Cmd's ProcessState.SysUsage().Maxrss, resource's ru_maxrss) begins with the peak of the
# process that started it, which the kernel carries over exec. A program that holds 300 MiB is
# told that "true" took more than 300 MiB, while VmHWM in the child's own /proc/PID/status says
# a few. A limit that a test sets on that figure is one on the test's own memory.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
go mod init finding 2>/dev/null
cat > main.go <<'GO'
package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
)

const size = 300 << 20

func main() {
	held := make([]byte, size)
	for i := 0; i < size; i += 4096 {
		held[i] = 1
	}
	child := exec.Command("grep", "VmHWM", "/proc/self/status")
	out, err := child.Output()
	if err != nil {
		panic(err)
	}
	own, err := strconv.Atoi(string(bytes.Fields(out)[1]))
	if err != nil {
		panic(err)
	}
	told := child.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
	fmt.Println("the child's own peak is below 30 MiB:", own < 30<<10)
	fmt.Println("wait4 tells more than 300 MiB:", told > 300<<10)
	runtime.KeepAlive(held)
}
GO
go build -o main .
seen="$(./main)"
seen+=$'\n'"$(python3 - <<'PY'
import resource, subprocess
held = bytearray(300 << 20)
for i in range(0, len(held), 4096):
    held[i] = 1
subprocess.run(["true"], check=True)
print("Python's figure for true is more than 300 MiB:", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss > 300 << 10)
PY
)"
printf '%s\n' "$seen"
[[ "$seen" == $'the child\'s own peak is below 30 MiB: true
wait4 tells more than 300 MiB: true
Python\'s figure for true is more than 300 MiB: True' ]]
