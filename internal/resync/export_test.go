package resync

import (
	"cmp"
	"context"

	"port-bitbucket-exporter/internal/inventory"
	"port-bitbucket-exporter/internal/report"
)

// PruneTwice reads and loads as Run does, and prunes twice: by what the run knows, and by
// what a function makes of it. The stores take the deletions.
func PruneTwice(ctx context.Context, job Job, through func(*inventory.Inventory) *inventory.Inventory, stores [2]Store) (reports [2]*report.Report) {
	rep := &report.Report{}
	r := newRun(job, rep)
	defer r.close()
	r.load(ctx, ctx)
	r.loader.Close()
	whole := r.inventory
	defer whole.Close()
	for i, store := range stores {
		copied := report.Report{}
		for c := report.RejectedEntity; c <= report.Fatal; c <<= 1 {
			if rep.Has(c) {
				copied.Mark(c)
			}
		}
		for _, res := range rep.Resources {
			c := *res
			copied.Resources = append(copied.Resources, &c)
		}
		for _, b := range rep.Blueprints {
			c := *b
			copied.Blueprints = append(copied.Blueprints, &c)
		}
		reports[i] = &copied
		r.report, r.job.Store = &copied, store
		if i == 0 {
			var err error
			if r.inventory, err = inventory.Merge(whole); err != nil { // a copy: pruning may add gaps
				panic(err)
			}
		} else {
			r.inventory = through(whole)
		}
		for n, of := range r.readings {
			of.to.Seen, of.to.Report = r.inventory.Resources[n], copied.Resources[n]
		}
		r.prune(ctx, ctx, cmp.Or(r.imbalance(), r.failure(ctx)))
	}
	return reports
}
