package mapping

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"

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

// jsonEscapes are the escapes of JSON that the YAML library does not read: a
// character beyond 16 bits as two surrogates, and a slash.
var jsonEscapes = regexp.MustCompile(`\\(?:/|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})`)

// writeOut replaces these escapes in a JSON text. A backslash that is escaped
// itself starts none.
func writeOut(text []byte) []byte {
	var out bytes.Buffer
	end := 0
	for _, at := range jsonEscapes.FindAllIndex(text, -1) {
		slashes := 0
		for i := at[0] - 1; i >= 0 && text[i] == '\\'; i-- {
			slashes++
		}
		if slashes%2 == 1 {
			continue
		}
		out.Write(text[end:at[0]])
		end = at[1]
		escape := string(text[at[0]:end])
		if escape == `\/` {
			out.WriteByte('/')
			continue
		}
		high, _ := strconv.ParseUint(escape[2:6], 16, 16)
		low, _ := strconv.ParseUint(escape[8:12], 16, 16)
		out.WriteRune(utf16.DecodeRune(rune(high), rune(low)))
	}
	out.Write(text[end:])
	return out.Bytes()
}
