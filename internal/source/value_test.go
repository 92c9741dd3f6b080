package source

import (
	"reflect"
	"testing"

	"port-bitbucket-exporter/internal/gitwire"
	"port-bitbucket-exporter/internal/glob"
)

func sampleValue() commitValue {
	return commitValue{
		place: digest{1, 2},
		listings: []keptListing{
			{Need: glob.Need{Depth: everything}, git: true, digest: digest{3}, pieces: 7},
			{Need: glob.Need{Folder: "a/b", Depth: 1}, digest: digest{4}, inline: []byte("listing")},
		},
		shallow: map[string]int{"": 2, "a": 1},
		records: map[string]record{
			"README.md": {kind: recordText, text: gitwire.Hash{5}},
			"none":      {kind: recordAbsent},
			"big":       {kind: recordElsewhere},
			"é\n":       {kind: recordTooLarge, text: gitwire.Hash{6}, limit: 1 << 40},
		},
	}
}

// What is encoded is decoded; what is not whole, or of another format, is absent.
func TestCommitValue(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]commitValue{"full": sampleValue(), "empty": {shallow: map[string]int{}, records: map[string]record{}}} {
		b := v.encode()
		got, ok := decodeCommit(b)
		for i := range got.listings {
			if len(got.listings[i].inline) == 0 {
				got.listings[i].inline = nil
			}
		}
		if !ok || !reflect.DeepEqual(got, v) {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, ok, v)
		}
		for n := range b {
			if _, ok := decodeCommit(b[:n]); ok {
				t.Errorf("%s: its first %d bytes of %d are taken", name, n, len(b))
			}
		}
		if _, ok := decodeCommit(append(b, 0)); ok {
			t.Errorf("%s: taken with a byte behind it", name)
		}
		b[0]++
		if _, ok := decodeCommit(b); ok {
			t.Errorf("%s: taken though its format is another", name)
		}
	}
}

// Whatever the bytes are, the decoder ends, and what it takes it can write again.
func FuzzCommitValue(f *testing.F) {
	f.Add(sampleValue().encode())
	f.Add([]byte{commitFormat, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		v, ok := decodeCommit(b)
		if !ok {
			return
		}
		again, ok := decodeCommit(v.encode())
		if !ok || !reflect.DeepEqual(v, again) {
			t.Errorf("got %+v, %v, want %+v", again, ok, v)
		}
	})
}

// Of listings those are kept of which another does not hold all.
func TestWidest(t *testing.T) {
	t.Parallel()
	of := func(git bool, folder string, depth int) keptListing {
		return keptListing{git: git, Need: glob.Need{Folder: folder, Depth: depth}}
	}
	all := []keptListing{of(true, "", 1), of(true, "a", 3), of(false, "", 2), of(true, "", 2), of(true, "", 2), of(false, "a", 1), of(true, "a/b", 2), of(true, "ab", glob.MaxDepth)}
	want := []keptListing{all[1], all[2], all[4], all[7]}
	if got := widest(all); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
