package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
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
func pushTo(folder, reference string, out io.Writer, options ...remote.Option) error {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return err
	}
	outer, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		return err
	}
	index, err := only(outer)
	if err != nil {
		return err
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	if err := remote.WriteIndex(ref, index, append(options, remote.WithAuthFromKeychain(authn.DefaultKeychain))...); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s@%s\n", ref.Context().Name(), digest)
	return nil
}

func sorted(files map[string]string) []string { return slices.Sorted(maps.Keys(files)) }

// unpack lays the files of one platform into a folder, as a container would see them.
func unpack(folder, platform, into string) error {
	img, err := imageOf(folder, platform)
	if err != nil {
		return err
	}
	files := mutate.Extract(img)
	defer files.Close()
	return extract(tar.NewReader(files), into)
}

// list prints what a container of one platform gets: its settings, and its files with mode, owner
// and digest. It leaves out labels and times, which say who built the image, and when.
func list(folder, platform string, out io.Writer) error {
	img, err := imageOf(folder, platform)
	if err != nil {
		return err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return err
	}
	settings := config.DeepCopy().Config
	settings.Labels = nil
	text, err := json.MarshalIndent(settings, "", "  ")
	if err != nil {
		return err
	}
	content := mutate.Extract(img)
	defer content.Close()
	files, err := describe(tar.NewReader(content))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n%s\n", text, strings.Join(files, "\n"))
	return err
}

// describe returns a line for each file, in the order of their names.
func describe(files *tar.Reader) ([]string, error) {
	var lines []string
	for {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			slices.Sort(lines)
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
		line := fmt.Sprintf("/%s %s %d:%d", strings.Trim(h.Name, "/"), h.FileInfo().Mode(), h.Uid, h.Gid)
		switch h.Typeflag {
		case tar.TypeDir:
		case tar.TypeReg:
			digest := sha256.New()
			if _, err := io.Copy(digest, files); err != nil {
				return nil, err
			}
			line += fmt.Sprintf(" %x", digest.Sum(nil))
		default:
			line += " to " + h.Linkname
		}
		lines = append(lines, line)
	}
}

// imageOf returns the image of one platform, from a layout that ship or another builder wrote.
func imageOf(folder, platform string) (v1.Image, error) {
	index, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		return nil, err
	}
	img, err := imageIn(index, platform)
	if err == nil && img == nil {
		err = fmt.Errorf("%s is not in the image", platform)
	}
	return img, err
}

// imageIn returns nil where the platform is not in the index. Ship puts an index of platforms into
// that of the layout; others put the image there, and may not name its platform.
func imageIn(index v1.ImageIndex, platform string) (v1.Image, error) {
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	for _, m := range manifest.Manifests {
		if m.MediaType.IsIndex() {
			inner, err := index.ImageIndex(m.Digest)
			if err != nil {
				return nil, err
			}
			if img, err := imageIn(inner, platform); img != nil || err != nil {
				return img, err
			}
			continue
		}
		img, err := index.Image(m.Digest)
		if err != nil {
			return nil, err
		}
		config, err := img.ConfigFile()
		if err != nil {
			return nil, err
		}
		if config.OS+"/"+config.Architecture == platform {
			return img, nil
		}
	}
	return nil, nil
}

func extract(files *tar.Reader, into string) error {
	root, err := os.OpenRoot(into)
	if err != nil {
		return err
	}
	defer root.Close()
	for {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(h.Name, "/")
		if h.Typeflag == tar.TypeDir {
			if err := root.MkdirAll(name, 0o755); err != nil {
				return err
			}
			if err := root.Chmod(name, h.FileInfo().Mode()); err != nil {
				return err
			}
			continue
		}
		content, err := io.ReadAll(files)
		if err != nil {
			return err
		}
		if err := root.WriteFile(name, content, h.FileInfo().Mode().Perm()); err != nil {
			return err
		}
	}
}

// only is the one image of a layout.
func only(outer v1.ImageIndex) (v1.ImageIndex, error) {
	manifest, err := outer.IndexManifest()
	if err != nil {
		return nil, err
	}
	if len(manifest.Manifests) != 1 {
		return nil, fmt.Errorf("the layout holds %d images, want 1", len(manifest.Manifests))
	}
	return outer.ImageIndex(manifest.Manifests[0].Digest)
}
