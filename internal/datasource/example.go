package datasource

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"

	"port-bitbucket-exporter/internal/clip"
	"port-bitbucket-exporter/internal/port"
)

// Bounds of one example: of a text, of a list, of the depth, and of all of it.
const (
	maxText         = 1000
	maxScanned      = 16 << 10 // of a text, before it is cut
	maxList         = 20
	maxDepth        = 12
	maxExampleBytes = 64 << 10
)

const hidden = "***"

// samples keeps raw objects that are to be sent. It is safe for concurrent use.
type samples struct {
	calls  *calls
	redact func(string) string
	full   func() // is called when one of a kind is complete
	post   func(ctx context.Context, kind string, objects []map[string]any) error

	mu  sync.Mutex // guards what follows
	all []sample
}

// sample is the raw objects of one kind.
type sample struct {
	kind    string
	objects []map[string]any
	sent    bool
}

// copy returns a copy of a raw object without secrets and with long texts cut, or nil
// when even that is too large.
func (s *samples) copy(object map[string]any) map[string]any {
	copied, _ := s.copied("", object, 0).(map[string]any)
	if text, err := json.Marshal(copied); err != nil || len(text) > maxExampleBytes {
		return nil
	}
	return copied
}

// add takes one copy of a raw object of a kind, as long as Port takes more of it.
func (s *samples) add(kind string, copied map[string]any) {
	if copied == nil || s.calls.off(rawExamples) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.all, func(one sample) bool { return one.kind == kind })
	if i < 0 {
		i = len(s.all)
		s.all = append(s.all, sample{kind: kind})
	}
	one := &s.all[i]
	if len(one.objects) == port.MaxExamples || one.sent {
		return
	}
	if one.objects = append(one.objects, copied); len(one.objects) == port.MaxExamples {
		s.full()
	}
}

// send sends what there is of each kind, once. Before the end of the run it waits for
// as many as Port takes.
func (s *samples) send(ctx context.Context, ending bool) {
	for i := 0; ; i++ {
		s.mu.Lock()
		if i == len(s.all) {
			s.mu.Unlock()
			return
		}
		one := s.all[i]
		s.mu.Unlock()
		due := !one.sent && (len(one.objects) == port.MaxExamples || ending && len(one.objects) > 0)
		if due && s.calls.do(ctx, rawExamples, totalTime-reserveTime, func(ctx context.Context) error {
			return s.post(ctx, one.kind, one.objects)
		}) {
			s.mu.Lock()
			s.all[i] = sample{kind: one.kind, sent: true}
			s.mu.Unlock()
		}
	}
}

// copied returns what may be shown to whoever edits the mapping.
func (s *samples) copied(key string, v any, depth int) any {
	if v != nil && v != "" && secretKey.MatchString(key) {
		return hidden
	}
	switch v := v.(type) {
	case string:
		// What is left of a secret at the first cut is beyond the second.
		return clip.BytesWithin(mask(s.redact(clip.BytesWithin(v, maxScanned, cutMark))), maxText, cutMark)
	case map[string]any:
		if depth == maxDepth {
			return cutMark
		}
		out := make(map[string]any, len(v))
		for k, member := range v {
			out[mask(s.redact(k))] = s.copied(k, member, depth+1)
		}
		return out
	case []any:
		if depth == maxDepth {
			return cutMark
		}
		out := make([]any, 0, min(len(v), maxList))
		for _, item := range v[:min(len(v), maxList)] {
			out = append(out, s.copied(key, item, depth+1))
		}
		return out
	}
	return v
}

// secretKey matches the names of values that are likely secret.
var secretKey = regexp.MustCompile(`(?i)(passw(or)?d|passphrase|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credential)`)

// secrets are the forms of well-known credentials.
var secrets = regexp.MustCompile(strings.Join([]string{
	// Source: RFC 7468, sections 10 and 11, and OpenSSL's older labels, such as RSA.
	`-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|$)`,
	// AWS. Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes, read 2026-11.
	`\b(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{16}\b`,
	// Google: an API key, and an access token of OAuth. The forms are as seen.
	`\bAIza[0-9A-Za-z_\-]{35}\b`,
	`\bya29\.[0-9A-Za-z_\-]+`,
	// GitHub. Source: https://github.blog/changelog/2021-03-31-authentication-token-format-updates-are-generally-available, read 2026-11.
	// The form of a fine-grained token is as seen.
	`\bgh[pousr]_[0-9A-Za-z]{36,}\b`,
	`\bgithub_pat_[0-9A-Za-z_]{22,}\b`,
	// GitLab. Source: https://gitlab.com/gitlab-org/gitlab/-/issues/342327, read 2026-11.
	`\bglpat-[0-9A-Za-z_\-]{20,}`,
	// Atlassian: API token, access token and app password. Source: an answer of its staff in
	// https://community.atlassian.com/forums/Bitbucket-questions/Can-we-confirm-BitBucket-s-token-prefixes/qaq-p/3093481, read 2026-11.
	`\bAT(?:ATT|CTT|BB)[0-9A-Za-z_\-=]{20,}`,
	// Slack, Stripe and npm. The forms are as seen.
	`\bxox[abeoprs]-[0-9A-Za-z\-]{10,}`,
	`\bsk_live_[0-9A-Za-z]{20,}\b`,
	`\bnpm_[0-9A-Za-z]{36}\b`,
	// JSON web tokens: {" is eyJ in base64url. Source: RFC 7519, section 3.
	`\beyJ[0-9A-Za-z_\-]{10,}\.[0-9A-Za-z_\-.]{10,}`,
	// A value behind a name that is likely that of a secret.
	`\b[0-9A-Za-z_\-.]{0,40}(?i:secret|token|passw(?:or)?d|api[-_]?key)["']?\s*[:=]\s*["']?[^\s"',;]{6,}`,
}, "|"))

// inURL matches a password in an address.
var inURL = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.\-]*://[^\s/:@]*:)[^\s/@]+@`)

// mask hides what looks like a secret in a text.
func mask(text string) string {
	return secrets.ReplaceAllString(inURL.ReplaceAllString(text, "${1}"+hidden+"@"), hidden)
}
