package platform

// Detect chooses the platform by the environment.
func Detect(w World) Platform {
	if w.Scrubber == nil {
		w.Scrubber = &Scrubber{}
	}
	switch {
	case Actions(w.Getenv):
		return newGitHub(w)
	case Pipelines(w.Getenv):
		return &bitbucket{plain{world: w}}
	default:
		return &plain{world: w}
	}
}

// Actions reports whether Detect chooses GitHub Actions, by a variable that it sets in each step.
//
// Source: https://docs.github.com/en/actions/reference/workflows-and-actions/variables, read 2026-11.
func Actions(getenv func(string) string) bool { return getenv("GITHUB_ACTIONS") == "true" }

// Pipelines reports whether Detect chooses Bitbucket Pipelines. It sets both variables
// itself. A GitHub step that has them, too, is still a step of GitHub.
//
// Source: https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/, read 2026-11.
func Pipelines(getenv func(string) string) bool {
	return !Actions(getenv) && (getenv("BITBUCKET_PIPELINE_UUID") != "" || getenv("BITBUCKET_BUILD_NUMBER") != "")
}

// Pipe reports whether this is the container of a pipe. Each pipe of a pipeline has a folder
// of its own, which no step has.
//
// Source: https://support.atlassian.com/bitbucket-cloud/docs/advanced-techniques-for-writing-pipes/, read 2026-11.
func Pipe(getenv func(string) string) bool {
	return Pipelines(getenv) && (getenv("BITBUCKET_PIPE_STORAGE_DIR") != "" || getenv("BITBUCKET_PIPE_SHARED_STORAGE_DIR") != "")
}

// Root returns the folder of the checkout: the platform names places by their path from
// there. It is empty where the platform does not name the folder. The sources are those above.
func Root(getenv func(string) string) string {
	switch {
	case Actions(getenv):
		return getenv("GITHUB_WORKSPACE")
	case Pipelines(getenv):
		return getenv("BITBUCKET_CLONE_DIR")
	}
	return ""
}

// Checkout returns where a browser shows a file of the commit that runs: the page is all of its
// address before the file's path, and line is what stands between the path and the number of a
// line. Both are empty where the platform does not name the repository and the commit.
//
// Source: those above, and
// https://docs.github.com/en/repositories/working-with-files/using-files/getting-permanent-links-to-files,
// https://support.atlassian.com/bitbucket-cloud/docs/hyperlink-to-source-code-in-bitbucket/, read 2026-11.
func Checkout(getenv func(string) string) (page, line string) {
	switch {
	case Actions(getenv):
		return pageOf("/blob/", getenv("GITHUB_SERVER_URL"), getenv("GITHUB_REPOSITORY"), getenv("GITHUB_SHA")), "#L"
	case Pipelines(getenv):
		return pageOf("/src/", "https://bitbucket.org", getenv("BITBUCKET_REPO_FULL_NAME"), getenv("BITBUCKET_COMMIT")), "#lines-"
	}
	return "", ""
}

// pageOf is empty when a part is.
func pageOf(between, server, repository, commit string) string {
	if server == "" || repository == "" || commit == "" {
		return ""
	}
	return server + "/" + repository + between + commit + "/"
}
