package port

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"port-bitbucket-exporter/internal/transport"
)

// MaxDelete is the most that one call deletes.
//
// Source: https://docs.port.io/api-reference/delete-multiple-entities, read 2026-11.
const MaxDelete = 100

// DeleteResult is what became of one entity that was to be deleted.
type DeleteResult struct {
	Identifier string
	// Err is nil when the entity is deleted, or was not there any more.
	Err error
	// HasDependants is true when Port refused, as it does when other entities relate
	// to it. Err is the refusal then: an *Error with Port's own words.
	HasDependants bool
}

// Delete deletes at most MaxDelete entities of one blueprint; with dependants, also
// whatever relates to them, whoever wrote it. It returns one DeleteResult for each, in
// order. When Port refuses the call as a whole, for one entity in it, nothing is
// deleted, and refused is true.
//
// API: https://docs.port.io/api-reference/delete-multiple-entities
func (e *Entities) Delete(ctx context.Context, blueprint string, identifiers []string, dependants bool) (result []DeleteResult, refused bool) {
	var answer struct {
		Deleted []string `json:"deletedEntities"`
	}
	err := e.write(ctx, call{
		method:    http.MethodPost,
		path:      transport.Path("blueprints", blueprint, "bulk", "entities", "delete"),
		query:     url.Values{"delete_dependents": {strconv.FormatBool(dependants)}},
		body:      map[string]any{"entities": identifiers},
		noContent: true,
	}, &answer)
	if NoRoute(err) { // or there is no such blueprint: then there are no such entities
		err = nil
	}
	refused = refusal(err)
	deleted := map[string]bool{}
	for _, id := range answer.Deleted {
		deleted[id] = true
	}
	result = make([]DeleteResult, len(identifiers))
	for i, id := range identifiers {
		result[i] = DeleteResult{Identifier: id, Err: err, HasDependants: refused && !dependants}
		if err == nil && !deleted[id] {
			result[i] = e.deleteOne(ctx, blueprint, id, dependants)
		}
	}
	return result, refused
}

// deleteOne is for what a bulk call passed over without a word, or where there is none.
//
// API: https://docs.port.io/api-reference/delete-an-entity
func (e *Entities) deleteOne(ctx context.Context, blueprint, identifier string, dependants bool) DeleteResult {
	err := e.write(ctx, call{
		method: http.MethodDelete,
		path:   transport.Path("blueprints", blueprint, "entities", identifier),
		query:  url.Values{"delete_dependents": {strconv.FormatBool(dependants)}},
	}, nil)
	if errors.Is(err, ErrNotFound) { // gone already, unless it can still be read
		var answer entityAnswer
		var trace string
		err = e.session.do(ctx, call{
			method:   http.MethodGet,
			path:     transport.Path("blueprints", blueprint, "entities", identifier),
			answered: func(h http.Header) { trace = h.Get(traceHeader) },
		}, &answer)
		switch {
		case errors.Is(err, ErrNotFound):
			err = nil
		case err == nil:
			err = traced(errKept, trace)
		}
	}
	return DeleteResult{Identifier: identifier, Err: err, HasDependants: refusal(err) && !dependants}
}

// entityAnswer is as much of an entity's answer as shows that it is there.
type entityAnswer struct {
	Entity map[string]any `json:"entity"`
}

func (a entityAnswer) Check() error {
	if a.Entity == nil {
		return errors.New(`no "entity"`)
	}
	return nil
}

var errKept = errors.New("the entity is not deleted, and Port does not say why")

// refusal is true for an answer that speaks of the entities, and not of the
// caller, the route or the load. For a dependant the delete of one entity answers
// 403 with a code of its own; what the bulk call answers is not documented.
//
// Source: https://docs.port.io/api-reference/delete-an-entity, read 2026-11.
func refusal(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	if e.Code == "has_dependents" {
		return true
	}
	switch e.Status {
	case http.StatusBadRequest, http.StatusConflict, http.StatusFailedDependency, http.StatusUnprocessableEntity:
		return true
	}
	return false
}
