package platform

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
)

// encodings are the forms in which a secret may turn up in a log: itself, as
// base64, in a URL's path or query, in JSON, in a quoted Go string.
func encodings(secret string) []string {
	raw := []byte(secret)
	quoted := strconv.Quote(secret)
	forms := []string{
		secret,
		base64.RawStdEncoding.EncodeToString(raw),
		base64.RawURLEncoding.EncodeToString(raw),
		base64.StdEncoding.EncodeToString(raw),
		base64.URLEncoding.EncodeToString(raw),
		url.PathEscape(secret),
		url.QueryEscape(secret),
		quoted[1 : len(quoted)-1],
	}
	for _, escapeHTML := range []bool{true, false} {
		var b strings.Builder
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(escapeHTML)
		if err := encoder.Encode(secret); err == nil {
			forms = append(forms, strings.Trim(b.String(), "\n")[1:b.Len()-2])
		}
	}
	return append(forms, insideBase64(raw)...)
}

// insideBase64 are the parts of a base64 text that the secret alone decides,
// wherever it stands in what was encoded: three bytes make four characters, so
// there are three ways. It skips parts of fewer than minForm characters (six bytes), which
// match other text by chance.
func insideBase64(secret []byte) []string {
	const minForm = 8
	var forms []string
	for shift := range 3 {
		data := append(make([]byte, shift), secret...)
		first := (shift*8 + 5) / 6 // the first character without a bit of what comes before
		last := len(data) * 8 / 6  // the character that shares bits with what follows
		if last-first < minForm {
			continue
		}
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			forms = append(forms, encoding.EncodeToString(data)[first:last])
		}
	}
	return forms
}
