package app

import (
	"cmp"
	"context"
	_ "embed" // the default mapping and blueprints
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/mapping"
	"port-bitbucket-exporter/internal/port"
)

// The documented default mapping, and the blueprints that it needs.
//
// Source: https://docs.port.io/build-your-software-catalog/sync-data-to-catalog/git/bitbucket/, read 2026-11.
var (
	//go:embed defaults/mapping.yml
	defaultMapping []byte
	//go:embed defaults/blueprints.json
	defaultBlueprints []byte
)

// Names that positions give to mappings that are no file.
const (
	inlineMapping  = "mapping (input)"
	storedMapping  = "mapping (integration in Port)"
	builtInMapping = "mapping (built-in default)"
)

// givenMapping binds the mapping of the inputs; nil when they hold none.
func (a *app) givenMapping() (*check.Bound, error) {
	switch {
	case a.config.Mapping != "":
		return a.bind(inlineMapping, []byte(a.config.Mapping))
	case a.config.MappingFile != "":
		text, err := a.readFile(a.config.MappingFile)
		if err != nil {
			const fix = "give a path from the working directory, and in a workflow check the repository out first"
			a.problems = diag.Problems{{Rule: mapping.RuleText, At: diag.Position{File: a.config.MappingFile}, Message: "the mapping cannot be read: " + err.Error(), Fix: fix}}
			return nil, &usageError{err: fmt.Errorf("input mapping_file: %w; %s", err, fix)}
		}
		return a.bind(a.config.MappingFile, text)
	}
	return nil, nil
}

// prepare logs in, reads the integration, and binds the mapping that runs: the
// given one, else the integration's, else the default. Only then it writes: the
// default blueprints, and, when all that the mapping names are there, the
// integration when there is none.
func (a *app) prepare(ctx context.Context, given *check.Bound) (*check.Bound, error) {
	var err error
	if a.start, err = a.port.Login(ctx); err != nil {
		return nil, loginError(err)
	}
	integration, err := a.port.Integration(ctx)
	r := record{Integration: integration, absent: errors.Is(err, port.ErrNotFound)}
	if r.unreadable = err != nil && !r.absent; r.unreadable {
		if err := a.unreadable(err, given != nil); err != nil {
			return nil, &unprepared{err, port.Fix(err)}
		}
	}
	if strings.HasPrefix(strings.ToLower(integration.InstallationType), "saas") {
		return nil, &usageError{err: fmt.Errorf("integration %q is hosted by Port (%s): a run of this program would fight with it; "+
			"use another integration_identifier, or delete the hosted integration in Port", a.port.Identifier(), integration.InstallationType)}
	}
	plan, standard := given, false
	if plan == nil {
		if plan, standard, err = a.bindStored(integration); err != nil {
			return nil, err
		}
	}
	if standard {
		a.standIn = a.ownsSomething(ctx, plan)
	}
	a.record = r
	var made []string
	if standard && a.config.InitializePortResources && !integration.ResourcesMade {
		if made, err = a.createBlueprints(ctx); err != nil {
			return nil, &unprepared{err, cmp.Or(port.Fix(err), "give Port's credential the role admin, or make the blueprints yourself and set initialize_port_resources to false")}
		}
	}
	if err := a.checkBlueprints(ctx, plan, made); err != nil {
		return nil, err
	}
	if a.planning() {
		a.foreseePage(r, plan, given == nil && !standard || a.standIn)
		return plan, ctx.Err()
	}
	r.made = len(made) > 0
	if err := a.openPage(ctx, r, plan, given == nil && !standard, standard); err != nil {
		a.removeBlueprints(ctx, made)
		return nil, err
	}
	return plan, ctx.Err()
}

// unprepared is a failure before the run, and what to do about it.
type unprepared struct {
	err error
	fix string
}

func (u *unprepared) Error() string { return u.err.Error() }

func (u *unprepared) Unwrap() error { return u.err }

func loginError(err error) error {
	var e *port.Error
	if errors.As(err, &e) && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden || e.Status == http.StatusNotFound || e.Status == http.StatusUnprocessableEntity) {
		return fmt.Errorf("%w; check port_client_id and port_client_secret (in Port: … > Credentials), and that port_base_url is your region's: https://api.port.io or https://api.us.port.io", err)
	}
	return &unprepared{err, port.Fix(err)}
}

// unreadable is for an integration that could not be read. Without it a given mapping
// can still run, when it is only the role that is too small.
func (a *app) unreadable(err error, given bool) error {
	var e *port.Error
	role := errors.As(err, &e) && e.Status == http.StatusForbidden
	if role && given {
		a.warn(diag.Problem{Message: err.Error(), Fix: "give Port's credential the role admin or moderator, which reading the integration needs"})
		return nil
	}
	if role {
		return fmt.Errorf("%w; the mapping stored in Port cannot be read: give the credential the role admin or moderator, or give a mapping as input", err)
	}
	return err
}

// bindStored binds the mapping of the integration in Port, or the default where
// there never was one. It is an object there; a text is taken for YAML.
func (a *app) bindStored(integration port.Integration) (plan *check.Bound, standard bool, err error) {
	var text []byte
	switch config := integration.Config.(type) {
	case nil:
	case string:
		text = []byte(strings.TrimSpace(config))
	case map[string]any:
		if len(config) > 0 {
			text, err = json.MarshalIndent(config, "", "  ")
		}
	case []any:
		if len(config) > 0 {
			text, err = json.Marshal(config)
		}
	default:
		text, err = json.Marshal(config)
	}
	if err != nil {
		return nil, false, err
	}
	if len(text) == 0 {
		a.log.Info("mapping: the built-in default, since none is given and Port stores none")
		plan, err = a.bind(builtInMapping, defaultMapping)
		return plan, true, err
	}
	a.log.Info("mapping: that of the integration in Port")
	plan, err = a.bind(storedMapping, text)
	return plan, false, err
}

// beingMade ends the title of the last of the default blueprints until all of them are
// whole: a run that finds it goes on where another was killed.
const beingMade = " (being made)"

// createBlueprints creates the default blueprints when none of them is there:
// bare, then their relations, then what is calculated, and names those that it
// created. On an error they are deleted again.
func (a *app) createBlueprints(ctx context.Context) (made []string, err error) {
	var blueprints []map[string]any
	if err := json.Unmarshal(defaultBlueprints, &blueprints); err != nil {
		return nil, fmt.Errorf("default blueprints: %w", err)
	}
	there := map[string]bool{}
	for _, b := range slices.Backward(blueprints) { // the last one is made first
		found, err := a.port.Blueprint(ctx, identifier(b))
		switch {
		case errors.Is(err, port.ErrNotFound):
			continue
		case err != nil:
			return nil, err
		case len(there) == 0 && !strings.HasSuffix(found.Title, beingMade):
			a.log.Info("default blueprints are not created: one is there already", "blueprint", identifier(b))
			return nil, nil
		}
		there[identifier(b)] = true
	}
	if a.planning() {
		return nil, a.foreseeBlueprints(blueprints, there)
	}
	if err = a.buildBlueprints(ctx, blueprints, there, &made); err == nil {
		a.log.Info("default blueprints created", "blueprints", strings.Join(made, ", "))
		return made, nil
	}
	a.removeBlueprints(ctx, made)
	return nil, fmt.Errorf("create the default blueprints: %w", err)
}

// removeBlueprints takes back what createBlueprints made, also after a signal.
func (a *app) removeBlueprints(ctx context.Context, names []string) {
	undo, stop := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer stop()
	for _, name := range names { // what relates to others comes before them
		if undoErr := a.port.DeleteBlueprint(undo, name); undoErr != nil && !errors.Is(undoErr, port.ErrNotFound) {
			a.warn(diag.Problem{Message: "not rolled back: " + undoErr.Error(), Fix: "delete the blueprint in Port's builder before the next run"})
		}
	}
}

// Keys of a blueprint that name other blueprints, or properties of others: they
// are set when all blueprints are there.
var (
	relationKeys   = []string{"relations"}
	calculatedKeys = []string{"mirrorProperties", "calculationProperties", "aggregationProperties"}
)

// buildBlueprints makes those that are not there, the last one first, and completes all.
func (a *app) buildBlueprints(ctx context.Context, blueprints []map[string]any, there map[string]bool, made *[]string) error {
	last := blueprints[len(blueprints)-1]
	for _, b := range slices.Backward(blueprints) {
		id := identifier(b)
		if there[id] {
			continue
		}
		bare := maps.Clone(b)
		for _, k := range slices.Concat(relationKeys, calculatedKeys) {
			delete(bare, k)
		}
		if id == identifier(last) {
			bare["title"] = fmt.Sprint(b["title"], beingMade)
		}
		err := a.port.CreateBlueprint(ctx, bare)
		if err == nil || !refused(err) {
			*made = append(*made, id)
		}
		if err != nil {
			return err
		}
	}
	for _, c := range completions(blueprints, last) {
		if err := a.port.UpdateBlueprint(ctx, c.identifier, c.keys); err != nil {
			return err
		}
	}
	return nil
}

// completion is what a bare blueprint lacks.
type completion struct {
	identifier string
	keys       map[string]any
}

// completions are those of all blueprints, in order. The last of them ends the making.
func completions(blueprints []map[string]any, last map[string]any) (all []completion) {
	for _, keys := range [][]string{relationKeys, calculatedKeys} {
		for _, b := range blueprints {
			change := map[string]any{}
			for _, k := range keys {
				if v, _ := b[k].(map[string]any); len(v) > 0 {
					change[k] = v
				}
			}
			if len(change) > 0 {
				all = append(all, completion{identifier(b), change})
			}
		}
	}
	if n := len(all); n == 0 || all[n-1].identifier != identifier(last) {
		all = append(all, completion{identifier(last), map[string]any{}})
	}
	all[len(all)-1].keys["title"] = last["title"]
	return all
}

// refused says that Port answered and did nothing. Of a lost answer, of one that came
// too late for somebody on the way, or one of 500 and above, it is not known.
func refused(err error) bool {
	var e *port.Error
	return errors.As(err, &e) && e.Status < http.StatusInternalServerError && !e.Passing()
}

func identifier(blueprint map[string]any) string {
	id, _ := blueprint["identifier"].(string)
	return id
}
