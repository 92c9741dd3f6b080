package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"port-bitbucket-exporter/internal/blueprint"
	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/input"
	"port-bitbucket-exporter/internal/port"
)

// making makes the blueprints of a file that Port does not have, or in a plan foresees them.
// Those that take more than one request have a title that ends in beingMade until they are
// whole: a run that finds one goes on where another was killed.
type making struct {
	session  *session
	port     *port.Client
	file     *blueprint.File
	lacks    map[string]blueprint.Unmade // what Port lacks, by identifier; others it has
	made     []string                    // by this run, in order
	related  []string                    // those that got relations or the like after their creation
	foreseen map[string]port.Blueprint   // that a sync would make, in a plan
}

// newMaking returns what makes the blueprints of the inputs, which are none where the inputs do
// not let any be made.
func newMaking(s *session) *making {
	m := &making{session: s, port: s.clients.port, lacks: map[string]blueprint.Unmade{}, foreseen: map[string]port.Blueprint{}}
	if s.config.InitializePortResources {
		m.file = s.offered.file
	}
	return m
}

// names returns the blueprints that Port has or gets of the file.
func (m *making) names() []string { return m.file.Identifiers() }

// start finds out what Port lacks, checks that the mapping can run with it, and makes it. The
// blueprints that are made already count as there.
func (m *making) start(ctx context.Context, mapping *boundMapping, listing *blueprintListing, made []string) error {
	if err := m.find(ctx, listing); err != nil {
		return &setupError{err, port.Fix(err)}
	}
	if err := checkBlueprints(ctx, m.session, mapping.Bound, listing, slices.Concat(made, m.names())); err != nil {
		return err
	}
	if err := m.check(ctx, mapping, listing, made); err != nil {
		return err
	}
	return m.create(ctx)
}

// find finds out which of the blueprints Port lacks.
func (m *making) find(ctx context.Context, listing *blueprintListing) error {
	if m.file == nil {
		return nil
	}
	listed, _ := listing.blueprints() // maybe not all, or nothing
	var unlisted []string
	found := func(name, title string) {
		if strings.HasSuffix(title, beingMade) {
			m.lacks[name] = blueprint.Begun
		}
	}
	for _, name := range m.file.Identifiers() {
		if b, ok := listed[name]; ok {
			found(name, b.Title)
		} else if !strings.HasPrefix(name, "_") {
			unlisted = append(unlisted, name)
		}
	}
	for name, b := range readBlueprints(ctx, m.port, unlisted) {
		switch {
		case errors.Is(b.err, port.ErrNotFound):
			m.lacks[name] = blueprint.Missing
		case b.err != nil:
			return b.err
		default:
			found(name, b.Title)
		}
	}
	return nil
}

// wanted reports whether a blueprint is to be made or completed.
func (m *making) wanted(identifier string) bool { return m.lacks[identifier] != blueprint.Made }

// check finds what keeps the blueprints from being made and used: those that they name and
// that do not exist, and what the mapping sets and they do not have. The error is a *usageError.
func (m *making) check(ctx context.Context, mapping *boundMapping, listing *blueprintListing, made []string) error {
	if len(m.lacks) == 0 {
		return nil
	}
	listed, _ := listing.blueprints()
	there := slices.AppendSeq(slices.Clone(made), maps.Keys(listed))
	outside := slices.DeleteFunc(m.file.Outside(m.wanted), func(name string) bool { return slices.Contains(there, name) })
	missing := map[string]bool{}
	for name, b := range readBlueprints(ctx, m.port, outside) {
		if missing[name] = errors.Is(b.err, port.ErrNotFound); b.err != nil && !missing[name] {
			return b.err
		}
	}
	slices.Sort(there)
	problems := m.file.Unmet(m.wanted, missing, there)
	addProblems(m.session, problems)
	if err := wrongBlueprintsFile(problems); err != nil {
		return err
	}
	return m.session.offered.against(m.session, mapping, m.wanted)
}

// create makes what Port lacks. After an error it takes back what it made.
func (m *making) create(ctx context.Context) error {
	switch {
	case len(m.lacks) == 0:
		return nil
	case m.session.config.Mode == input.Plan:
		return m.foresee()
	}
	if err := m.do(ctx, m.file.Steps(func(id string) blueprint.Unmade { return m.lacks[id] })); err != nil {
		m.remove(ctx)
		return err
	}
	m.session.log.Info("blueprints created", "blueprints", strings.Join(m.made, ", "))
	return nil
}

// do does the steps. One whose blueprint somebody else makes at the same time is left to them.
func (m *making) do(ctx context.Context, steps []blueprint.Step) error {
	theirs := map[string]bool{}
	for _, step := range steps {
		id := step.Blueprint.Identifier
		if theirs[id] {
			continue
		}
		keys := maps.Clone(step.Keys)
		if title, _ := step.Blueprint.Doc["title"].(string); step.Last {
			keys["title"] = title
		} else if step.Partial {
			keys["title"] = unfinished(title)
		}
		err := m.send(ctx, step, keys)
		if step.Create && isConflict(err) {
			theirs[id] = true
			m.session.log.Info("a blueprint is not created: it is there by now", "blueprint", id)
			continue
		}
		if err != nil {
			return &setupError{fmt.Errorf("create the blueprints of %s: %w", m.file.Name, err), m.fix(err, step.Blueprint)}
		}
	}
	return nil
}

func (m *making) send(ctx context.Context, step blueprint.Step, keys map[string]any) error {
	if !step.Create {
		m.related = append(m.related, step.Blueprint.Identifier)
		return m.port.Blueprints.Update(ctx, step.Blueprint.Identifier, keys)
	}
	err := m.port.Blueprints.Create(ctx, keys)
	if err == nil || !refused(err) {
		m.made = append(m.made, step.Blueprint.Identifier)
	}
	return err
}

func isConflict(err error) bool {
	var e *port.Error
	return errors.As(err, &e) && e.Status == http.StatusConflict
}

// fix says what to do about a step that failed.
func (m *making) fix(err error, b blueprint.Blueprint) string {
	var e *port.Error
	if errors.As(err, &e) && e.Status == http.StatusUnprocessableEntity {
		return fmt.Sprintf("correct the blueprint in %s, by what Port says of it", b.Place())
	}
	return cmp.Or(port.Fix(err), "give Port's credential the role admin, or make the blueprints yourself and set initialize_port_resources to false")
}

// maxTitle is how long the title of a blueprint may be, in characters.
const maxTitle = 100

// unfinished is the title of a blueprint until it is whole.
func unfinished(title string) string {
	for utf8.RuneCountInString(title)+len(beingMade) > maxTitle {
		_, size := utf8.DecodeLastRuneInString(title)
		title = title[:len(title)-size]
	}
	return title + beingMade
}

// bare are the keys that tie a blueprint to others, without a value.
func bare() map[string]any {
	keys := map[string]any{"ownership": map[string]any{"type": "Direct"}}
	for _, k := range slices.Concat(relationKeys, calculatedKeys) {
		keys[k] = map[string]any{}
	}
	return keys
}

// remove takes back what create made, also after a signal.
func (m *making) remove(ctx context.Context) {
	undo, stop := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer stop()
	for _, name := range m.related {
		if slices.Contains(m.made, name) { // a cycle keeps what is in it
			_ = m.port.Blueprints.Update(undo, name, bare()) // the deletion reports what it leaves
		}
	}
	for _, name := range slices.Backward(m.made) { // what relates to others comes after them
		if err := m.port.Blueprints.Delete(undo, name); err != nil && !errors.Is(err, port.ErrNotFound) {
			m.session.warn(diag.Problem{Message: "not rolled back: " + err.Error(), Fix: "delete the blueprint in Port's builder before the next run"})
		}
	}
}

// foresee counts what Port lacks as made.
func (m *making) foresee() error {
	var names []string
	for _, b := range m.file.Blueprints {
		if !m.wanted(b.Identifier) {
			continue
		}
		text, err := catalog.JSON(b.Doc)
		if err != nil {
			return fmt.Errorf("%s: %w", b.Place(), err)
		}
		read, err := port.DecodeBlueprint(text)
		if err != nil {
			return fmt.Errorf("%s: %w", b.Place(), err)
		}
		m.foreseen[b.Identifier] = read
		names = append(names, b.Identifier)
	}
	what := "blueprints"
	if len(names) == 1 {
		what = "blueprint"
	}
	foresee(m.session.report, "create %d %s of %s: %s", len(names), what, m.file.Name, strings.Join(names, ", "))
	return nil
}
