// Image puts ready binaries into one image for several platforms, as an OCI layout, and pushes it.
// The same binaries, version and time give the same bytes, wherever and whenever it runs.
//
//	image -layout out -version 1.2.3 -revision 1a2b3c -created 2026-11-30T12:00:00Z \
//	    -source https://github.com/acme/x -file /LICENSE=LICENSE linux/amd64=bin/x linux/arm64=bin/x-arm64
//	image -layout out -push ghcr.io/acme/x:1.2.3
//
// It prints the digest of the image, and the size of each platform.
package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

const (
	program = "port-bitbucket-exporter"
	binary  = "/usr/local/bin/" + program
)

// about is what the annotations and labels of the image say.
type about struct {
	version, revision, source string
	created                   time.Time
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	var a about
	var folder, push, created string
	files := map[string]string{}
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	flags.StringVar(&folder, "layout", "", "the `folder` of the OCI layout")
	flags.StringVar(&push, "push", "", "pushes the layout to this `reference`, and makes none")
	flags.StringVar(&a.version, "version", "", "the version, without v")
	flags.StringVar(&a.revision, "revision", "", "the commit")
	flags.StringVar(&a.source, "source", "", "the address of the source")
	flags.StringVar(&created, "created", "", "the time of the commit, in RFC 3339")
	flags.Func("file", "a further file, `path=source`", func(text string) error { return pair(files, text) })
	if err := flags.Parse(args); err != nil {
		return err
	}
	if folder == "" {
		return errors.New("-layout is missing")
	}
	if push != "" {
		return pushTo(folder, push, out)
	}
	var err error
	if a.created, err = time.Parse(time.RFC3339, created); err != nil {
		return fmt.Errorf("-created: %w", err)
	}
	platforms := map[string]string{}
	for _, text := range flags.Args() {
		if err := pair(platforms, text); err != nil {
			return err
		}
	}
	return build(folder, a, files, flags.Args(), platforms, out)
}

func pair(into map[string]string, text string) error {
	key, value, found := strings.Cut(text, "=")
	if !found || key == "" || value == "" {
		return fmt.Errorf("%q is not of the form name=file", text)
	}
	into[key] = value
	return nil
}

// build writes the layout, with the platforms in the order of the arguments.
func build(folder string, a about, files map[string]string, order []string, platforms map[string]string, out io.Writer) error {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, text := range order {
		platform, _, _ := strings.Cut(text, "=")
		img, err := image(a, platform, platforms[platform], files)
		if err != nil {
			return fmt.Errorf("%s: %w", platform, err)
		}
		parsed, err := v1.ParsePlatform(platform)
		if err != nil {
			return err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: parsed}})
		if err := tell(out, platform, img); err != nil {
			return err
		}
	}
	index = mutate.Annotations(index, a.labels()).(v1.ImageIndex)
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	to, err := layout.Write(folder, empty.Index)
	if err != nil {
		return err
	}
	if err := to.AppendIndex(index, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": a.version})); err != nil {
		return err
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "digest", digest)
	return nil
}

func (a about) labels() map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":       program,
		"org.opencontainers.image.description": "Reads a Bitbucket Cloud workspace and keeps a Port catalog up to date with it",
		"org.opencontainers.image.source":      a.source,
		"org.opencontainers.image.revision":    a.revision,
		"org.opencontainers.image.version":     a.version,
		"org.opencontainers.image.created":     a.created.UTC().Format(time.RFC3339),
		"org.opencontainers.image.licenses":    "MIT",
	}
}

// image is that of one platform. Its settings are those of the Dockerfile, which says why.
func image(a about, platform, file string, files map[string]string) (v1.Image, error) {
	content, err := rootfs(a.created, file, files)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
		tarball.WithMediaType(types.OCILayer), tarball.WithCompressionLevel(9))
	if err != nil {
		return nil, err
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	parsed, err := v1.ParsePlatform(platform)
	if err != nil {
		return nil, err
	}
	created := v1.Time{Time: a.created.UTC()}
	img, err = mutate.Append(img, mutate.Addendum{Layer: layer, History: v1.History{Created: created, CreatedBy: program + " " + a.version}})
	if err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Variant, config.Created = parsed.OS, parsed.Architecture, parsed.Variant, created
	config.Config.Entrypoint = []string{binary}
	config.Config.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "GOGC=50"}
	config.Config.Labels = a.labels()
	if img, err = mutate.ConfigFile(img, config); err != nil {
		return nil, err
	}
	return mutate.Annotations(img, a.labels()).(v1.Image), nil
}

// rootfs is the one layer: the binary, a folder for temporary files, and the further files, all
// of root and of one time.
func rootfs(created time.Time, file string, files map[string]string) ([]byte, error) {
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	add := func(name string, mode int64, content []byte) error {
		h := &tar.Header{Name: strings.TrimPrefix(name, "/"), Mode: mode, Size: int64(len(content)), ModTime: created.UTC(), Typeflag: tar.TypeReg, Format: tar.FormatPAX}
		if strings.HasSuffix(name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		_, err := w.Write(content)
		return err
	}
	program, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	all := []func() error{
		func() error { return add("/tmp/", 0o1777, nil) },
		func() error { return add("/usr/", 0o755, nil) },
		func() error { return add("/usr/local/", 0o755, nil) },
		func() error { return add(path.Dir(binary)+"/", 0o755, nil) },
		func() error { return add(binary, 0o755, program) },
	}
	for _, name := range sorted(files) {
		all = append(all, func() error {
			content, err := os.ReadFile(files[name])
			if err != nil {
				return err
			}
			return add(name, 0o644, content)
		})
	}
	for _, step := range all {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}

// tell prints what a platform takes, in bytes: as it is sent, and as it lies on a disk.
func tell(out io.Writer, platform string, img v1.Image) error {
	manifest, err := img.Manifest()
	if err != nil {
		return err
	}
	layers, err := img.Layers()
	if err != nil {
		return err
	}
	sent, lies := manifest.Config.Size, int64(0)
	for i, layer := range layers {
		sent += manifest.Layers[i].Size
		content, err := layer.Uncompressed()
		if err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, content)
		if err = errors.Join(err, content.Close()); err != nil {
			return err
		}
		lies += n
	}
	digest, err := img.Digest()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s compressed %d uncompressed %d %s\n", platform, sent, lies, digest)
	return nil
}

// pushTo pushes the image of a layout, with the credentials that docker login has left.
func pushTo(folder, reference string, out io.Writer) error {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return err
	}
	outer, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		return err
	}
	manifest, err := outer.IndexManifest()
	if err != nil {
		return err
	}
	if len(manifest.Manifests) != 1 {
		return fmt.Errorf("%s holds %d images, want 1", folder, len(manifest.Manifests))
	}
	digest := manifest.Manifests[0].Digest
	index, err := outer.ImageIndex(digest)
	if err != nil {
		return err
	}
	if err := remote.WriteIndex(ref, index, remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s@%s\n", ref.Context().Name(), digest)
	return nil
}

func sorted(files map[string]string) []string { return slices.Sorted(maps.Keys(files)) }
