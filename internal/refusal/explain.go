package refusal

import (
	"errors"
	"fmt"
	"strings"

	"port-bitbucket-exporter/internal/clip"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/port"
)

// Explain returns the cause of a refusal, its place in the mapping, and what to do about it.
func Explain(r Refusal) diag.Problem {
	var e *port.Error
	if !r.Outcome.RequestFailed && errors.As(r.Outcome.Err, &e) {
		return newCause(r, e).explain()
	}
	return r.explainRequest()
}

// explainRequest is for an entity that Port did not take since its request failed.
func (r Refusal) explainRequest() diag.Problem {
	err, blueprint := r.Outcome.Err, r.Entity.Ref.Blueprint
	at := r.Mapping.Place()
	if errors.Is(err, port.ErrNotFound) {
		at = r.Mapping.Blueprint.Pos
	}
	what, fix := fmt.Sprintf("Port did not take a request of blueprint %q", blueprint), requestFix(err, blueprint)
	if r.Outcome.Alone {
		what = fmt.Sprintf("Port fails at an entity of blueprint %q, and took the others of its request", blueprint)
		fix = "look for what is special about the entity; if Port fails at it again, give the x-trace-id to Port's support"
	}
	general := func(err error) string { return Generalize(err, []string{r.Entity.Ref.Identifier}, blueprint) }
	answer := ""
	if e := (*port.Error)(nil); errors.As(err, &e) && !r.Outcome.Alone {
		answer = "Port: " + general(e.Answer())
	}
	return diag.Problem{
		At:      at,
		Message: what + ": " + general(err),
		Cause:   answer,
		Fix:     fix,
		Example: Example(r.Entity.Ref, r.Source, err),
	}
}

// explain words the cause, at the expression that gave the field.
func (c *cause) explain() diag.Problem {
	at, where := c.Mapping.Place(), ""
	if c.mapped {
		at = c.expr.Pos
		where = c.field.String() + ": "
	}
	err := c.Outcome.Err
	names := append(fieldNames(c.Mapping), c.blueprint)
	text := Generalize(err, leaves(c.value, []string{c.Entity.Ref.Identifier}), names...)
	refused := "Port refused"
	if c.Planned {
		refused = "Port would refuse"
	}
	message := fmt.Sprintf("%s the entity of blueprint %q: %s", refused, c.blueprint, text)
	example := Example(c.Entity.Ref, c.Source, err)
	switch {
	case c.cycle != nil:
		message = fmt.Sprintf("%s the entity of blueprint %q, since none of a cycle of relations can be created before the others: %s", refused, c.blueprint, Cycle(c.cycle))
	case c.absent.Ref.Identifier != "":
		example += ": it relates to " + c.absent.String()
	}
	if !strings.Contains(text, c.err.Message) {
		example += ": " + clip.Bytes(c.err.Message, maxWords, "…")
	}
	return diag.Problem{At: at, Message: where + message, Fix: c.fix(), Example: example}
}
