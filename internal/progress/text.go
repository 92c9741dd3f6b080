package progress

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Line says on one line how far a run is, after another line was said. What has not changed
// since is said in a short form, with what is new:
//
//	612 of 2,011 requests, 310 of 1,000 repositories, 4,100 entities, about 12 minutes left
//	waiting until 18:40:12 UTC for the allowance of 1 credential; then 340 requests
//	still waiting: 41 minutes until 18:40:12 UTC
//	no answer for 2 minutes: 3 requests are under way
func (s Snapshot) Line(before Snapshot) string {
	moved := s.counts() != before.counts()
	same := s.Waits && before.Waits && s.Wait.Why == before.Wait.Why && s.Wait.Until.Sub(before.Wait.Until).Abs() < time.Minute
	switch {
	case !moved && same:
		return fmt.Sprintf("still waiting: %s until %s", Span(s.Wait.Until.Sub(s.At)), clock(s.Wait.Until))
	case !moved && s.Waits:
		return s.Waiting()
	case same:
		return s.counts() + "; waiting until " + clock(s.Wait.Until) + s.left(0)
	case s.Waits:
		return s.counts() + "; " + s.Waiting()
	case !moved && s.Written != before.Written:
		return "writing to Port: " + Count(s.Written, "request", "requests")
	case !moved && s.UnderWay > 0:
		return fmt.Sprintf("no answer for %s: %s", Span(s.Idle), underWay(s.UnderWay))
	case !moved:
		return "nothing new for " + Span(s.Idle)
	}
	return s.counts() + s.left(0)
}

// Status says all of it, for a line that is written again and again.
func (s Snapshot) Status() string {
	text := s.counts()
	if s.Phase == Reading {
		text = "reading: " + text
	}
	if s.Waits {
		return text + "; " + s.Waiting()
	}
	return text + s.left(0)
}

// Waiting says what requests wait for, when some do. What is left is said when it is more than
// the wait.
func (s Snapshot) Waiting() string {
	text := "waiting until " + clock(s.Wait.Until) + " for " + s.Wait.Why
	if s.Then > 0 {
		text += "; then " + Count(s.Then, "request", "requests")
	}
	return text + s.left(s.Wait.Until.Sub(s.At)+time.Minute)
}

// left says how long it takes, when that is known and more than so much.
func (s Snapshot) left(more time.Duration) string {
	switch {
	case s.Left == 0 || s.Left <= more:
		return ""
	case s.Left < time.Minute:
		return ", less than a minute left"
	}
	return ", about " + Span(s.Left) + " left"
}

// counts says how far the run is: in other phases than that of reading what was asked in them.
func (s Snapshot) counts() string {
	if s.Phase != Reading {
		return s.Phase + ": " + Count(s.Written, "request", "requests")
	}
	requests := Count(s.Requests, "request", "requests")
	if s.Expected > s.Requests {
		requests = Number(s.Requests) + " of " + Count(s.Expected, "request", "requests")
	}
	parts := []string{requests}
	if s.OfRepositories > 0 {
		text := Number(s.Repositories) + " of " + Count(s.OfRepositories, "repository", "repositories")
		if s.Resources > 1 {
			text += fmt.Sprintf(" in %d resources", s.Resources)
		}
		parts = append(parts, text)
	}
	if s.Entities > 0 {
		parts = append(parts, Count(s.Entities, "entity", "entities"))
	}
	return strings.Join(parts, ", ")
}

func underWay(n int) string {
	if n == 1 {
		return "1 request is under way"
	}
	return Count(n, "request", "requests") + " are under way"
}

func clock(at time.Time) string { return at.UTC().Format(time.TimeOnly) + " UTC" }

// Number is a number with a comma before each three digits.
func Number(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// Count is a number and what it counts.
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Number(n) + " " + many
}

// Span is a duration as people say it, rounded to seconds below two minutes, and to minutes,
// and from two hours on to ten of them.
func Span(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return Count(max(1, int(d.Round(time.Second)/time.Second)), "second", "seconds")
	case d < 2*time.Hour:
		return Count(int(d.Round(time.Minute)/time.Minute), "minute", "minutes")
	}
	minutes := int(d.Round(10*time.Minute) / time.Minute)
	text := Count(minutes/60, "hour", "hours")
	if minutes %= 60; minutes > 0 {
		text += " and " + Count(minutes, "minute", "minutes")
	}
	return text
}
