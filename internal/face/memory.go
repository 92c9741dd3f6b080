package face

import (
	"fmt"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/report"
)

// oldest returns when the oldest list from memory was read, in RFC 3339; empty when none
// comes from memory.
func oldest(m report.Memory) string {
	if m.OldestReadAt.IsZero() {
		return ""
	}
	return m.OldestReadAt.UTC().Format(time.RFC3339)
}

// memoryLines say what people should know of the memory, a line each.
func memoryLines(r *report.Report) []string {
	m := r.Memory
	if !m.Reported {
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
			grouped(m.Repositories, "repository", "repositories"), oldest(m), ageText(r.Memory.Age(r.Started))))
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
