package input

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
)

func TestUsesGit(t *testing.T) {
	t.Parallel()
	type vars = map[string]string
	appPassword := vars{"BITBUCKET_WORKSPACE_TOKEN": "-", "BITBUCKET_USERNAME": "ann", "BITBUCKET_APP_PASSWORD": "pw"}
	elsewhere := "source_reader auto reads over REST: bitbucket_host_url is not Bitbucket's own, and git_host_url is not given"
	for _, tt := range []struct {
		name      string
		variables vars
		why       string // "" uses git
	}{
		{"workspace token", vars{}, ""},
		{"API token", vars{"BITBUCKET_WORKSPACE_TOKEN": "-", "BITBUCKET_USER_EMAIL": "ann@acme.test", "BITBUCKET_USER_SCOPED_TOKEN": "at"}, ""},
		{"app password", appPassword, "source_reader auto reads over REST: the git host takes no app password"},
		{"another API", vars{"BITBUCKET_HOST_URL": "https://bitbucket.acme.test/2.0"}, elsewhere},
		{"another API at a port", vars{"BITBUCKET_HOST_URL": "https://api.bitbucket.org:444/2.0"}, elsewhere},
		{"an API whose name begins alike", vars{"BITBUCKET_HOST_URL": "https://api.bitbucket.org.evil.test/2.0"}, elsewhere},
		{"Bitbucket's own, written out", vars{"BITBUCKET_HOST_URL": "https://API.bitbucket.org/2.0/"}, ""},
		{"another API with a git host", vars{"BITBUCKET_HOST_URL": "http://127.0.0.1:1/2.0", "GIT_HOST_URL": "http://127.0.0.1:1"}, ""},
		{"another API with the usual git host", vars{"BITBUCKET_HOST_URL": "http://127.0.0.1:1/2.0", "GIT_HOST_URL": "https://bitbucket.org"}, ""},
		{"a UUID", vars{"BITBUCKET_WORKSPACE": "{0B7C7F5F-3A3B-4C1D-9E2F-0123456789AB}"}, "source_reader auto reads over REST: bitbucket_workspace is a UUID, and the addresses of git have the slug"},
		{"rest", vars{"SOURCE_READER": "rest"}, "source_reader rest reads over REST"},
		{"git, whatever the rest says", vars{"SOURCE_READER": "git", "BITBUCKET_HOST_URL": "http://127.0.0.1:1/2.0", "BITBUCKET_WORKSPACE": "{0B7C7F5F-3A3B-4C1D-9E2F-0123456789AB}"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, _, err := Parse(world(with(tt.variables), nil))
			if err != nil {
				t.Fatal(err)
			}
			if uses, why := c.UsesGit(); uses != (tt.why == "") || why != tt.why {
				t.Errorf("got %v, %q, want %q", uses, why, tt.why)
			}
		})
	}
}

// What goes to the git host is hidden in the form in which it goes there, also of a
// credential that is not used; the e-mail address does not go there.
func TestGitSecrets(t *testing.T) {
	t.Parallel()
	c, _, err := Parse(world(with(map[string]string{
		"BITBUCKET_WORKSPACE_TOKEN": "one,two", "BITBUCKET_CLIENT_ID": "key", "BITBUCKET_CLIENT_SECRET": "cs", "BITBUCKET_USER_EMAIL": "ann@acme.test", "BITBUCKET_USER_SCOPED_TOKEN": "at",
	}), nil))
	if err != nil {
		t.Fatal(err)
	}
	secrets := c.Secrets()
	for _, pair := range []string{"x-token-auth:one", "x-token-auth:two", "key:cs", "x-bitbucket-api-token-auth:at", "ann@acme.test:at"} {
		if !slices.Contains(secrets, base64.StdEncoding.EncodeToString([]byte(pair))) {
			t.Errorf("the header of %q is not hidden: %q", pair, secrets)
		}
	}
	for _, credential := range slices.Concat(c.Credentials, c.unused) {
		if strings.Contains(credential.GitUser(), "@") || credential.GitUser() == "" {
			t.Errorf("%s: got user %q", credential.Kind, credential.GitUser())
		}
	}
}
