package face

import (
	"testing"

	"port-bitbucket-exporter/internal/report"
)

func TestGitText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		sources report.Sources
		want    string
	}{
		{report.Sources{}, "0 repositories, 0 requests, 0 bytes"},
		{report.Sources{Repositories: 1, Requests: 1, Bytes: 1}, "1 repository, 1 request, 1 byte"},
		{report.Sources{Repositories: 812, Requests: 1377, Bytes: 2_100_000_000, Fallbacks: []report.Fallback{
			{Repository: "a", Reason: "cut off"}, {Repository: "b", Reason: "over git_max_bytes"}, {Repository: "c", Reason: "over git_max_bytes"}, {Repository: "d", Reason: "cut off"}, {Repository: "e", Reason: "over git_max_bytes"},
		}}, "812 repositories, 1,377 requests, 2.1 GB; REST instead for 5: 3 over git_max_bytes, 2 cut off"},
		{report.Sources{Fallbacks: []report.Fallback{{Repository: "a", Reason: "e"}, {Repository: "b", Reason: "d"}, {Repository: "c", Reason: "c"}, {Repository: "d", Reason: "b"}, {Repository: "e", Reason: "a"}, {Repository: "f", Reason: "f"}}},
			"0 repositories, 0 requests, 0 bytes; REST instead for 6: 1 a, 1 b, 1 c, 1 d, 2 for other reasons"},
	} {
		if got := GitText(tt.sources); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestBytesText(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "0 bytes", 1: "1 byte", 999: "999 bytes", 1000: "1.0 kB", 1_449: "1.4 kB", 999_949: "999.9 kB", 999_960: "1.0 MB",
		2_149_500_000: "2.1 GB", 1_234_000_000_000_000: "1234.0 TB",
	} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 12_345: "12,345", 123_456_789: "123,456,789"} {
		if got := digits(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}
