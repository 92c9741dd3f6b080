package app

import (
	"encoding/json"
	"fmt"
	"time"

	"port-bitbucket-exporter/internal/diag"
	"port-bitbucket-exporter/internal/input"
	"port-bitbucket-exporter/internal/resync"
	"port-bitbucket-exporter/internal/state"
)

// past is what earlier runs have left in the folder of the input state_dir, and what this
// run leaves there. The zero value knows nothing and leaves nothing.
type past struct {
	store *state.Store
	runs  runs
}

// runs is what a run knows of those before it.
type runs struct {
	// Start is when the last one began, as Port knows it; zero when it is not known.
	Start time.Time `json:"start,omitzero"`
	// Finished is when the last one ended that was not cut off; zero for never.
	Finished time.Time `json:"finished,omitzero"`
	// Lost is when the last one began that found lists lost; zero for never. What was read
	// before it stays older than it seems.
	Lost time.Time `json:"lost,omitzero"`
}

// runsKey is where runs are kept, as JSON, in the class state.Run.
const runsKey = "runs"

// anchorTolerance is by how much the start that Port shows may differ from the one that is
// remembered: Port keeps milliseconds.
const anchorTolerance = time.Second

// openPast opens the memory of the inputs, when they name one. What keeps it from being used
// is logged: the run is a full run then. A plan only reads.
func openPast(s *session) {
	c := s.config
	if c.StateDir == "" {
		return
	}
	var why string
	s.past.store, why = state.Open(state.Config{
		Folder: s.path(c.StateDir), Limit: c.StateLimit, ReadOnly: c.Mode == input.Plan,
		Secret: c.PortClientSecret.Reveal(), Workspace: c.Workspace, Identifier: c.IntegrationIdentifier,
	})
	s.report.Memory.Reported, s.report.Memory.Why = true, why
	if why != "" {
		s.log.Info(fmt.Sprintf("state_dir %q: nothing is known from earlier runs, so all is read: %s; unless this run is the first with it, "+
			"see that the folder is kept from run to run, and that no other run uses it or has another workspace, integration_identifier or port_client_secret", c.StateDir, why))
	}
	if text, ok := s.past.store.Get(state.Run, runsKey); ok && json.Unmarshal(text, &s.past.runs) != nil {
		s.past.runs = runs{}
	}
}

// begin keeps when this run began. It comes before Port hears of the run, so that no run that Port
// knows of is missing from a memory that holds something of it.
// Shown is as lost has it.
func (p *past) begin(start, shown time.Time) {
	if p.lost(shown) != "" {
		p.runs.Lost = start
	}
	p.keep(runs{start, p.runs.Finished, p.runs.Lost})
	p.store.Flush()
}

// finish keeps that this run, which began then, was not cut off.
func (p *past) finish(start time.Time) { p.keep(runs{start, time.Now(), p.runs.Lost}) }

func (p *past) keep(r runs) {
	if text, err := json.Marshal(r); err == nil { // two times: it always is
		p.store.Put(text, state.Run, runsKey)
	}
}

// lost returns why lists may not be taken from memory, given when Port says that the last
// resync began: a run that began later than the last one that is remembered has left
// something that is not there any more, as when an old copy of the folder has come back.
func (p *past) lost(shown time.Time) string {
	if p.store == nil || p.runs.Start.IsZero() || !shown.After(p.runs.Start.Add(anchorTolerance)) {
		return ""
	}
	return fmt.Sprintf("Port shows a run that began at %s, and the last one that state_dir holds began at %s: what a later run left there is lost",
		shown.UTC().Format(time.RFC3339), p.runs.Start.UTC().Format(time.RFC3339))
}

// remember adds to a job what is known from earlier runs.
func (p *past) remember(job *resync.Job, s *session, shown time.Time) {
	job.State, job.LastFinished = p.store, p.runs.Finished
	job.ResumeAge, job.MaxAge = s.config.ResumeAge, s.config.MaxAge
	job.ListsSince = p.runs.Lost
	if job.ListsLost = p.lost(shown); job.ListsLost != "" {
		s.log.Info("lists are not taken from memory: " + job.ListsLost + "; see that the newest folder comes back, and that all runs of this integration share it")
	}
}

// close keeps what is not kept yet. A failure is a warning: the run is what it is.
func (p *past) close(s *session) {
	p.spend(s)
	if err := p.store.Close(); err != nil {
		s.warn(diag.Problem{
			Message: "state_dir: " + err.Error(),
			Fix:     "give state_dir a folder that can be written to, with room for twice state_limit",
		})
	}
}
