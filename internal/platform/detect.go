package platform

// Detect chooses the platform by the environment.
func Detect(w World) Platform {
	if w.Scrubber == nil {
		w.Scrubber = &Scrubber{}
	}
	switch {
	case actions(w.Getenv):
		return newGitHub(w)
	case Pipelines(w.Getenv):
		return &bitbucket{plain{world: w}}
	default:
		return &plain{world: w}
	}
}

// actions reports whether this is GitHub Actions, by a variable that it sets in each step.
//
// Source: https://docs.github.com/en/actions/reference/workflows-and-actions/variables, read 2026-11.
func actions(getenv func(string) string) bool { return getenv("GITHUB_ACTIONS") == "true" }

// Pipelines reports whether Detect chooses Bitbucket Pipelines. It sets both variables
// itself. A GitHub step that has them, too, is still a step of GitHub.
//
// Source: https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/, read 2026-11.
func Pipelines(getenv func(string) string) bool {
	return !actions(getenv) && (getenv("BITBUCKET_PIPELINE_UUID") != "" || getenv("BITBUCKET_BUILD_NUMBER") != "")
}

// Root returns the folder of the checkout: the platform names places by their path from
// there. It is empty where the platform does not name the folder. The sources are those above.
func Root(getenv func(string) string) string {
	switch {
	case actions(getenv):
		return getenv("GITHUB_WORKSPACE")
	case Pipelines(getenv):
		return getenv("BITBUCKET_CLONE_DIR")
	}
	return ""
}
