package clip_test

import (
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/clip"
)

func TestClip(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		clip func(s string, most int, mark string) string
		s    string
		most int
		mark string
		want string
	}{
		"bytes that fit":                        {clip.Bytes, "abc", 3, "…", "abc"},
		"bytes: the mark is added":              {clip.Bytes, "abcd", 3, "…", "abc…"},
		"bytes: a whole character":              {clip.Bytes, "aé😀z", 6, "...", "aé..."},
		"bytes: up to the end of a character":   {clip.Bytes, "aé😀z", 7, "...", "aé😀..."},
		"bytes: none":                           {clip.Bytes, "é", 1, "…", "…"},
		"bytes within that fit":                 {clip.BytesWithin, "abcd", 4, "…", "abcd"},
		"bytes within: the mark is counted":     {clip.BytesWithin, "abcde", 4, "…", "a…"},
		"bytes within: a whole character":       {clip.BytesWithin, "aé😀z", 7, "…", "aé…"},
		"bytes within: the mark alone":          {clip.BytesWithin, "abcd", 3, "…", "…"},
		"runes that fit":                        {clip.Runes, "é😀z", 3, "…", "é😀z"},
		"runes: the mark is added":              {clip.Runes, "é😀zz", 3, "…", "é😀z…"},
		"runes: none":                           {clip.Runes, "é", 0, "…", "…"},
		"runes: invalid bytes count one each":   {clip.Runes, "\xff\xffa", 2, "…", "\xff\xff…"},
		"runes within that fit":                 {clip.RunesWithin, "é😀z", 3, "…", "é😀z"},
		"runes within: the mark is counted":     {clip.RunesWithin, "é😀zz", 3, "…", "é😀…"},
		"runes within: a mark of more than one": {clip.RunesWithin, "é😀zzz", 4, "...", "é..."},
		"runes within: the mark alone":          {clip.RunesWithin, "ab", 1, "…", "…"},
		"no text":                               {clip.RunesWithin, "", 0, "…", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := test.clip(test.s, test.most, test.mark); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// What is not UTF-8 has no character to go back to: it is cut all the same, not lost.
func TestBytesInvalid(t *testing.T) {
	t.Parallel()
	got := clip.Bytes(strings.Repeat("\x80", 100), 50, "")
	if len(got) < 46 || len(got) > 50 {
		t.Errorf("bytes kept: got %d, want 46 to 50", len(got))
	}
}
