package transport_test

import (
	"testing"

	"port-bitbucket-exporter/internal/transport"
)

func TestPassing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		want     bool
		statuses []int
	}{
		{true, []int{408, 425, 460, 499, 500, 501, 502, 503, 504, 507, 508, 509, 520, 521, 522, 523, 524, 525, 526, 527, 530, 555, 598, 599}},
		{false, []int{0, 200, 204, 301, 400, 401, 403, 404, 407, 409, 410, 413, 418, 422, 429, 451, 505, 511}},
	} {
		for _, status := range tt.statuses {
			if got := transport.Passing(status); got != tt.want {
				t.Errorf("%d: got %v, want %v", status, got, tt.want)
			}
		}
	}
}
