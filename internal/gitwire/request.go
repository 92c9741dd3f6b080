package gitwire

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
)

const (
	maxErrorBody = 4 << 10  // bytes of the body of an error that are kept
	maxDrain     = 16 << 10 // bytes after the last object that are read
)

// ask sends a request and hands the packets of its answer to read. What read leaves unread
// is not waited for.
func (r *Remote) ask(ctx context.Context, method, path, kind string, body []byte, read func(packets) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends an answer that is left early
	req, err := http.NewRequestWithContext(ctx, method, r.URL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Git-Protocol", "version=2")
	req.Header.Set("Accept", "application/x-git-upload-pack-"+kind)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-git-upload-pack-request")
	}
	r.requests.Add(1)
	resp, err := r.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)) // what there is of it
		return &StatusError{Status: resp.StatusCode, Body: string(text)}
	}
	want := "application/x-git-upload-pack-" + kind
	if got, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";"); !strings.EqualFold(strings.TrimSpace(got), want) {
		return fmt.Errorf("%w: the type of the answer is %q, not %q", ErrNotUnderstood, got, want)
	}
	counted := &counter{ctx: ctx, in: resp.Body, total: &r.received, limit: r.Limits.withDefaults().MaxBytes}
	in := packets{bufio.NewReaderSize(counted, packetBuf)}
	if _, err := in.in.Peek(1); errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: the answer is empty", ErrNotUnderstood)
	}
	return read(in)
}

// counter counts what comes, and refuses more than the limit.
type counter struct {
	ctx   context.Context
	in    io.Reader
	total *atomic.Int64 // of the Remote
	limit int64
}

func (c *counter) Read(p []byte) (int, error) {
	left := c.limit - c.total.Load()
	if left <= 0 {
		return 0, &LimitError{Received, c.limit}
	}
	n, err := c.in.Read(p[:min(int64(len(p)), left)])
	c.total.Add(int64(n))
	switch {
	case err == nil || err == io.EOF:
		return n, err
	case c.ctx.Err() != nil:
		return n, context.Cause(c.ctx)
	default:
		return n, fmt.Errorf("%w: %w", ErrCut, err)
	}
}
