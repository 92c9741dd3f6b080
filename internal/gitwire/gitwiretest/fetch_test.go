package gitwiretest_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
)

// A fetch sends what is wanted within its depth and filter, less what the client has.
func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	r, old, files := sample()
	f := files["svc/07/port.yml"]
	f.Content += "more: yes\n"
	files["svc/07/port.yml"] = f
	tip := r.Commit(gitwiretest.Commit{Files: files, Message: "Third", Parents: []gitwiretest.Hash{old}})
	r.SetRef("refs/heads/main", tip)
	tag := r.Tag("v1", tip)
	blob := gitwiretest.HashOf(gitwiretest.KindBlob, f.Content)
	folders, blobs := 7+40, len(files)-1 // the root, a, a/b, bin, svc, vendor, übung, and those in svc; not the submodule
	tests := []struct {
		name string
		args []string
		want int
	}{
		{"one commit", []string{"want " + tip.String(), "deepen 1"}, 1 + folders + blobs},
		{"two commits", []string{"want " + tip.String(), "deepen 2"}, 2 + folders + 3 + blobs + 1},
		{"all", []string{"want " + tip.String()}, 3 + folders + 3 + 1 + blobs + 2},
		{"no blobs", []string{"want " + tip.String(), "deepen 1", "filter blob:none"}, 1 + folders},
		{"no blobs but one that is named", []string{"want " + tip.String(), "want " + blob.String(), "deepen 1", "filter blob:none"}, 1 + folders + 1},
		{"no trees", []string{"want " + tip.String(), "deepen 1", "filter tree:0"}, 1},
		{"a blob", []string{"want " + blob.String()}, 1},
		{"a tag", []string{"want " + tag.String(), "deepen 1"}, 2 + folders + blobs},
		{"a commit with its tag", []string{"want " + tip.String(), "deepen 1", "include-tag"}, 2 + folders + blobs},
		{"what changed", []string{"want " + tip.String(), "have " + old.String(), "shallow " + old.String(), "deepen 1"}, 1 + 3 + 1},
		{"nothing new", []string{"want " + tip.String(), "have " + tip.String()}, 0},
	}
	for _, tt := range tests {
		s := gitwiretest.NewServer(r, gitwiretest.Options{})
		_, answer := do(s, post(lines(slices.Concat([]string{"command=fetch", agent, format, "0001"}, tt.args, []string{"done", "0000"})...)))
		if v := s.Violations(); len(v) > 0 {
			t.Fatalf("%s: violations %q", tt.name, v)
		}
		if got := int(binary.BigEndian.Uint32(packIn(t, answer)[8:])); got != tt.want {
			t.Errorf("%s: got %d objects, want %d", tt.name, got, tt.want)
		}
	}
}

// Some servers give only commits, or only what a ref leads to; an answer may break off.
func TestWantsRefused(t *testing.T) {
	t.Parallel()
	r, tip, files := sample()
	blob := gitwiretest.HashOf(gitwiretest.KindBlob, files["README.md"].Content)
	_, data, _ := r.Object(tip)
	parent, _ := gitwiretest.ParseHash(data[len("tree ")+41+len("parent "):][:40])
	between := r.Commit(gitwiretest.Commit{Message: "no ref leads here"})
	for _, tt := range []struct {
		options gitwiretest.Options
		want    gitwiretest.Hash
		refused bool
	}{
		{gitwiretest.Options{}, blob, false},
		{gitwiretest.Options{NoBlobWants: true}, blob, true},
		{gitwiretest.Options{NoBlobWants: true}, between, false},
		{gitwiretest.Options{TipsOnly: true}, between, true},
		{gitwiretest.Options{TipsOnly: true}, blob, true},
		{gitwiretest.Options{TipsOnly: true}, tip, false},
		{gitwiretest.Options{TipsOnly: true}, parent, false}, // of a branch
	} {
		_, got := do(gitwiretest.NewServer(r, tt.options), post(lines("command=fetch", agent, format, "0001", "want "+tt.want.String(), "done", "0000")))
		if refused := got == lines("ERR upload-pack: not our ref "+tt.want.String()); refused != tt.refused {
			t.Errorf("%+v: want %s: refused %v", tt.options, tt.want, refused)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("the connection is not broken")
		}
	}()
	do(gitwiretest.NewServer(r, gitwiretest.Options{Abort: 100}), post(lines("command=fetch", agent, format, "0001", "want "+tip.String(), "done", "0000")))
}

// A thin pack is told from what the client has, and only a client that takes one gets it.
func TestThin(t *testing.T) {
	t.Parallel()
	r, old, files := sample()
	f := files["svc/07/port.yml"]
	f.Content += "more: yes\n"
	files["svc/07/port.yml"] = f
	tip := r.Commit(gitwiretest.Commit{Files: files, Message: "Third", Parents: []gitwiretest.Hash{old}})
	length := func(args ...string) int {
		s := gitwiretest.NewServer(r, gitwiretest.Options{Deltas: gitwiretest.OfsDeltas})
		args = append(args, "want "+tip.String(), "have "+old.String(), "shallow "+old.String(), "deepen 1", "done")
		_, answer := do(s, post(lines(slices.Concat([]string{"command=fetch", agent, format, "0001"}, args, []string{"0000"})...)))
		return len(packIn(t, answer))
	}
	if whole, thin := length(), length("thin-pack"); thin >= whole*2/3 {
		t.Errorf("got %d bytes thin, %d else", thin, whole)
	}
}
