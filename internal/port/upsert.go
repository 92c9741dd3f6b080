package port

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/transport"
)

// Limits of one bulk upsert. Port takes a body of 1 MiB; the rest is left for
// what stands around the entities.
//
// Source: https://docs.port.io/api-reference/create-multiple-entities, read 2026-11.
const (
	MaxBatch      = 20
	MaxBatchBytes = 900 << 10
)

// Flags of an upsert, as the mapping says.
type Flags struct {
	Merge                        bool
	CreateMissingRelatedEntities bool
}

// Outcome is what became of one entity of a batch.
type Outcome struct {
	Identifier string // Port's answer: for a search query, that of the entity it found
	Created    bool
	// Err is nil when the entity was stored, and an *Error when Port refused it.
	Err error
	// RequestFailed is true when Err is that of the request as a whole, or its answer
	// does not mention the entity: whether it was stored is not known.
	RequestFailed bool
	// Alone is true when Port failed at this entity in a request of its own, and took others
	// that were first in one request with it.
	Alone bool
}

func failed(batch []catalog.Entity, o Outcome) []Outcome {
	return slices.Repeat([]Outcome{o}, len(batch))
}

// statusOf is that of Port's answer; 0 when there was none.
func statusOf(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// upsertAnswer is that of 200 and of 207.
type upsertAnswer struct {
	Entities []struct {
		Identifier string `json:"identifier"`
		Index      int    `json:"index"`
		Created    bool   `json:"created"`
	} `json:"entities"`
	Errors []struct {
		Index      int    `json:"index"`
		StatusCode int    `json:"statusCode"`
		Error      string `json:"error"`
		Message    string `json:"message"`
	} `json:"errors"`
}

func (a upsertAnswer) Check() error {
	if a.Entities == nil && a.Errors == nil {
		return errors.New(`no "entities"`)
	}
	return nil
}

var errUnanswered = errors.New("not mentioned in Port's answer")

func (e *Entities) upsert(ctx context.Context, blueprint string, batch []catalog.Entity, f Flags, attempts int) ([]Outcome, error) {
	var answer upsertAnswer
	var trace string
	err := e.write(ctx, call{
		method: http.MethodPost,
		path:   transport.Path("blueprints", blueprint, "entities", "bulk"),
		query: url.Values{
			"upsert":                          {"true"},
			"merge":                           {strconv.FormatBool(f.Merge)},
			"create_missing_related_entities": {strconv.FormatBool(f.CreateMissingRelatedEntities)},
		},
		body:     upsertBody(batch),
		attempts: attempts,
		answered: func(h http.Header) { trace = h.Get(traceHeader) },
	}, &answer)
	if err != nil {
		return nil, err
	}
	e.failing.Delete(blueprint)
	outcomes := make([]Outcome, len(batch))
	for i := range outcomes {
		outcomes[i] = Outcome{Err: traced(errUnanswered, trace), RequestFailed: true}
	}
	for _, a := range answer.Entities {
		if 0 <= a.Index && a.Index < len(outcomes) {
			outcomes[a.Index] = Outcome{Identifier: a.Identifier, Created: a.Created}
		}
	}
	for _, a := range answer.Errors {
		if 0 <= a.Index && a.Index < len(outcomes) {
			outcomes[a.Index] = Outcome{
				Err: &Error{Status: a.StatusCode, Code: a.Error, Message: a.Message, Trace: trace},
				// A fault of the server says nothing of the entity.
				RequestFailed: a.StatusCode >= http.StatusInternalServerError || a.StatusCode == http.StatusTooManyRequests,
			}
		}
	}
	return outcomes, nil
}

// upsertBody joins what is JSON already: its bytes are those that were counted.
func upsertBody(batch []catalog.Entity) []byte {
	var b bytes.Buffer
	b.WriteString(`{"entities":[`)
	for i, e := range batch {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(e.Body)
	}
	b.WriteString("]}")
	return b.Bytes()
}
