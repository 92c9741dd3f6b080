package platform

// jenkins is Jenkins. Its log is lines of text; reports are files that a build names.
type jenkins struct{ plain }

// isJenkins reports whether this is a build of Jenkins.
//
// Source: https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables, read 2026-11.
func isJenkins(getenv env) bool { return getenv("JENKINS_URL") != "" }

func newJenkins(w World) Platform { return &jenkins{plain{world: w}} }

// jenkinsPage is the Checkout of Jenkins, where its git plugin names the repository and that
// is at a host whose pages are known.
//
// Source: https://plugins.jenkins.io/git/ (environment variables), read 2026-11.
func jenkinsPage(getenv env) (page, line string) {
	return hosted(getenv("GIT_URL"), getenv("GIT_COMMIT"))
}

func (*jenkins) Name() string { return "Jenkins" }
