package platform

import "testing"

func TestCheckout(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		env        map[string]string
		page, line string
	}{
		{"nothing", map[string]string{"GIT_URL": "https://github.com/acme/portal", "GIT_COMMIT": "1a2b"}, "", ""},
		{"GitHub", map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.acme.example", "GITHUB_REPOSITORY": "acme/portal", "GITHUB_SHA": "1a2b"},
			"https://github.acme.example/acme/portal/blob/1a2b/", "#L"},
		{"Pipelines", map[string]string{"BITBUCKET_BUILD_NUMBER": "1", "BITBUCKET_REPO_FULL_NAME": "acme/portal", "BITBUCKET_COMMIT": "1a2b"},
			"https://bitbucket.org/acme/portal/src/1a2b/", "#lines-"},
		{"GitLab", map[string]string{"GITLAB_CI": "true", "CI_PROJECT_URL": "https://gitlab.acme.example/group/sub/portal", "CI_COMMIT_SHA": "1a2b"},
			"https://gitlab.acme.example/group/sub/portal/-/blob/1a2b/", "#L"},
		{"GitLab without a commit", map[string]string{"GITLAB_CI": "true", "CI_PROJECT_URL": "https://gitlab.acme.example/portal"}, "", ""},
		{"Azure", map[string]string{"TF_BUILD": "True", "BUILD_REPOSITORY_PROVIDER": "TfsGit", "BUILD_SOURCEVERSION": "1a2b",
			"BUILD_REPOSITORY_URI": "https://acme@dev.azure.com/acme/My%20Project/_git/portal"},
			"https://dev.azure.com/acme/My%20Project/_git/portal?version=GC1a2b&path=/", "&line="},
		{"Azure with a repository of GitHub", map[string]string{"TF_BUILD": "True", "BUILD_REPOSITORY_PROVIDER": "GitHub", "BUILD_SOURCEVERSION": "1a2b",
			"BUILD_REPOSITORY_URI": "https://github.com/acme/portal"}, "https://github.com/acme/portal/blob/1a2b/", "#L"},
		{"Jenkins by https", jenkinsBuild("https://user:t0ken@Bitbucket.org/acme/portal.git"), "https://bitbucket.org/acme/portal/src/1a2b/", "#lines-"},
		{"Jenkins by ssh", jenkinsBuild("git@gitlab.com:group/sub/portal.git"), "https://gitlab.com/group/sub/portal/-/blob/1a2b/", "#L"},
		{"Jenkins by the address of ssh", jenkinsBuild("ssh://git@github.com/acme/portal"), "https://github.com/acme/portal/blob/1a2b/", "#L"},
		{"Jenkins elsewhere", jenkinsBuild("https://git.acme.example/acme/portal.git"), "", ""},
		{"Jenkins with what is no address", jenkinsBuild("javascript:alert(1)//github.com/acme/portal"), "", ""},
		{"Jenkins without git", map[string]string{"JENKINS_URL": "https://jenkins.example.com/"}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			page, line := Checkout(func(name string) string { return tt.env[name] })
			if page == "" {
				line = "" // means nothing then
			}
			if page != tt.page || line != tt.line {
				t.Errorf("got %q and %q, want %q and %q", page, line, tt.page, tt.line)
			}
		})
	}
}

func jenkinsBuild(clone string) map[string]string {
	return map[string]string{"JENKINS_URL": "https://jenkins.example.com/", "GIT_URL": clone, "GIT_COMMIT": "1a2b"}
}

func TestRoot(t *testing.T) {
	t.Parallel()
	all := map[string]string{"GITHUB_WORKSPACE": "/github", "BITBUCKET_CLONE_DIR": "/bitbucket", "CI_PROJECT_DIR": "/gitlab",
		"BUILD_SOURCESDIRECTORY": "/azure", "WORKSPACE": "/jenkins"}
	for name, env := range everywhere() {
		want := "/" + name
		if name == "plain" {
			want = ""
		}
		if got := Root(func(key string) string {
			if env[key] != "" {
				return env[key]
			}
			return all[key]
		}); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
