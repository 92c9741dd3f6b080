package port

import (
	"encoding/json"
	"strconv"
)

// Of an answer, one value of another type than usual must not spoil the rest.

// anyNumber is a number, or a text of one: not ok for anything else. JSON may write 0 as 0.0, too.
type anyNumber struct {
	value float64
	ok    bool
}

// UnmarshalJSON has no errors.
func (n *anyNumber) UnmarshalJSON(raw []byte) error {
	var text anyText
	_ = text.UnmarshalJSON(raw) // it has none either
	value, err := strconv.ParseFloat(string(text), 64)
	*n = anyNumber{}
	if err == nil {
		*n = anyNumber{value, true}
	}
	return nil
}

// anyText is a text; of anything else but null, its JSON.
type anyText string

// UnmarshalJSON has no errors.
func (s *anyText) UnmarshalJSON(raw []byte) error {
	var text *string
	switch err := json.Unmarshal(raw, &text); {
	case err != nil:
		*s = anyText(raw)
	case text == nil:
		*s = ""
	default:
		*s = anyText(*text)
	}
	return nil
}
