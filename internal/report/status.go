package report

// The values of Status and of the output "status".
const (
	Success = "success"
	Partial = "partial"
	Failed  = "failed"
)

// Status is Failed when Fatal is marked, Partial when any other cause is, and
// Success otherwise. It does not depend on fail_on.
func (r *Report) Status() string {
	switch {
	case r.Has(Fatal):
		return Failed
	case r.causes != 0:
		return Partial
	}
	return Success
}

// FailOn is the input fail_on: which partial runs fail.
type FailOn string

// The values of fail_on. Any other value, the empty one included, is Incomplete.
const (
	Incomplete FailOn = "incomplete" // all but those where the only causes are refusals
	Rejected   FailOn = "rejected"   // all
	Never      FailOn = "never"      // none
)

// ExitStatus is 0 for done, 1 for failed and 3 for a partial run that fail_on lets
// fail. Status 2, for wrong inputs or a wrong mapping, is the caller's to give.
func (r *Report) ExitStatus(f FailOn) int {
	const refusals = RejectedEntity | FailedExpression
	switch r.Status() {
	case Success:
		return 0
	case Failed:
		return 1
	}
	if f == Never || f != Rejected && !r.Has(^refusals) {
		return 0
	}
	return 3
}

// Consequence is the error of a run that failed as a whole for what the errors of its report
// say already.
type Consequence string

func (c Consequence) Error() string { return string(c) }
