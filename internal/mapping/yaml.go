package mapping

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"gopkg.in/yaml.v3"
)

// next reads one document. A panic of the YAML library is an error: foreign
// text must not end the program.
func next(decoder *yaml.Decoder) (doc *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			doc, err = nil, fmt.Errorf("yaml: the text cannot be read: %v", r)
		}
	}()
	doc = new(yaml.Node)
	if err := decoder.Decode(doc); err != nil {
		return nil, err
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, errors.New("yaml: the text has no value")
	}
	return doc, nil
}

// byteReader returns one byte a call and counts them, so that after an error the
// count is how far the YAML library has looked.
type byteReader struct {
	text string
	read int
}

func (r *byteReader) Read(p []byte) (int, error) {
	if r.read >= len(r.text) {
		return 0, io.EOF
	}
	n := copy(p[:min(1, len(p))], r.text[r.read:])
	r.read += n
	return n, nil
}

// readUntilError counts the bytes that the YAML library looks at before it reports
// an error, or of the end.
func readUntilError(text string) int {
	r := &byteReader{text: text}
	decoder := yaml.NewDecoder(r)
	var err error
	for err == nil {
		_, err = next(decoder)
	}
	return r.read
}

func readable(text string) bool {
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := next(decoder); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}
