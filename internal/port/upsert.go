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
		answered
		Created bool `json:"created"`
	} `json:"entities"`
	Errors []struct {
		answered
		StatusCode anyNumber `json:"statusCode"`
		Error      anyText   `json:"error"`
		Message    anyText   `json:"message"`
	} `json:"errors"`
}

// answered says of which entity an answer speaks.
type answered struct {
	Identifier anyText   `json:"identifier"`
	Index      anyNumber `json:"index"`
}

// in is the entity's place in a batch: its index, or without one its identifier. ok is false when
// it is not in the batch.
func (a answered) in(batch []catalog.Entity) (i int, ok bool) {
	if !a.Index.ok {
		i = slices.IndexFunc(batch, func(e catalog.Entity) bool { return e.Ref.Identifier == string(a.Identifier) })
		return i, i >= 0 && a.Identifier != ""
	}
	i = int(a.Index.value)
	return i, 0 <= i && i < len(batch) && float64(i) == a.Index.value
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
		if i, ok := a.in(batch); ok {
			outcomes[i] = Outcome{Identifier: string(a.Identifier), Created: a.Created}
		}
	}
	for _, a := range answer.Errors {
		if i, ok := a.in(batch); ok {
			status := int(a.StatusCode.value)
			outcomes[i] = Outcome{
				Err: &Error{Status: status, Code: string(a.Error), Message: string(a.Message), Trace: trace},
				// A fault of the server says nothing of the entity.
				RequestFailed: status >= http.StatusInternalServerError || status == http.StatusTooManyRequests,
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
