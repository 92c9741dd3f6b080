package kind_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"port-bitbucket-exporter/internal/bitbucket/bitbuckettest"
	"port-bitbucket-exporter/internal/gitwire/gitwiretest"
	"port-bitbucket-exporter/internal/kind"
)

// fourServices is four repositories of some folders and files.
func fourServices() *bitbuckettest.Server {
	s := bitbuckettest.New("acme")
	for _, name := range []string{"a", "b", "c", "d"} {
		files := map[string]string{"README.md": "# " + name, "large.txt": strings.Repeat(name+"\n", 30_000)}
		for i := range 20 {
			files[fmt.Sprintf("apps/%02d/port.yml", i)] = fmt.Sprintf("name: %s%d\ntext: %s\n", name, i, strings.Repeat("the same ", 20))
		}
		s.AddRepository(bitbuckettest.Repository{Name: name, Files: files})
	}
	return s
}

// A server of git that is not as it should be costs requests, and no object: REST reads
// what git cannot, unless git alone is to read. Reason is that of all four repositories, or
// of the run; none where git reads all the same.
func TestGitHostThatDiffers(t *testing.T) {
	git := func(o gitwiretest.Options) func(*bitbuckettest.Server) {
		return func(s *bitbuckettest.Server) { s.Configure(bitbuckettest.Options{Git: o}) }
	}
	fault := func(f bitbuckettest.Fault) func(*bitbuckettest.Server) {
		return func(s *bitbuckettest.Server) {
			f.Times = -1
			if f.Path == "" {
				f.Path = "/acme/*.git/**"
			}
			s.Fault(f)
		}
	}
	const noAnswer, noSense, cut, broken, serverError = "the git host gave no answer: ", "the git host did not understand the request", "cut off twice", "broken answers, twice", "the server's git reports an error"
	for i, tt := range []struct {
		name    string
		set     func(*bitbuckettest.Server)
		reason  string
		fallen  int  // how many repositories REST reads for the reason
		stopped bool // then nothing is read over git any more
	}{
		{"no filters", git(gitwiretest.Options{NoFilter: true}), "", 0, false},
		{"no wants of files, and no filters", git(gitwiretest.Options{NoBlobWants: true, NoFilter: true}), "", 0, false},
		{"service line", git(gitwiretest.Options{ServiceLine: true}), "", 0, false},
		{"trees first", git(gitwiretest.Options{NoFilter: true, Order: gitwiretest.TreesFirst}), "", 0, false},
		{"trees last", git(gitwiretest.Options{NoFilter: true, Order: gitwiretest.TreesLast}), "", 0, false},
		{"reversed", git(gitwiretest.Options{NoFilter: true, Order: gitwiretest.Reversed}), "", 0, false},
		{"deltas by place", git(gitwiretest.Options{NoFilter: true, Deltas: gitwiretest.OfsDeltas}), "", 0, false},
		{"deltas by name", git(gitwiretest.Options{Deltas: gitwiretest.RefDeltas}), "", 0, false},
		{"deltas before their bases", git(gitwiretest.Options{Deltas: gitwiretest.RefDeltasFirst}), "", 0, false},
		{"small packets", git(gitwiretest.Options{PacketSize: 50, KeepAlive: true, Progress: true}), "", 0, false},
		{"no flush", git(gitwiretest.Options{NoFlush: true}), "", 0, false},
		{"slow", git(gitwiretest.Options{Pause: gitwiretest.Wait(time.Second)}), "", 0, false},
		{"one failure of the server", func(s *bitbuckettest.Server) {
			s.Fault(bitbuckettest.Fault{Path: "/acme/*.git/git-upload-pack", Status: http.StatusServiceUnavailable})
		}, "", 0, false},
		{"one cut", func(s *bitbuckettest.Server) {
			s.Fault(bitbuckettest.Fault{Path: "/acme/*.git/git-upload-pack", TruncateBody: 100})
		}, "", 0, false},
		{"wait for the allowance", func(s *bitbuckettest.Server) {
			s.Fault(bitbuckettest.Fault{Path: "/acme/*.git/git-upload-pack", Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"30"}}})
		}, "", 0, false},
		{"no version 2", git(gitwiretest.Options{NoV2: true}), "the git host does not speak version 2 of git's protocol", 1, true},
		{"no depth", git(gitwiretest.Options{NoShallow: true}), "the git host gives no single commits", 1, true},
		{"other names of objects", git(gitwiretest.Options{SHA256: true}), "its objects have SHA-256 names", 4, false},
		{"no wants of files", git(gitwiretest.Options{NoBlobWants: true}), "the git host gives no single files", 1, false},
		{"ERR", git(gitwiretest.Options{Err: "not today"}), serverError, 4, false},
		{"band 3", git(gitwiretest.Options{Band3: "out of memory"}), serverError, 4, false},
		{"band 4", git(gitwiretest.Options{Band4: true}), broken, 4, false},
		{"a bit of the pack", git(gitwiretest.Options{Pack: gitwiretest.FlipBit(1000)}), broken, 4, false},
		{"cut pack", git(gitwiretest.Options{Pack: gitwiretest.CutAt(200)}), cut, 4, false},
		{"cut answer", git(gitwiretest.Options{Body: gitwiretest.CutAt(200)}), cut, 4, false},
		{"broken connection", git(gitwiretest.Options{Abort: 200}), cut, 4, false},
		{"empty", git(gitwiretest.Options{Empty: true}), noSense, 3, true},
		{"web page", git(gitwiretest.Options{WebPage: true}), noSense, 3, true},
		{"silent", git(gitwiretest.Options{Pause: gitwiretest.Wait(time.Hour)}), noAnswer + "nothing came for 1m0s", 3, true},
		{"no connection", fault(bitbuckettest.Fault{DropConnection: true}), noAnswer + "the connection broke", 1, true},
		{"401", fault(bitbuckettest.Fault{Status: http.StatusUnauthorized}), "git host: 401 Unauthorized", 3, true},
		{"403", fault(bitbuckettest.Fault{Status: http.StatusForbidden}), "git host: 403 Forbidden", 3, true},
		{"404", fault(bitbuckettest.Fault{Status: http.StatusNotFound}), "git host: 404 Not Found", 4, false},
		{"410", fault(bitbuckettest.Fault{Status: http.StatusGone}), "git host: 410 Gone", 4, false},
		{"500", fault(bitbuckettest.Fault{Status: http.StatusInternalServerError}), "git host: 500 Internal Server Error", 3, true},
		{"503 to commands", fault(bitbuckettest.Fault{Path: "/acme/*.git/git-upload-pack", Status: http.StatusServiceUnavailable}), "git host: 503 Service Unavailable", 3, true},
		{"another host", fault(bitbuckettest.Fault{Redirect: "https://elsewhere.test/login"}), "the git host leads elsewhere", 3, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if i%5 > 0 {
				skipShort(t)
			}
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := fourServices()
				bound, err := kind.Bind(resource(t, "file", "files: [{path: '**/port.yml'}], includedFiles: [README.md]"))
				if err != nil {
					t.Fatal(err)
				}
				want := newWorld(t, s).readings(bound)
				tt.set(s)
				w := overGit(t, s, kind.Options{})
				if d := diff(want, w.readings(bound)); d != "" {
					t.Errorf("auto (-REST +git):\n%s", d)
				}
				w.fellBack(tt.reason, tt.fallen, tt.stopped)
				got := overGit(t, s, kind.Options{OnlyGit: true}).readings(bound)
				if tt.reason == "" {
					if d := diff(want, got); d != "" {
						t.Errorf("git (-REST +git):\n%s", d)
					}
					return
				}
				failed := tt.fallen
				if tt.stopped {
					failed = 4
				}
				w.equal("git: items", len(got.Found), 20*(4-failed))
				w.equal("git: an error of each repository", len(got.Errors), failed)
				for _, text := range got.Errors {
					if !strings.Contains(text, "over git") || !strings.Contains(text, "source_reader") {
						t.Errorf("git: got %q, want an error that tells of git, and of the input", text)
					}
				}
			})
		})
	}
}

// fellBack fails unless so many repositories were read over REST for a reason, and git was
// given up after them, or not.
func (w world) fellBack(reason string, fallen int, stopped bool) {
	w.Helper()
	got := w.ws.Readings()
	w.equal("REST instead", len(got.Fallbacks), fallen)
	for _, f := range got.Fallbacks {
		w.equal("reason", f.Reason, reason)
	}
	stop := ""
	if stopped {
		stop = reason
	}
	w.equal("stopped", got.Stopped, stop)
}

// What happens to a repository once the run has its list is told alike, whatever reads it.
func TestRepositoryThatChangesOverGit(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*bitbuckettest.Server)
		git    gitwiretest.Options
		gone   bool
		reason string
	}{
		{"removed", func(s *bitbuckettest.Server) { s.RemoveRepository("b") }, gitwiretest.Options{}, true, "git host: 404 Not Found"},
		{"hidden", func(s *bitbuckettest.Server) { s.SetVisibility("b", bitbuckettest.NoPermission) }, gitwiretest.Options{}, true, "git host: 404 Not Found"},
		{"barred", func(s *bitbuckettest.Server) { s.SetVisibility("b", bitbuckettest.ListedForbidden) }, gitwiretest.Options{}, false, "git host: 403 Forbidden"},
		{"renamed", func(s *bitbuckettest.Server) { s.RenameRepository("b", "other") }, gitwiretest.Options{}, false, "the git host leads elsewhere"},
		{"pushed to", func(s *bitbuckettest.Server) { s.SetFile("b", "apps/new/port.yml", []byte("n: 1")) }, gitwiretest.Options{}, false, ""},
		{"pushed to, of which only the tip is given", func(s *bitbuckettest.Server) { s.SetFile("b", "apps/new/port.yml", []byte("n: 1")) },
			gitwiretest.Options{TipsOnly: true}, false, "the git host does not give a wanted object"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				bound, err := kind.Bind(resource(t, "folder", "folders: [{path: 'apps/*'}]"))
				if err != nil {
					t.Fatal(err)
				}
				in := func(world func(*bitbuckettest.Server) world) (readings, world) {
					s := fourServices()
					s.Configure(bitbuckettest.Options{Git: tt.git})
					s.OnRequest(func(n int, _ *http.Request) {
						if n == 2 {
							tt.change(s)
						}
					})
					w := world(s)
					return w.readings(bound), w
				}
				want, _ := in(func(s *bitbuckettest.Server) world { return newWorld(t, s) })
				got, w := in(func(s *bitbuckettest.Server) world { return overGit(t, s, kind.Options{}) })
				if d := diff(want, got); d != "" {
					t.Errorf("auto (-REST +git):\n%s", d)
				}
				fallen := 1
				if tt.reason == "" {
					fallen = 0
				}
				w.fellBack(tt.reason, fallen, false)
				w.equal("over git", w.ws.Readings().Git, 4-fallen)
				got, w = in(func(s *bitbuckettest.Server) world { return overGit(t, s, kind.Options{OnlyGit: true}) })
				w.equal("git: errors", len(got.Errors), fallen)
				w.equal("git: gone", strings.HasPrefix(strings.Join(got.Errors, ""), "*source.Gone:"), tt.gone)
			})
		})
	}
}

// Names that git's reader leaves out make it an error, where git alone is to read, that
// something may be missing; what is there is read.
func TestOddNamesOverGit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := oneRepository(map[string]string{"two\nlines/port.yml": "l: 1", "port.yml": "l: 2", "README.md": "# R"})
		w := overGit(t, s, kind.Options{OnlyGit: true})
		got := w.extract("file", "files: [{path: '**/port.yml'}]")
		w.oneOdd(got, true, "names are not read over git")
		w.equal("items", len(got.objects), 1)
		got = w.extract("repository", "includedFiles: [README.md]")
		w.equal("a file that is there", fmt.Sprint(got.objects[0]["__includedFiles"], got.failed), "map[README.md:# R] []")
		got = w.extract("repository", "includedFiles: [none]")
		w.equal("a file that may be there: no object", fmt.Sprint(len(got.objects), len(got.failed)), "0 1")
	})
}

// A repository that is larger than what is received of one over git is read over REST from
// then on.
func TestGitMaxBytes(t *testing.T) {
	skipShort(t)
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := bitbuckettest.New("acme")
		random := rand.NewChaCha8([32]byte{})
		large := make([]byte, 1<<20)
		if _, err := random.Read(large); err != nil {
			t.Fatal(err)
		}
		s.AddRepository(bitbuckettest.Repository{Name: "small", Files: map[string]string{"a/port.yml": "a: 1"}})
		s.AddRepository(bitbuckettest.Repository{Name: "large", Files: map[string]string{"a/port.yml": "a: 1", "x": string(large)}})
		s.Configure(bitbuckettest.Options{Git: gitwiretest.Options{NoFilter: true, Order: gitwiretest.TreesLast}})
		bound, err := kind.Bind(resource(t, "folder", "folders: [{path: '**'}]"))
		if err != nil {
			t.Fatal(err)
		}
		want := newWorld(t, s).readings(bound)
		w := overGit(t, s, kind.Options{GitMaxBytes: 100_000})
		w.requests()
		for range 2 {
			if d := diff(want, w.readings(bound)); d != "" {
				t.Errorf("auto (-REST +git):\n%s", d)
			}
		}
		w.fellBack("over git_max_bytes", 1, false)
		git, rest := w.requests()
		w.equal("requests: capabilities and a try of each; the list and one listing", fmt.Sprint(git, len(strings.Fields(rest))), "3 2")
		got := overGit(t, s, kind.Options{GitMaxBytes: 100_000, OnlyGit: true}).readings(bound)
		if len(got.Errors) != 1 || !strings.Contains(got.Errors[0], "raise the input git_max_bytes; or set the input source_reader") {
			t.Errorf("git: got %q, want one error that tells of the input", got.Errors)
		}
	})
}

// A git host that gives no answer is asked once, with the tries of one question, and not for
// each repository.
func TestGitHostThatIsSilent(t *testing.T) {
	for name, only := range map[string]bool{"auto": false, "git": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := fourServices()
				s.Fault(bitbuckettest.Fault{Path: "/acme/*.git/**", Delay: 24 * time.Hour, Times: -1})
				bound, err := kind.Bind(resource(t, "file", "files: [{path: '**/port.yml'}]"))
				if err != nil {
					t.Fatal(err)
				}
				w, begin := overGit(t, s, kind.Options{OnlyGit: only}), time.Now()
				w.readings(bound)
				w.equal("requests to the git host", s.GitRequests(), 3)
				if took := time.Since(begin); took > 5*time.Minute {
					t.Errorf("the readings took %s, want the tries of one question", took)
				}
			})
		})
	}
}

// REST asks for no more where git gave up than where it was not tried.
func TestRequestsAfterFallback(t *testing.T) {
	for _, tt := range []struct{ kind, selector, rest string }{
		{"repository", "includedFiles: [README.md]", "b:README.md"},
		{"repository", "includedFiles: [README.md, CODEOWNERS, none]", "b:@1 b:README.md"},
		{"folder", "folders: [{path: 'apps/0*'}], includedFiles: [none]", "b:apps@1 b:none b:apps/00/none b:apps/01/none"},
		{"file", "files: [{path: apps/00/port.yml}], includedFiles: [README.md]", "b:apps/00@1 b:apps/00/port.yml b:README.md"},
	} {
		t.Run(tt.kind+" "+tt.selector, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := bitbuckettest.New("acme")
				s.AddRepository(bitbuckettest.Repository{Name: "b", Files: map[string]string{
					"README.md": "# B", "apps/00/port.yml": "a: 1", "apps/01/port.yml": "b: 1", "apps/11/port.yml": "b: 1",
				}})
				s.Configure(bitbuckettest.Options{Git: gitwiretest.Options{Err: "not today"}})
				w := overGit(t, s, kind.Options{KeepFiles: true})
				bound, err := kind.Bind(resource(t, tt.kind, tt.selector))
				if err != nil {
					t.Fatal(err)
				}
				for range 2 {
					w.readings(bound.Reading(withoutMIMEType))
				}
				w.fellBack("the server's git reports an error", 1, false)
				w.equal("requests to the git host", s.GitRequests(), 2)
				var rest []string
				for of := range strings.FieldsSeq(w.wire()) {
					if !strings.HasPrefix(of, "acme:") && !strings.HasPrefix(of, "b.git") {
						rest = append(rest, of)
					}
				}
				w.equal("requests to REST", strings.Join(rest, " "), tt.rest)
			})
		})
	}
}
