package report

import (
	"fmt"
	"strings"
	"time"
)

// Memory is what a run knew from earlier runs, and what it left for later ones. It is part of
// the report of a run that may remember, or that is bounded by max_requests.
type Memory struct {
	Told bool   // it is part of the report
	Why  string // in words why nothing was known from before; empty when something was
	// ListsLost is in words why no list is taken from memory; empty when some may be.
	ListsLost string
	// Repositories are those of which a list comes from memory; OldestReadAt is when the one
	// of these lists was read that was read longest ago.
	Repositories int
	OldestReadAt time.Time
	// Contents are the repositories of which folders or files were known by their commit.
	Contents int
	// Saved is how many requests need not be made, as far as the lists show that the run begins
	// with.
	Saved int
	// NotAsked are the repositories of which something was not asked for, since MaxRequests
	// would have been passed; 0 is no bound.
	NotAsked    int
	MaxRequests int
}

// oldest returns when the oldest list from memory was read, in RFC 3339; empty when none
// comes from memory.
func (m Memory) oldest() string {
	if m.OldestReadAt.IsZero() {
		return ""
	}
	return m.OldestReadAt.UTC().Format(time.RFC3339)
}

// age is how old the oldest list from memory was when the run began.
func (r *Report) age() time.Duration {
	if r.Memory.OldestReadAt.IsZero() {
		return 0
	}
	return max(0, r.Started.Sub(r.Memory.OldestReadAt))
}

// memoryLines are what people are told of the memory, a line each.
func (r *Report) memoryLines() []string {
	m := r.Memory
	if !m.Told {
		return nil
	}
	var all []string
	if m.Why != "" {
		all = append(all, "nothing is known from before: "+visible(m.Why, maxMessage))
	}
	if m.ListsLost != "" {
		all = append(all, "no list is taken from it: "+visible(m.ListsLost, maxMessage))
	}
	if m.Repositories > 0 {
		all = append(all, fmt.Sprintf("the lists of %s come from memory; the oldest was read at %s, %s before this run",
			grouped(m.Repositories, "repository", "repositories"), m.oldest(), ageText(r.age())))
	}
	if m.Contents > 0 {
		all = append(all, fmt.Sprintf("the contents of %s are known by their commits", grouped(m.Contents, "repository", "repositories")))
	}
	if m.NotAsked > 0 {
		all = append(all, fmt.Sprintf("not everything of %s was asked for, since max_requests was reached: what Port holds of it stays",
			grouped(m.NotAsked, "repository", "repositories")))
	}
	if m.MaxRequests > 0 {
		all = append(all, fmt.Sprintf("%s of %s that max_requests allows", digits(int64(r.BitbucketRequests)), grouped(m.MaxRequests, "request", "requests")))
	}
	if len(all) == 0 {
		all = append(all, "nothing comes from memory")
	}
	return all
}

// ageText is an age to the minute, or below one to the second, without zeros at its end: 12h.
func ageText(d time.Duration) string {
	if d >= time.Minute {
		d = d.Round(time.Minute)
	}
	text := d.Round(time.Second).String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}
