package resident_test

import (
	"os/exec"
	"runtime"
	"testing"

	"port-bitbucket-exporter/internal/resident"
)

// A small process is small, also where the one that starts it is large, and one that has ended
// before anything else of this program ran is known too.
func TestWatch(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip(resident.ErrUnknown)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // what Watch starts runs after all below
	const large = 64 << 20
	held := make([]byte, large)
	for i := 0; i < large; i += 4096 {
		held[i] = 1
	}
	cmd := exec.Command("cat") // it ends with its input
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	peak := resident.Watch(cmd.Process.Pid)
	own := resident.Watch(0) // there is no such process
	if got := <-own; got.Err == nil {
		t.Errorf("no process: got %v, want an error", got)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := <-peak; got.Err != nil || got.Bytes <= 0 || got.Bytes > large/2 {
		t.Errorf("got %v, want little", got)
	}
	runtime.KeepAlive(held)
}
