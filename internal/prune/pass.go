package prune

import (
	"context"
	"time"

	"port-bitbucket-exporter/internal/catalog"
	"port-bitbucket-exporter/internal/check"
	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/port"
	"port-bitbucket-exporter/internal/reconcile"
	"port-bitbucket-exporter/internal/report"
)

// TimeLimit is why nothing is deleted when time_limit was reached.
const TimeLimit = "the time limit was reached"

// Config is what one pruning needs.
type Config struct {
	Bound     *check.Bound
	Inventory *inventory.Inventory
	Port      *port.Client
	Store     Store
	Schemas   *port.Schemas
	// Report has its resources in the order of the inventory's.
	Report *report.Report
	// Began is when the run began, by Port's clock.
	Began time.Time
	// Failure returns why the run as a whole failed so far.
	Failure func() error
	// Again reads a second time the lists that can have held the sources of doomed
	// entities, and adds to the inventory what they show to be missing in it.
	Again func(doomed []catalog.Ref)
	// Reconciling is called before stale entities are looked for; it may be nil.
	Reconciling func()

	Deletion reconcile.Policy
	// MaxDeletions is how many stale entities may be deleted at most; nil when their
	// number is not bounded. When there are more, none is.
	MaxDeletions *int
	// StandIn is true when the mapping stands in for one that is not known: then nothing
	// is deleted.
	StandIn bool
	// Displaced names the credential that decides what there is, when others, which may see
	// less, have read in its place: then nothing is deleted. It is empty else.
	Displaced func() string
	// Selector returns, for the index of a resource, whether earlier runs had its selector.
	Selector func(index int) SelectorHistory
	// Former are the kinds that gave entities of a blueprint by the mapping that Port shows, by
	// blueprint; nil where that mapping is not known, or is the one that runs.
	Former map[string][]string
	// ConfirmRenames lets entities go that seem to be renamed.
	ConfirmRenames bool
}

// Store deletes: a port.Client, or a dry run that answers as Port would.
type Store interface {
	// Delete is that of port.Client.
	Delete(ctx context.Context, blueprint string, identifiers []string, dependants bool) (result []port.DeleteResult, refused bool)
}

// SelectorHistory is whether earlier runs had the selector of a resource.
type SelectorHistory int

const (
	SelectorUnknown SelectorHistory = iota
	SelectorSame                    // an earlier run had it
	SelectorChanged                 // it is new
)

// pass is one pruning under way.
type pass struct {
	Config
	resources []*resource
	searched  bool                                     // Port has no list of a data source; its searches may not say how old an entity is
	frames    map[*check.Entry]map[string]*check.Frame // by key of the source; nil for one that is not known
	// astray are the entries that produced in this run what does not lie in the frame of its
	// source: the list may have named a source otherwise than its objects do. It is nil until
	// somebody asks.
	astray map[*check.Entry]bool
	// lostSource is why the JSON of a source could not be read again; nil while all could be.
	lostSource error
}

// resource is a resource of the mapping, and what the run read of it.
type resource struct {
	*check.Resource
	seen   *inventory.Resource
	report *report.Resource
}

func newPass(c Config) *pass {
	p := &pass{Config: c, frames: map[*check.Entry]map[string]*check.Frame{}}
	for i, r := range c.Bound.Resources {
		p.resources = append(p.resources, &resource{Resource: r, seen: c.Inventory.Resources[i], report: c.Report.Resources[i]})
	}
	return p
}

// note reports a problem of this phase.
func (c Config) note(problem diag.Problem) {
	problem.About.Phase = diag.Reconciliation
	c.Report.Note(problem)
}

// entryOf names an entry as the inventory does.
func entryOf(e *check.Entry) inventory.Entry {
	return inventory.Entry{Resource: e.Resource, Number: e.Number}
}

// entry returns the entry that the inventory names, and its resource.
func (p *pass) entry(id inventory.Entry) (*resource, *check.Entry) {
	for _, of := range p.resources {
		if of.Index == id.Resource {
			return of, of.Entries[id.Number]
		}
	}
	return nil, nil
}

// stays counts a stale entity that stays, and names it with the reason.
func stays(r *report.Report, ref catalog.Ref, why string) {
	r.Blueprint(ref.Blueprint).StaleKept++
	r.NoteKept(ref, why)
}
