package content

import "testing"

func TestReplaceEscapes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{`"\ud83d\uDE00"`, `"😀"`},
		{`"\\\ud83d\ude00"`, `"\\😀"`},
		{`"\\ud83d\\ude00"`, `"\\ud83d\\ude00"`},
		{`"\\ud83d\ude00"`, `"\\ud83d` + "\uFFFD" + `"`},
		{`"\ud83d"`, "\"\uFFFD\""},
		{`"\ud83d\n"`, "\"\uFFFD" + `\n"`},
		{`"a\/b\\/"`, `"a/b\\/"`},
		{`"\u00e9\ue000\udg00"`, `"\u00e9\ue000\udg00"`},
		{`\`, `\`},
		{`\ud8`, `\ud8`},
		{"", ""},
	} {
		if got := string(ReplaceEscapes([]byte(tt.text), Unescape)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.text, got, tt.want)
		}
	}
}
