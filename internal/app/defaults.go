package app

import (
	"cmp"
	"context"
	_ "embed" // the default blueprints
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"port-bitbucket-exporter/internal/concurrent"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/input"
	"port-bitbucket-exporter/internal/port"
)

// defaultBlueprintsJSON are the blueprints that the default mapping needs. Its source
// is theirs.
//
//go:embed defaults/blueprints.json
var defaultBlueprintsJSON []byte

// undoTimeout bounds how long a run takes back what it made after a failure or a signal:
// less than the seconds that CI systems leave a step before they kill it.
const undoTimeout = 4 * time.Second

// beingMade ends the title of the last of the default blueprints until all of them are
// whole: a run that finds it goes on where another was killed.
const beingMade = " (being made)"

// defaultBlueprints makes the default blueprints, or in a plan foresees them.
type defaultBlueprints struct {
	session  *session
	port     *port.Client
	given    []string                  // that the inputs give: where one is a default one, none is made
	made     []string                  // by this run
	foreseen map[string]port.Blueprint // that a sync would make, in a plan
}

// names returns the blueprints that this run has made, or in a plan would make.
func (d *defaultBlueprints) names() []string {
	return slices.AppendSeq(slices.Clone(d.made), maps.Keys(d.foreseen))
}

// create creates the default blueprints when none of them is there: bare, then their
// relations, then what is calculated. After an error it deletes them again.
func (d *defaultBlueprints) create(ctx context.Context, listing *blueprintListing) error {
	var blueprints []map[string]any
	if err := json.Unmarshal(defaultBlueprintsJSON, &blueprints); err != nil {
		return fmt.Errorf("default blueprints: %w", err)
	}
	for _, b := range blueprints {
		if slices.Contains(d.given, identifier(b)) {
			d.session.log.Info("default blueprints are not created: one is in blueprints_file", "blueprint", identifier(b))
			return nil
		}
	}
	there, err := d.find(ctx, blueprints, listing)
	switch {
	case err != nil:
		return err
	case there == nil:
		return nil
	case d.session.config.Mode == input.Plan:
		return d.foresee(blueprints, there)
	}
	if err := d.build(ctx, blueprints, there); err != nil {
		d.remove(ctx)
		return fmt.Errorf("create the default blueprints: %w", err)
	}
	d.session.log.Info("default blueprints created", "blueprints", strings.Join(d.made, ", "))
	return nil
}

// find returns which of the blueprints are there: none, or those that a run has made which was
// killed before it had made all. It is nil when they are not to be created.
func (d *defaultBlueprints) find(ctx context.Context, blueprints []map[string]any, listing *blueprintListing) (there map[string]bool, err error) {
	var names []string
	for _, b := range slices.Backward(blueprints) { // the last one is made first
		names = append(names, identifier(b))
	}
	listed, _ := listing.blueprints() // maybe not all, or nothing
	found := map[string]foundBlueprint{}
	for _, name := range names {
		if b, ok := listed[name]; ok {
			found[name] = foundBlueprint{b, nil}
		}
	}
	if last, ok := found[names[0]]; !ok || strings.HasSuffix(last.Title, beingMade) {
		unlisted := slices.DeleteFunc(slices.Clone(names), func(name string) bool { _, ok := found[name]; return ok })
		maps.Insert(found, readBlueprints(ctx, d.port, unlisted))
	}
	there = map[string]bool{}
	for _, name := range names {
		switch b := found[name]; {
		case errors.Is(b.err, port.ErrNotFound):
			continue
		case b.err != nil:
			return nil, b.err
		case len(there) == 0 && !strings.HasSuffix(b.Title, beingMade):
			d.session.log.Info("default blueprints are not created: one is there already", "blueprint", name)
			return nil, nil
		}
		there[name] = true
	}
	return there, nil
}

// remove takes back what create made, also after a signal.
func (d *defaultBlueprints) remove(ctx context.Context) {
	undo, stop := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer stop()
	for _, name := range d.made { // what relates to others comes before them
		if err := d.port.Blueprints.Delete(undo, name); err != nil && !errors.Is(err, port.ErrNotFound) {
			d.session.warn(diag.Problem{Message: "not rolled back: " + err.Error(), Fix: "delete the blueprint in Port's builder before the next run"})
		}
	}
}

// foresee counts the default blueprints that are not there as made.
func (d *defaultBlueprints) foresee(blueprints []map[string]any, there map[string]bool) error {
	d.foreseen = map[string]port.Blueprint{}
	var names []string
	for _, raw := range blueprints {
		if there[identifier(raw)] {
			continue
		}
		text, err := json.Marshal(raw)
		if err != nil {
			return fmt.Errorf("default blueprints: %w", err)
		}
		b, err := port.DecodeBlueprint(text)
		if err != nil {
			return fmt.Errorf("default blueprints: %w", err)
		}
		d.foreseen[identifier(raw)] = b
		names = append(names, identifier(raw))
	}
	foresee(d.session.report, "create the blueprints %s", strings.Join(names, ", "))
	return nil
}

// Keys of a blueprint that name other blueprints, or properties of others: they
// are set when all blueprints are there.
var (
	relationKeys   = []string{"relations"}
	calculatedKeys = []string{"mirrorProperties", "calculationProperties", "aggregationProperties"}
)

// build makes those that are not there, the last one first, and completes all. What does not
// need another is made side by side.
func (d *defaultBlueprints) build(ctx context.Context, blueprints []map[string]any, there map[string]bool) error {
	last := blueprints[len(blueprints)-1]
	var others []map[string]any
	for _, b := range slices.Backward(blueprints[:len(blueprints)-1]) {
		others = append(others, b)
	}
	for _, step := range [][]map[string]any{{last}, others} {
		step = slices.DeleteFunc(step, func(b map[string]any) bool { return there[identifier(b)] })
		if err := d.make(ctx, step, last); err != nil {
			return err
		}
	}
	for _, step := range completions(blueprints, last) {
		if err := d.complete(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

// make makes bare blueprints side by side.
func (d *defaultBlueprints) make(ctx context.Context, blueprints []map[string]any, last map[string]any) (first error) {
	bare := func(ctx context.Context, b map[string]any) error {
		b = maps.Clone(b)
		for _, k := range slices.Concat(relationKeys, calculatedKeys) {
			delete(b, k)
		}
		if identifier(b) == identifier(last) {
			b["title"] = fmt.Sprint(b["title"], beingMade)
		}
		return d.port.Blueprints.Create(ctx, b)
	}
	for b, err := range concurrent.Ahead(ctx, concurrent.NewSlots(blueprintsAtOnce), blueprints, bare) {
		if err == nil || !refused(err) {
			d.made = append(d.made, identifier(b))
		}
		first = cmp.Or(first, err)
	}
	return first
}

// complete completes bare blueprints side by side.
func (d *defaultBlueprints) complete(ctx context.Context, step []completion) (first error) {
	update := func(ctx context.Context, c completion) error {
		return d.port.Blueprints.Update(ctx, c.identifier, c.keys)
	}
	for _, err := range concurrent.Ahead(ctx, concurrent.NewSlots(blueprintsAtOnce), step, update) {
		first = cmp.Or(first, err)
	}
	return first
}

// completion is what a bare blueprint lacks.
type completion struct {
	identifier string
	keys       map[string]any
}

// completions returns those of all blueprints, in steps. The last of them ends the making.
func completions(blueprints []map[string]any, last map[string]any) (steps [][]completion) {
	for _, keys := range [][]string{relationKeys, calculatedKeys} {
		var step []completion
		for _, b := range blueprints {
			change := map[string]any{}
			for _, k := range keys {
				if v, _ := b[k].(map[string]any); len(v) > 0 {
					change[k] = v
				}
			}
			if len(change) > 0 {
				step = append(step, completion{identifier(b), change})
			}
		}
		steps = append(steps, step)
	}
	end := completion{identifier(last), map[string]any{}}
	if calculated := steps[1]; len(calculated) > 0 && calculated[len(calculated)-1].identifier == end.identifier {
		steps[1], end = calculated[:len(calculated)-1], calculated[len(calculated)-1]
	}
	end.keys["title"] = last["title"]
	return append(steps, []completion{end})
}

// refused reports whether Port answered and did nothing. After a lost answer, one that a
// proxy on the way gave up on, or one of 500 and above, Port may have done it.
func refused(err error) bool {
	var e *port.Error
	return errors.As(err, &e) && e.Status < http.StatusInternalServerError && !e.Passing()
}

func identifier(blueprint map[string]any) string {
	id, _ := blueprint["identifier"].(string)
	return id
}

// defaultNames returns the identifiers of the default blueprints.
func defaultNames() (names []string) {
	var blueprints []map[string]any
	if json.Unmarshal(defaultBlueprintsJSON, &blueprints) != nil {
		return nil // create reports it
	}
	for _, b := range blueprints {
		names = append(names, identifier(b))
	}
	return names
}
