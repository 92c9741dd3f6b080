package input

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/diag"
)

// FuzzParse gives any text to any two inputs: each problem says where it is, what it
// is and how to mend it, and no secret is in one, or in a note.
func FuzzParse(f *testing.F) {
	const mark = "§§"
	for i, in := range Table {
		f.Add(uint(i), in.Default, uint(i+1), "x")
		f.Add(uint(i), "https://user:"+mark+"@host/?q#f", uint(i+2), "-1")
	}
	f.Add(uint(3), "acme corp", uint(10), "5/1h,src=0/1h,=,")
	f.Add(uint(4), " a , ,b\n", uint(17), "9999999999999999999999GiB")
	f.Fuzz(func(t *testing.T, i uint, first string, j uint, second string) {
		variables := with(nil)
		secret := false
		for _, pair := range []struct {
			index uint
			text  string
		}{{i, first}, {j, second}} {
			in := Table[pair.index%uint(len(Table))]
			if in.Secret {
				secret = true
				pair.text = mark + pair.text + mark
			}
			variables[in.Name()] = strings.ReplaceAll(pair.text, "\x00", "")
		}
		c, notes, err := Parse(world(variables, nil))
		var problems diag.Problems
		if err != nil && !errors.As(err, &problems) {
			t.Fatalf("the error is a %T", err)
		}
		told := slices.Concat(notes.Infos, notes.Warnings)
		for _, p := range problems {
			if p.Where.String() == "" || p.Message == "" || p.Fix == "" {
				t.Errorf("a problem without a part: %+v", p)
			}
			told = append(told, p.Where.String(), p.Message, p.Fix)
		}
		plain := !strings.Contains(first+second, mark)
		if text := strings.Join(told, "\n"); secret && plain && strings.Contains(text, mark) {
			t.Errorf("a secret is told: %s", text)
		}
		if err != nil {
			return
		}
		if c.Concurrency < 1 || c.RateLimit.N < 1 || c.RateLimit.Window <= 0 || c.MaxFileSize < 1 || len(c.Credentials) == 0 || c.Deletion == "" || c.FailOn == "" ||
			c.MaxDeletions != nil && *c.MaxDeletions < 0 {
			t.Errorf("no problem, and nothing to run by: %+v", c)
		}
		for _, base := range []string{c.PortBaseURL, c.BitbucketHostURL} {
			if strings.HasSuffix(base, "/") || strings.ContainsAny(base, "@?# \n") {
				t.Errorf("got the address %q", base)
			}
		}
	})
}
