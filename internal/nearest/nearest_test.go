package nearest

import (
	"strings"
	"testing"
)

func TestName(t *testing.T) {
	t.Parallel()
	valid := []string{"repoQuery", "userRole", "includedFiles", "query", "path"}
	tests := []struct{ word, want string }{
		{"repoQuerry", "repoQuery"},
		{"repo_query", "repoQuery"},
		{"REPOQUERY", "repoQuery"},
		{"user-rolle", "userRole"},
		{"qurey", "query"},
		{"includeFiles", "includedFiles"},
		{"pat", "path"},
		{"states", ""},
		{"x", ""},
		{"-", ""},
		{"", ""},
		{strings.Repeat("query", 100), ""},
	}
	for _, tt := range tests {
		got, ok := Name(tt.word, valid)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("Name(%q): got %q, %t, want %q", tt.word, got, ok, tt.want)
		}
	}
}
