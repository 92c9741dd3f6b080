package platform

// system is a CI system, as its environment shows it.
type system struct {
	is   func(env) bool
	open func(World) Platform
	root string // the variable that names the folder of the checkout
	// page returns where a browser shows the files of the commit that runs, see Checkout.
	page func(env) (page, line string)
}

// running returns the system that this is. A step of one may have variables of another, which
// somebody passed on: a step of GitHub that has those of Pipelines, too, is still one of GitHub.
func running(getenv env) system {
	for _, s := range []system{
		{isGitHub, newGitHub, "GITHUB_WORKSPACE", githubPage},
		{isBitbucket, newBitbucket, "BITBUCKET_CLONE_DIR", bitbucketPage},
		{isGitLab, newGitLab, "CI_PROJECT_DIR", gitlabPage},
		{isAzure, newAzure, "BUILD_SOURCESDIRECTORY", azurePage},
		{isJenkins, newJenkins, "WORKSPACE", jenkinsPage},
	} {
		if s.is(getenv) {
			return s
		}
	}
	return system{open: newPlain, page: func(env) (page, line string) { return "", "" }}
}

// Detect chooses the platform by the environment.
func Detect(w World) Platform {
	if w.Scrubber == nil {
		w.Scrubber = &Scrubber{}
	}
	w.root = Root(w.Getenv)
	return running(w.Getenv).open(w)
}

// Actions reports whether Detect chooses GitHub Actions.
func Actions(getenv func(string) string) bool { return isGitHub(getenv) }

// Pipelines reports whether Detect chooses Bitbucket Pipelines.
func Pipelines(getenv func(string) string) bool { return !isGitHub(getenv) && isBitbucket(getenv) }

// Pipe reports whether this is the container of a pipe. Each pipe of a pipeline has a folder
// of its own, which no step has.
//
// Source: https://support.atlassian.com/bitbucket-cloud/docs/advanced-techniques-for-writing-pipes/, read 2026-11.
func Pipe(getenv func(string) string) bool {
	return Pipelines(getenv) && (getenv("BITBUCKET_PIPE_STORAGE_DIR") != "" || getenv("BITBUCKET_PIPE_SHARED_STORAGE_DIR") != "")
}

// Root returns the folder of the checkout: the platform names places by their path from
// there. It is empty where the platform does not name the folder.
func Root(getenv func(string) string) string { return getenv(running(getenv).root) }

// Checkout returns where a browser shows a file of the commit that runs: the page is all of its
// address before the file's path, and line is what stands between the path and the number of a
// line. Both are empty where the platform does not name the repository and the commit.
func Checkout(getenv func(string) string) (page, line string) { return running(getenv).page(getenv) }
