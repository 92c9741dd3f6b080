package datasource

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

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

const (
	hidden  = "***"
	cutMark = "… (cut)"
)

// sample is raw objects of one kind that are to be sent.
type sample struct {
	kind    string
	objects []map[string]any
	sent    bool
}

// Copy is a copy of a raw object without secrets and with long texts cut, or nil
// when even that is too large.
func (p *Page) Copy(object map[string]any) map[string]any {
	copied, _ := p.copied("", object, 0).(map[string]any)
	if text, err := json.Marshal(copied); err != nil || len(text) > maxExampleBytes {
		return nil
	}
	return copied
}

// Example takes one copy of a raw object of a kind; of each kind the first five.
func (p *Page) Example(kind string, copied map[string]any) {
	if copied == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.parts[rawExamples].off {
		return
	}
	i := slices.IndexFunc(p.samples, func(s sample) bool { return s.kind == kind })
	if i < 0 {
		i = len(p.samples)
		p.samples = append(p.samples, sample{kind: kind})
	}
	s := &p.samples[i]
	if len(s.objects) == port.MaxExamples || s.sent {
		return
	}
	if s.objects = append(s.objects, copied); len(s.objects) == port.MaxExamples {
		p.wakeUp()
	}
}

// sendSamples sends what there is of each kind, once. Before the end of the run it
// waits for as many as Port takes.
func (p *Page) sendSamples(ctx context.Context) {
	closing := false
	select {
	case <-p.closing:
		closing = true
	default:
	}
	for i := 0; ; i++ {
		p.mu.Lock()
		if i == len(p.samples) {
			p.mu.Unlock()
			return
		}
		s := p.samples[i]
		due := !s.sent && (len(s.objects) == port.MaxExamples || closing && len(s.objects) > 0)
		p.mu.Unlock()
		if due && p.call(ctx, rawExamples, totalTime-reserveTime, func(ctx context.Context) error {
			return p.config.Port.SendExamples(ctx, s.kind, s.objects)
		}) {
			p.mu.Lock()
			p.samples[i] = sample{kind: s.kind, sent: true}
			p.mu.Unlock()
		}
	}
}

// copied is a value that may be shown to whoever edits the mapping.
func (p *Page) copied(key string, v any, depth int) any {
	if v != nil && v != "" && secretKey.MatchString(key) {
		return hidden
	}
	switch v := v.(type) {
	case string:
		// What is left of a secret at the first cut is beyond the second.
		return clip.BytesWithin(mask(p.redact(clip.BytesWithin(v, maxScanned, cutMark))), maxText, cutMark)
	case map[string]any:
		if depth == maxDepth {
			return cutMark
		}
		out := make(map[string]any, len(v))
		for k, member := range v {
			out[mask(p.redact(k))] = p.copied(k, member, depth+1)
		}
		return out
	case []any:
		if depth == maxDepth {
			return cutMark
		}
		out := make([]any, 0, min(len(v), maxList))
		for _, item := range v[:min(len(v), maxList)] {
			out = append(out, p.copied(key, item, depth+1))
		}
		return out
	}
	return v
}

// secretKey matches the names of values that are likely secret.
var secretKey = regexp.MustCompile(`(?i)(passw(or)?d|passphrase|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credential)`)

// secrets are the forms of well-known credentials.
var secrets = regexp.MustCompile(strings.Join([]string{
	`-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|$)`,
	`\b(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{16}\b`,   // AWS
	`\bAIza[0-9A-Za-z_\-]{35}\b`,                     // Google
	`\bya29\.[0-9A-Za-z_\-]+`,                        // Google, OAuth
	`\bgh[pousr]_[0-9A-Za-z]{36,}\b`,                 // GitHub
	`\bgithub_pat_[0-9A-Za-z_]{22,}\b`,               // GitHub
	`\bglpat-[0-9A-Za-z_\-]{20,}`,                    // GitLab
	`\bAT(?:ATT|CTT|BB)[0-9A-Za-z_\-=]{20,}`,         // Atlassian
	`\bxox[abeoprs]-[0-9A-Za-z\-]{10,}`,              // Slack
	`\bsk_live_[0-9A-Za-z]{20,}\b`,                   // Stripe
	`\bnpm_[0-9A-Za-z]{36}\b`,                        // npm
	`\beyJ[0-9A-Za-z_\-]{10,}\.[0-9A-Za-z_\-.]{10,}`, // JSON web tokens
	`\b[0-9A-Za-z_\-.]{0,40}(?i:secret|token|passw(?:or)?d|api[-_]?key)["']?\s*[:=]\s*["']?[^\s"',;]{6,}`,
}, "|"))

// inURL matches a password in an address.
var inURL = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.\-]*://[^\s/:@]*:)[^\s/@]+@`)

// mask hides what looks like a secret in a text.
func mask(text string) string {
	return secrets.ReplaceAllString(inURL.ReplaceAllString(text, "${1}"+hidden+"@"), hidden)
}
