package platform

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"port-bitbucket-exporter/internal/clip"
	"port-bitbucket-exporter/internal/diag"
)

// azure is Azure Pipelines. Its agent takes commands from the log.
//
// Source: https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands, and
// https://github.com/microsoft/azure-pipelines-agent (CommandStringConvertor.cs,
// TaskCommandExtension.cs, ExecutionContext.cs), read 2026-11.
type azure struct {
	plain
	mu     sync.Mutex
	shown  limit
	masked map[string]bool
}

// maxAzureIssues is how many errors, and how many warnings, the agent keeps of a step.
const maxAzureIssues = 10

// isAzure reports whether this is Azure Pipelines.
//
// Source: https://learn.microsoft.com/azure/devops/pipelines/build/variables, read 2026-11.
func isAzure(getenv env) bool { return strings.EqualFold(getenv("TF_BUILD"), "true") }

func newAzure(w World) Platform {
	a := &azure{plain: plain{world: w}, masked: map[string]bool{}}
	a.shown = limit{"Azure Pipelines", maxAzureIssues, a.issue, [diag.Notice + 1]int{}, [diag.Notice + 1]*Annotation{}}
	return a
}

// azurePage is the Checkout of Azure, of its own repositories or of those at a host whose
// pages are known. Source as above; the address of a page of Azure Repos is the one its web interface
// shows, as public links have it, and is not documented.
func azurePage(getenv env) (page, line string) {
	repository, commit := getenv("BUILD_REPOSITORY_URI"), getenv("BUILD_SOURCEVERSION")
	address, err := url.Parse(repository)
	if getenv("BUILD_REPOSITORY_PROVIDER") != "TfsGit" || err != nil || commit == "" || address.Host == "" {
		return hosted(repository, commit)
	}
	address.User, address.RawQuery = nil, "version=GC"+url.QueryEscape(commit)+"&path=/"
	return address.String(), "&line="
}

func (*azure) Name() string { return "Azure Pipelines" }

// Annotates is true: Azure shows issues apart from the log.
func (*azure) Annotates() bool { return true }

// azureCommand is a command on its line: the agent reads it up to the first "]". Properties are
// written key=value.
func azureCommand(name, data string, properties ...string) string {
	for i, p := range properties {
		key, value, _ := strings.Cut(p, "=")
		properties[i] = key + "=" + azureProperty.Replace(value)
	}
	return strings.TrimSpace("##vso["+name+" "+strings.Join(properties, ";")) + "]" + azureData.Replace(data) + "\n"
}

// azureData and azureProperty write what the agent turns back.
var (
	azureData     = strings.NewReplacer("%", "%AZP25", "\r", "%0D", "\n", "%0A")
	azureProperty = strings.NewReplacer("%", "%AZP25", "\r", "%0D", "\n", "%0A", "]", "%5D", ";", "%3B")
)

// Mask also registers the secrets with the agent.
func (a *azure) Mask(secrets ...string) {
	a.plain.Mask(secrets...)
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, secret := range secrets {
		for line := range strings.FieldsFuncSeq(secret, lineBreak) {
			if hideable(line) && !a.masked[line] {
				a.masked[line] = true
				a.print(azureCommand("task.setsecret", line))
			}
		}
	}
}

// Annotate prints an error or a warning as an issue of the step; of notices there are none.
func (a *azure) Annotate(n Annotation) {
	if n.Severity == diag.Notice {
		a.plain.Annotate(n)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.shown.add(n)
}

func (a *azure) issue(n Annotation) {
	s := a.world.Scrubber
	message := safeMessage(s, n.Message)
	properties := []string{"type=" + n.Severity.String()}
	switch file := s.Line(a.world.relative(n.At.File)); {
	case n.At.File == "":
	case n.At.Line == 0: // the agent writes the place before the message, without a line as "file(,)"
		message = file + ": " + message
	default:
		properties = append(properties, "sourcepath="+file, "linenumber="+strconv.Itoa(n.At.Line), "columnnumber="+strconv.Itoa(max(n.At.Column, 1)))
	}
	a.print(azureCommand("task.logissue", clip.BytesWithin(message, maxMessageBytes, "…"), properties...))
}

// Group and EndGroup fold lines.
func (a *azure) Group(title string) { a.print("##[group]" + a.world.Scrubber.Line(title) + "\n") }

func (a *azure) EndGroup() { a.print("##[endgroup]\n") }

// Publish makes the outputs variables of the step, which its name precedes elsewhere. The
// summary is left out: variables are in the environment of each later step of the job, and
// one that is too long keeps any program from being started.
func (a *azure) Publish(outputs []Output) error {
	a.flush()
	for _, o := range outputs {
		value := a.world.Scrubber.Redact(o.Value)
		if o.Name == "summary" || !validName(o.Name) || strings.ContainsFunc(value, lineBreak) {
			continue
		}
		a.print(azureCommand("task.setvariable", value, "variable="+o.Name, "isOutput=true"))
	}
	return nil
}

// Summary hands a file over to the agent, which uploads it after the step: so it lies in the
// folder that the agent empties at the end of the job. A container has that folder only where
// it is mounted by its own name; else there is no summary, since a file that the agent does not
// find fails the step.
func (a *azure) Summary(markdown func(limitBytes int) string) error {
	folder := a.world.Getenv("AGENT_TEMPDIRECTORY")
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return nil
	}
	text := a.world.Scrubber.Redact(markdown(maxSummaryBytes))
	if text == "" {
		return nil
	}
	path, err := createNew(folder, "Port resync", ".md", text)
	if err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	a.print(azureCommand("task.uploadsummary", path))
	return nil
}

// createNew writes a file that is not there yet, whose name Azure shows above the summary.
func createNew(folder, name, extension, text string) (path string, err error) {
	const most = 100 // steps of a job that do this
	for i := 1; i <= most; i++ {
		path = filepath.Join(folder, name+extension)
		if i > 1 {
			path = filepath.Join(folder, fmt.Sprintf("%s %d%s", name, i, extension))
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		_, err = f.WriteString(text)
		return path, errors.Join(err, f.Close())
	}
	return "", fmt.Errorf("%s holds %d of them already", folder, most)
}

func (a *azure) flush() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.shown.flush()
}

func (a *azure) Close() error {
	a.flush()
	return a.plain.Close()
}
