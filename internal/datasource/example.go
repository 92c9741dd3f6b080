package datasource

import (
	"context"
	"encoding/json"
	"slices"
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
