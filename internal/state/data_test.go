package state_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
)

// common are the most frequent words of English text; writer makes the rarer ones.
var common = strings.Fields(`the of and to in a is that for it as was with be by on not this but from or have an they which one you
	were all her she there would their we him been has when who will no more if out so up said what its about than into them can only
	other time new some could these two may first then do any like my now over such our man even most made after also did many`)

// writer makes text as a seed gives it. Its rarer words are as varied as those of a language.
type writer struct{ *rand.Rand }

func write(seed uint64) writer { return writer{rand.New(rand.NewPCG(seed, 14))} }

func (w writer) word() string {
	if w.IntN(100) < 45 {
		return common[int(float64(len(common))*w.Float64()*w.Float64())]
	}
	n := 1 + int(20000*w.Float64()*w.Float64()*w.Float64()) // of a vocabulary of 20,000
	var b strings.Builder
	for v := rand.New(rand.NewPCG(uint64(n), 0)); ; {
		b.WriteString([]string{"s", "t", "pr", "c", "r", "n", "m", "st", "d", "l", "v", "tr"}[v.IntN(12)])
		b.WriteString([]string{"a", "e", "i", "o", "er", "in", "ation", "u", "ing", "ent"}[v.IntN(10)])
		if v.IntN(5) < 3 {
			return b.String()
		}
	}
}

func (w writer) words(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = w.word()
	}
	return strings.Join(all, " ")
}

// hex is a hash or a part of one.
func (w writer) hex(n int) string {
	b := make([]byte, n/2+1)
	for i := range b {
		b[i] = byte(w.Uint32())
	}
	return hex.EncodeToString(b)[:n]
}

// readme is a file of about 3 KB.
func readme(n int) []byte {
	w := write(uint64(n) | 1<<32)
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n", w.words(2))
	for b.Len() < 3000 {
		switch w.IntN(6) {
		case 0:
			fmt.Fprintf(&b, "## %s\n\n", w.words(3))
		case 1:
			fmt.Fprintf(&b, "```sh\nmake %s\n./bin/%s --%s=%d\n```\n\n", w.word(), w.word(), w.word(), w.IntN(1000))
		case 2:
			for range 3 {
				fmt.Fprintf(&b, "- [%s](https://example.com/%s/%s): %s\n", w.words(2), w.word(), w.hex(8), w.words(6))
			}
			b.WriteString("\n")
		default:
			fmt.Fprintf(&b, "%s.\n\n", w.words(30+w.IntN(40)))
		}
	}
	return []byte(b.String())
}

// pullRequestLists are the lists of five pull requests of each of so many repositories, as
// Bitbucket gives them.
func pullRequestLists(tb testing.TB, repositories int) [][]byte {
	tb.Helper()
	s := bitbuckettest.New("acme")
	s.AllowToken("t")
	w := write(7)
	user := func() bitbuckettest.User {
		n := w.IntN(300)
		return bitbuckettest.User{Name: write(uint64(n)).words(2), Nickname: fmt.Sprintf("user%d", n)}
	}
	lists := make([][]byte, repositories)
	for i := range lists {
		slug := fmt.Sprintf("%s-%s-%d", w.word(), w.word(), i)
		s.AddRepository(bitbuckettest.Repository{Name: slug, Slug: slug, Files: map[string]string{"README.md": "x"}})
		for range 5 {
			p := bitbuckettest.PullRequest{Title: w.words(6), Description: w.words(w.IntN(100)), SourceBranch: "feature/" + w.word() + "-" + w.word()}
			author := user()
			p.Author = &author
			for range w.IntN(4) {
				p.Reviewers = append(p.Reviewers, user())
			}
			s.AddPullRequest(slug, p)
		}
		r := httptest.NewRequest(http.MethodGet, "https://api.bitbucket.org/2.0/repositories/acme/"+slug+"/pullrequests?pagelen=50&fields=%2Bvalues.participants,%2Bvalues.reviewers", nil)
		r.Header.Set("Authorization", "Bearer t")
		answer := httptest.NewRecorder()
		s.ServeHTTP(answer, r)
		var page struct{ Values json.RawMessage }
		if err := json.Unmarshal(answer.Body.Bytes(), &page); err != nil || answer.Code != http.StatusOK {
			tb.Fatalf("%d %v: %s", answer.Code, err, answer.Body)
		}
		lists[i] = page.Values
	}
	return lists
}
