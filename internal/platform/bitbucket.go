package platform

import (
	"io"
	"net"
	"net/url"
	"os"
	"strings"
)

// bitbucket is Bitbucket Pipelines, in a pipe or in a script. It prints as plain does.
type bitbucket struct{ plain }

// isBitbucket reports whether this is Bitbucket Pipelines, which sets both variables itself.
//
// Source: https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/, read 2026-11.
func isBitbucket(getenv env) bool {
	return getenv("BITBUCKET_PIPELINE_UUID") != "" || getenv("BITBUCKET_BUILD_NUMBER") != ""
}

func newBitbucket(w World) Platform { return &bitbucket{plain{world: w}} }

// bitbucketPage is the Checkout of Pipelines. Source as above, and
// https://support.atlassian.com/bitbucket-cloud/docs/hyperlink-to-source-code-in-bitbucket/, read 2026-11.
func bitbucketPage(getenv env) (page, line string) {
	return pageOf("https://bitbucket.org", getenv("BITBUCKET_REPO_FULL_NAME"), hosts["bitbucket.org"].between, getenv("BITBUCKET_COMMIT")), hosts["bitbucket.org"].line
}

// Commit returns the commit that a pipeline runs on, and the slugs of the workspace and the
// repository that hold it. They are empty elsewhere, and where one of them is not known.
// BITBUCKET_WORKSPACE may be an input of this program, too, and name another workspace. The
// source is that of isBitbucket.
func Commit(getenv func(string) string) (workspace, repository, hash string) {
	workspace, repository, named := strings.Cut(getenv("BITBUCKET_REPO_FULL_NAME"), "/")
	hash = getenv("BITBUCKET_COMMIT")
	if !Pipelines(getenv) || !named || workspace == "" || repository == "" || hash == "" {
		return "", "", ""
	}
	return workspace, repository, hash
}

// PipelineProxy returns host and port of the proxy beside a step of a pipeline, which adds the
// credential of the pipeline to requests for Bitbucket's API. A pipe reaches it at the host of
// the Docker daemon that runs it.
//
// Source: https://support.atlassian.com/bitbucket-cloud/docs/code-insights/, section on
// authentication, and https://github.com/reviewdog/reviewdog/pull/996, read 2026-11.
func PipelineProxy(getenv func(string) string) string {
	host := "localhost"
	if Pipe(getenv) {
		host = "host.docker.internal"
		if daemon, err := url.Parse(getenv("DOCKER_HOST")); err == nil && daemon.Scheme == "tcp" && daemon.Hostname() != "" {
			host = daemon.Hostname()
		}
	}
	return net.JoinHostPort(host, "29418")
}

func (*bitbucket) Name() string { return "Bitbucket Pipelines" }

// outputPrefix begins the names of the variables that Publish writes.
const outputPrefix = "PORT_RESYNC_"

// Publish appends one line NAME=value for each output to the file in
// BITBUCKET_PIPELINES_VARIABLES_PATH. Values are single lines there, and all
// variables of a pipeline share 100 KB, so the summary is left out (Atlassian's
// documentation of shared pipeline variables, read 2026-11).
//
// It never fails: whether the service gives that file to pipes is not
// documented, and a run does not depend on it.
func (b *bitbucket) Publish(outputs []Output) error {
	path := b.world.Getenv("BITBUCKET_PIPELINES_VARIABLES_PATH")
	if path == "" {
		return nil
	}
	var lines strings.Builder
	for _, o := range outputs {
		value := b.world.Scrubber.Redact(o.Value)
		if o.Name == "summary" || !validName(o.Name) || strings.ContainsFunc(value, lineBreak) {
			continue
		}
		lines.WriteString(outputPrefix + strings.ToUpper(o.Name) + "=" + value + "\n")
	}
	_ = appendLines(path, lines.String())
	return nil
}

// appendLines adds text to the file, on a line of its own. What the file holds
// is left as it is.
func appendLines(path, text string) (err error) {
	if text == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
	}()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if last := []byte{'\n'}; end > 0 {
		if _, err := f.ReadAt(last, end-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			text = "\n" + text
		}
	}
	_, err = f.WriteString(text)
	return err
}
