// Package refusal explains why Port did not take an entity: it reads Port's words and finds
// the field of the mapping that they are about, its place, and what to do. It sends nothing
// and counts nothing.
package refusal

import (
	"errors"
	"net/http"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/clip"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/port"
)

// Refusal is an entity that Port did not take, and what a run knows about it.
type Refusal struct {
	Mapping mapping.Entity // the entry of the mapping that gave the entity
	Entity  catalog.Entity // as it was sent
	Source  string         // names the object that gave the entity
	Outcome port.Outcome   // Port's answer; its Err is not nil
	// Planned is true when a plan gave the answer, as Port would.
	Planned bool
	// Schema returns the blueprint of the entity, and false when it could not be read.
	// Explain calls it only when the blueprint helps, since it may cost a request.
	Schema func() (port.Blueprint, bool)
	// Absent are the entities that this one relates to and Port does not hold, in the order
	// of its targets. They matter only when Port's answer is NotFound. Without
	// createMissingRelatedEntities they are the cause.
	Absent []Absent
	// Cycle is the cycle of relations that the entity is part of; nil when there is none.
	Cycle []catalog.Ref
}

// Absent is an entity that a relation names and Port does not hold.
type Absent struct {
	Relation string
	Ref      catalog.Ref
	Produced bool // by this run, and Port did not take it either
}

func (a Absent) String() string {
	name := clip.Bytes(a.Ref.String(), maxExample/2, "…")
	if a.Produced {
		return name + ", which was not stored either"
	}
	return name + ", which is not there"
}

// NotFound reports whether Port did not find what an entity relates to, or what the search
// query of its identifier names.
func NotFound(err error) bool {
	var e *port.Error
	return errors.As(err, &e) && (e.Status == http.StatusNotFound || e.Code == "not_found")
}
