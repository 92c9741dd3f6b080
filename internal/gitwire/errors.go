package gitwire

import (
	"errors"
	"fmt"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrNoV2 says that the server does not speak version 2 of the protocol.
	ErrNoV2 = errors.New("the server does not speak version 2 of git's protocol")
	// ErrNotUnderstood says that the answer is no answer of git's: it is empty, which is how
	// git answers what it does not know, or a web page.
	ErrNotUnderstood = errors.New("the server did not understand the request")
	// ErrObjectFormat says that the repository names its objects by SHA-256.
	ErrObjectFormat = errors.New("the repository names its objects by SHA-256, not by SHA-1")
	// ErrNoObject says that the repository has none of the wanted objects, or does not give
	// one of them.
	ErrNoObject = errors.New("the server does not give the wanted object")
	// ErrBroken says that the answer breaks the rules of git's formats, or does not hold what
	// its hashes promise.
	ErrBroken = errors.New("git's answer is broken")
	// ErrCut says that the answer ended before its end.
	ErrCut = errors.New("git's answer was cut off")
)

// StatusError is an answer without a status of success.
type StatusError struct {
	Status int
	Body   string // its beginning; foreign text
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("git host: status %d", e.Status)
}

// ServerError is what the server's git said instead of an answer, or in the middle of one.
type ServerError struct {
	Text string // foreign text
}

func (e *ServerError) Error() string { return fmt.Sprintf("the server's git: %q", e.Text) }

// Received is the What of Limits.MaxBytes.
const Received = "bytes received"

// LimitError is an answer beyond a limit.
type LimitError struct {
	What  string // Received, or another number that is bounded
	Limit int64
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("more than %d %s", e.Limit, e.What)
}
