package bitbucket

// RestartAttempts is how often a page of a list that was begun again is asked for.
const RestartAttempts = restartAttempts
