package kind

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"time"

	"port-bitbucket-exporter/internal/spool"
)

// Where a deployment has the oldest commit that it deployed for the first time, and their number.
const (
	firstCommitKey = "__firstCommit"
	commitCountKey = "__commitCount"
)

// enriches reports whether the commits of deployments are asked for: no request is sent for what the
// mapping does not read.
func (s deploymentSelector) enriches() bool {
	return s.EnrichWithFirstCommit && (s.reads.any(firstCommitKey) || s.reads.any(commitCountKey))
}

// heldDeployment is a deployment that waits for the end of its list, since any may be the one before it.
type heldDeployment struct {
	text              spool.Blob
	wanted            bool
	at                time.Time
	environment, hash string
	ended, successful bool
	before            string // the commit of the last successful one to the environment; empty for none
}

func hold(o Object, to *spool.Spool, wanted bool) (h heldDeployment, err error) {
	text, err := json.Marshal(o)
	if err != nil {
		return h, err
	}
	h = heldDeployment{text: to.Put(text), wanted: wanted, environment: textAt(o, "environment", "uuid"), hash: textAt(o, "release", "commit", "hash")}
	if h.hash == "" {
		h.hash = textAt(o, "deployable", "commit", "hash")
	}
	h.ended = textAt(o, "state", "name") == "COMPLETED"
	h.successful = h.ended && textAt(o, "state", "status", "name") == "SUCCESSFUL"
	h.at, _ = deployedAt(o)
	return h, nil
}

// textAt returns the text at a path of an object; empty where there is none.
func textAt(o Object, path ...string) string {
	for _, key := range path[:len(path)-1] {
		o, _ = o[key].(Object)
	}
	text, _ := o[path[len(path)-1]].(string)
	return text
}

// precede finds the one before each deployment that has ended: of others it is not known yet.
func precede(all []heldDeployment) {
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return all[a].at.Compare(all[b].at) })
	last := map[string]string{}
	for _, i := range order {
		h := &all[i]
		if !h.ended || h.environment == "" || h.hash == "" {
			continue
		}
		h.before = last[h.environment]
		if h.successful {
			last[h.environment] = h.hash
		}
	}
}

// withCommits adds to deployments which commits they deployed for the first time: those since the last
// successful deployment to the same environment. All are null where there is none, and of a deployment
// that has not ended.
func withCommits(ctx context.Context, ws *Workspace, a aged, all iter.Seq2[Found, error]) iter.Seq2[Found, error] {
	return func(yield func(Found, error) bool) {
		var held []heldDeployment
		store := ws.memory.Spool()
		for found, err := range all {
			if err == nil {
				var h heldDeployment
				if h, err = hold(found.Object, store, a.only.wants(found.Object)); err == nil {
					held = append(held, h)
					continue
				}
			}
			if !yield(Found{}, err) || !goesOn(err) {
				return
			}
		}
		precede(held)
		spans := &spans{ws: ws, repository: a.repository, known: map[string]span{}}
		for _, h := range held {
			if !h.wanted {
				continue
			}
			o, err := ws.shared.read(h.text)
			if err == nil {
				var commits span
				if h.before != "" {
					commits, err = spans.between(ctx, h.before, h.hash)
				}
				if err == nil {
					err = commits.into(o)
				}
			}
			if !yield(Found{Object: o}, err) || err != nil {
				return
			}
		}
	}
}

// goesOn reports whether objects may follow an error of a list.
func goesOn(err error) bool {
	var remembered *Remembered
	return isOdd(err) || errors.As(err, &remembered)
}
