package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
)

// maxManifest bounds the file that names the others, in bytes. A memory of 16 GiB has a
// shorter one.
const maxManifest = 32 << 20

// title is how a manifest begins; the number of its format, and a new line, follow.
const title = "port-bitbucket-exporter state, format "

// group holds segments that follow each other: no two have the same index.
type group []*segment

// size on disk, in bytes.
func (g group) size() (bytes int64) {
	for _, s := range g {
		bytes += s.Size
	}
	return bytes
}

// manifest names all files of a memory: it is the memory, and changes at once. What a later
// group holds replaces what an earlier one holds under the same index.
type manifest struct{ Groups []group }

// head is what comes before the sealed part.
func head(k *keys) []byte { return append([]byte(title+strconv.Itoa(format)+"\n"), k.mark...) }

func (m manifest) seal(k *keys) ([]byte, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	first := head(k)
	if text = append(first, k.seal(text, named("manifest", string(first)))...); len(text) > maxManifest {
		return nil, fmt.Errorf("a list of %d bytes of what it holds is too long", len(text))
	}
	return text, nil
}

// readManifest reads which segments there are, and opens none. The second result says why
// there are none.
func readManifest(f *folder, k *keys) (m manifest, why string) {
	file, size, err := f.open(manifestName)
	if errors.Is(err, fs.ErrNotExist) {
		return m, "it is empty"
	}
	if err != nil {
		return m, damaged(err)
	}
	defer file.Close()
	if size > maxManifest {
		return m, damaged(fmt.Errorf("%s has %d bytes", manifestName, size))
	}
	text, err := io.ReadAll(io.LimitReader(file, maxManifest))
	if err != nil {
		return m, damaged(err)
	}
	return parseManifest(text, k)
}

func damaged(err error) string { return "it is damaged: " + err.Error() }

func parseManifest(text []byte, k *keys) (m manifest, why string) {
	line, sealed, _ := bytes.Cut(text, []byte("\n"))
	number, ok := bytes.CutPrefix(line, []byte(title))
	first := head(k)
	switch {
	case !ok:
		return m, damaged(fmt.Errorf("%s does not begin as one", manifestName))
	case string(number) != strconv.Itoa(format):
		return m, "another version of the program made it"
	case !bytes.HasPrefix(text, first) && len(sealed) >= len(k.mark):
		return m, "it was made with another workspace, identifier or Port client secret"
	}
	plain, err := k.open(text[min(len(text), len(first)):], named("manifest", string(first)))
	if err == nil {
		err = json.Unmarshal(plain, &m)
	}
	for _, g := range m.Groups {
		if slices.Contains(g, nil) {
			err = errors.New("a segment is null")
		}
	}
	if err != nil {
		return manifest{}, damaged(fmt.Errorf("%s: %w", manifestName, err))
	}
	return m, ""
}

// names of all segments.
func (m manifest) names() map[string]bool {
	all := map[string]bool{}
	for _, g := range m.Groups {
		for _, s := range g {
			all[s.Name] = true
		}
	}
	return all
}
