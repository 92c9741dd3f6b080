package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// The second job of the workflow runs here, twice, with a registry and a repository of its own. The
// programs that only GitHub and Sigstore can answer are replaced by ones that note what they are
// asked; the actions are looked at: what they are given must be there.
func TestReleaseWorkflow(t *testing.T) {
	var workflow struct {
		Jobs map[string]struct{ Steps []releaseStep }
	}
	if err := yaml.Unmarshal(read(t, "../../.github/workflows/release.yml"), &workflow); err != nil {
		t.Fatal(err)
	}
	steps := workflow.Jobs["publish"].Steps
	if len(steps) < 8 {
		t.Fatalf("got %d steps", len(steps))
	}
	r := rehearse(t)
	for _, drafted := range []string{"1", "0"} { // the exit status of gh release view
		r.env = append(r.env, "DRAFTED="+drafted)
		r.outputs = map[string]string{}
		for _, step := range steps {
			if step.Run == "" {
				r.look(t, step)
			} else {
				r.run(t, step)
			}
		}
		if drafted == "1" {
			if notes := string(read(t, filepath.Join(r.work, "dist", "notes.md"))); len(notes) < 1000 || len(notes) > 125000 || strings.Contains(notes, "\n## ") {
				t.Errorf("got notes of %d bytes, want those of one version, and no more than GitHub takes", len(notes))
			}
		}
		tags := r.tell(t, r.work, "git", "ls-remote", r.remote)
		if r.tags != "" && tags != r.tags {
			t.Errorf("the second run moved tags: got\n%s\nwant\n%s", tags, r.tags)
		}
		r.tags = tags
	}
	if n := strings.Count(r.tags, "refs/tags/"); n != 3 {
		t.Errorf("got %d tags, want three:\n%s", n, r.tags)
	}
	for _, tag := range []string{r.version, r.version[:strings.LastIndex(r.version, ".")], r.version[:strings.Index(r.version, ".")]} {
		if !r.server.has(t, "/v2/acme-inc/x/manifests/"+tag) {
			t.Errorf("the image has no tag %s", tag)
		}
	}
	image := r.server.name("acme-inc/x@" + r.outputs["digest"])
	if action := r.tell(t, r.work, "git", "-C", r.remote, "show", "v"+r.version+":action.yml"); !strings.HasSuffix(action, "\n  image: docker://"+image) {
		t.Errorf("action.yml does not name %s", image)
	}
	noted := string(read(t, r.notes))
	for _, want := range []string{
		"docker login " + r.server.name("")[:len(r.server.name(""))-1] + " --username somebody --password-stdin",
		"cosign sign --yes " + image,
		"cosign sign-blob --yes --bundle dist/checksums.txt.sigstore.json dist/checksums.txt",
		"gh release create v" + r.version + " --draft --verify-tag",
		"gh release upload v" + r.version + " --clobber",
	} {
		if !strings.Contains(noted, want) {
			t.Errorf("nobody was asked for %q:\n%s", want, noted)
		}
	}
	for line := range strings.Lines(noted) {
		if !strings.HasPrefix(line, "gh release create") && !strings.HasPrefix(line, "gh release upload") {
			continue
		}
		for _, want := range []string{"_linux_amd64.tar.gz", "_windows_amd64.zip", "_linux_arm64.spdx.json", "dist/checksums.txt.sigstore.json", "dist/checksums.txt\n"} {
			if !strings.Contains(line, want) {
				t.Errorf("got %q, want %s in it", line, want)
			}
		}
	}
}

type releaseStep struct {
	Name, ID, Uses, Run string
	With, Env           map[string]string
}

type rehearsal struct {
	work, remote, notes, version, tags string
	env                                []string
	outputs                            map[string]string
	server                             *server
}

func rehearse(t *testing.T) *rehearsal {
	t.Helper()
	account(t, "", "")
	r := &rehearsal{work: t.TempDir(), remote: t.TempDir(), notes: filepath.Join(t.TempDir(), "notes"), server: serve(t)}
	changelog := read(t, "../../CHANGELOG.md")
	r.version = regexp.MustCompile(`(?m)^## (\S+)$`).FindStringSubmatch(string(changelog))[1]
	bin := t.TempDir()
	note := "#!/bin/sh\necho \"${0##*/} $*\" >> '" + r.notes + "'\n"
	put(t, filepath.Join(bin, "docker"), note+"cat > /dev/null\n")
	put(t, filepath.Join(bin, "gh"), note+"[ \"$2\" != view ] || exit $DRAFTED\n")
	put(t, filepath.Join(bin, "cosign"), note+"[ \"$1\" != sign-blob ] || echo {} > \"$4\"\n")
	if out, err := exec.Command("go", "build", "-o", filepath.Join(bin, "ship"), ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	// go build -o FILE . and go install, of which one makes ship and the other cosign.
	put(t, filepath.Join(bin, "go"), "#!/bin/sh\nmkdir -p ../../dist/tools dist/tools 2>/dev/null\ncase $1 in\nbuild) cp '"+bin+"/ship' \"$3\" ;;\ninstall) cp '"+bin+"/cosign' \"$GOBIN/\" ;;\nesac\n")
	r.env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "DOCKER_CONFIG=" + os.Getenv("DOCKER_CONFIG"), "GIT_CONFIG_NOSYSTEM=1",
		"GITHUB_REF_NAME=v" + r.version, "GITHUB_REPOSITORY=Acme-Inc/x", "GITHUB_ACTOR=somebody", "GITHUB_SERVER_URL=" + r.remote}
	for _, name := range []string{".ci/pin", ".ci/tags", ".ci/point", ".ci/ship/main.go", "action.yml", "CHANGELOG.md"} {
		put(t, filepath.Join(r.work, name), string(read(t, "../../"+name)))
	}
	put(t, filepath.Join(r.work, ".ci/ready"), "#!/bin/sh\n") // it has a test of its own
	put(t, filepath.Join(r.work, ".gitignore"), "/dist/\n")
	r.tell(t, r.work, "git", "init", "--quiet", "--bare", r.remote)
	r.tell(t, r.work, "git", "init", "--quiet")
	r.tell(t, r.work, "git", "add", ".")
	r.tell(t, r.work, "git", "-c", "user.name=x", "-c", "user.email=x@acme.example", "commit", "--quiet", "--message", "the version")
	r.tell(t, r.work, "git", "push", "--quiet", r.remote, "HEAD:refs/tags/v"+r.version)
	return r
}

// look does what an action would do with its inputs, as far as it matters to the steps after it.
func (r *rehearsal) look(t *testing.T, step releaseStep) {
	t.Helper()
	with := func(name string) string { return r.filled(t, step.With[name]) }
	switch action, _, _ := strings.Cut(step.Uses, "@"); action {
	case "actions/checkout":
		if with("ref") != "SHA" || step.With["fetch-depth"] != "0" {
			t.Errorf("got %v, want the commit that was tagged, and all tags", step.With)
		}
		r.tell(t, r.work, "git", "fetch", "--quiet", "--force", r.remote, "refs/tags/*:refs/tags/*")
		r.tell(t, r.work, "git", "checkout", "--quiet", "--force", r.tell(t, r.work, "git", "rev-list", "--max-parents=0", "HEAD"))
	case "actions/setup-go":
	case "actions/download-artifact":
		r.download(t, filepath.Join(r.work, with("path")))
	case "actions/attest":
		if sums := with("subject-checksums"); sums != "" {
			if text := read(t, filepath.Join(r.work, sums)); !bytes.Contains(text, []byte(".tar.gz\n")) {
				t.Errorf("%s names no archive", sums)
			}
			return
		}
		if !r.server.has(t, "/v2/"+strings.TrimPrefix(with("subject-name"), r.server.name(""))+"/manifests/"+with("subject-digest")) {
			t.Errorf("%s: %s@%s is not there", step.Name, with("subject-name"), with("subject-digest"))
		}
		if list := with("sbom-path"); list != "" && len(read(t, filepath.Join(r.work, list))) == 0 {
			t.Errorf("%s: %s is empty", step.Name, list)
		}
	default:
		t.Errorf("%s is unknown here", step.Uses)
	}
}

// download lays out what the first job leaves: that of SBOMS, which a release has made, else some of it.
func (r *rehearsal) download(t *testing.T, into string) {
	t.Helper()
	if err := os.RemoveAll(into); err != nil {
		t.Fatal(err)
	}
	if made := os.Getenv("SBOMS"); made != "" {
		if err := os.CopyFS(into, os.DirFS(made)); err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(into, "image.txt"), string(read(t, filepath.Join(made, "..", "image.txt"))))
		return
	}
	layout, out := makeImage(t)
	if err := os.CopyFS(filepath.Join(into, "image"), os.DirFS(layout)); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(into, "image.txt"), out)
	var sums strings.Builder
	for _, name := range []string{"linux_amd64.tar.gz", "windows_amd64.zip", "linux_amd64.spdx.json", "linux_arm64.spdx.json"} {
		name = program + "_" + r.version + "_" + name
		put(t, filepath.Join(into, name), name)
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256([]byte(name)), name)
	}
	put(t, filepath.Join(into, "checksums.txt"), sums.String())
}

// run runs the script of a step as GitHub does.
func (r *rehearsal) run(t *testing.T, step releaseStep) {
	t.Helper()
	host := strings.TrimSuffix(r.server.name(""), "/")
	text := strings.NewReplacer("ghcr.io", host, `"$GITHUB_SERVER_URL/$GITHUB_REPOSITORY"`, `"$GITHUB_SERVER_URL"`).Replace(step.Run)
	script, outputs := filepath.Join(t.TempDir(), "run.sh"), filepath.Join(t.TempDir(), "outputs")
	put(t, script, text)
	put(t, outputs, "")
	cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", script)
	cmd.Dir, cmd.Env = r.work, append([]string{"GITHUB_OUTPUT=" + outputs}, r.env...)
	for name, value := range step.Env {
		cmd.Env = append(cmd.Env, name+"="+r.filled(t, value))
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", step.Name, err, out)
	}
	for line := range strings.Lines(string(read(t, outputs))) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		r.outputs[name] = value
	}
}

var expression = regexp.MustCompile(`\$\{\{ ([\w.]+) \}\}`)

// filled is a value with its expressions replaced.
func (r *rehearsal) filled(t *testing.T, value string) string {
	t.Helper()
	return expression.ReplaceAllStringFunc(value, func(text string) string {
		name := expression.FindStringSubmatch(text)[1]
		known := map[string]string{"github.sha": "SHA", "github.token": "TOKEN", "github.event.repository.visibility": "public"}
		if output, ok := strings.CutPrefix(name, "steps.image.outputs."); ok {
			known[name] = r.outputs[output]
		}
		if known[name] == "" {
			t.Errorf("%s is empty", name)
		}
		return known[name]
	})
}

// tell runs a program and returns what it prints.
func (r *rehearsal) tell(t *testing.T, folder, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = folder, r.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", name, args, err, out)
	}
	return strings.TrimSuffix(string(out), "\n")
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}
