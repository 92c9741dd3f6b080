// Ship makes of ready binaries what a release needs beside them. The same binaries, version and
// time give the same bytes, wherever and whenever it runs.
//
//	ship image -layout out -version 1.2.3 -revision 1a2b3c -created 2026-11-30T12:00:00Z \
//	    -source https://github.com/acme/x -file /LICENSE=LICENSE linux/amd64=bin/x linux/arm64=bin/x-arm64
//	ship push -layout out ghcr.io/acme/x:1.2.3
//	ship unpack -layout out -platform linux/amd64 folder
//	ship list -layout out -platform linux/amd64
//	ship sbom -format spdx -notice NOTICE -created 2026-11-30T12:00:00Z -out x.spdx.json bin/x
//
// image puts them into one image for several platforms, as an OCI layout, and prints its digest and
// the size of each platform; push sends it to a registry, with the credentials that docker login
// has left; unpack lays its files into a folder; list prints its settings and files, to compare with
// another image; sbom lists the modules in a binary, with the licences that NOTICE names.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "ship:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	commands := map[string]func([]string, io.Writer) error{"image": runImage, "push": runPush, "unpack": runUnpack, "list": runList, "sbom": runSBOM}
	if len(args) == 0 || commands[args[0]] == nil {
		return errors.New("the first argument is image, push, unpack, list or sbom")
	}
	return commands[args[0]](args[1:], out)
}

func runImage(args []string, out io.Writer) error {
	var a about
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	folder := flags.String("layout", "", "the `folder` of the OCI layout")
	flags.StringVar(&a.version, "version", "", "the version, without v")
	flags.StringVar(&a.revision, "revision", "", "the commit")
	flags.StringVar(&a.source, "source", "", "the address of the source")
	flags.Func("created", "the time of the commit, in RFC 3339", moment(&a.created))
	files := map[string]string{}
	flags.Func("file", "a further file, `path=source`", func(text string) error { return pair(files, text) })
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *folder == "" || a.version == "" || a.created.IsZero() || flags.NArg() == 0 {
		return errors.New("image needs -layout, -version, -created and a platform=binary")
	}
	platforms := map[string]string{}
	for _, text := range flags.Args() {
		if err := pair(platforms, text); err != nil {
			return err
		}
	}
	return build(*folder, a, files, flags.Args(), platforms, out)
}

func runPush(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("push", flag.ContinueOnError)
	folder := flags.String("layout", "", "the `folder` of the OCI layout")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *folder == "" || flags.NArg() == 0 {
		return errors.New("push needs -layout and a reference")
	}
	for _, reference := range flags.Args() {
		if err := pushTo(*folder, reference, out); err != nil {
			return err
		}
	}
	return nil
}

func runUnpack(args []string, _ io.Writer) error {
	flags := flag.NewFlagSet("unpack", flag.ContinueOnError)
	folder := flags.String("layout", "", "the `folder` of the OCI layout")
	platform := flags.String("platform", "linux/amd64", "the platform")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *folder == "" || flags.NArg() != 1 {
		return errors.New("unpack needs -layout and a folder")
	}
	return unpack(*folder, *platform, flags.Arg(0))
}

func runList(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("list", flag.ContinueOnError)
	folder := flags.String("layout", "", "the `folder` of the OCI layout")
	platform := flags.String("platform", "linux/amd64", "the platform")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *folder == "" || flags.NArg() != 0 {
		return errors.New("list needs -layout")
	}
	return list(*folder, *platform, out)
}

func runSBOM(args []string, out io.Writer) error {
	var p parts
	flags := flag.NewFlagSet("sbom", flag.ContinueOnError)
	format := flags.String("format", "", "cyclonedx or spdx")
	notice := flags.String("notice", "NOTICE", "the `file` that names the licences of the modules")
	file := flags.String("out", "", "the `file` to write")
	flags.StringVar(&p.version, "version", "", "the version, without v")
	flags.StringVar(&p.source, "source", "", "the address of the source")
	flags.Func("created", "the time of the commit, in RFC 3339", moment(&p.created))
	if err := flags.Parse(args); err != nil {
		return err
	}
	write := formats[*format]
	if write == nil || *file == "" || p.created.IsZero() || flags.NArg() != 1 {
		return errors.New("sbom needs -format cyclonedx or spdx, -out, -created and one binary")
	}
	if err := p.read(flags.Arg(0), *notice); err != nil {
		return err
	}
	text, err := write(p)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %d modules\n", *file, len(p.modules))
	return os.WriteFile(*file, text, 0o644)
}

// moment is the value of a flag that is a time in RFC 3339.
func moment(into *time.Time) func(string) error {
	return func(text string) (err error) {
		*into, err = time.Parse(time.RFC3339, text)
		*into = into.UTC()
		return err
	}
}

func pair(into map[string]string, text string) error {
	key, value, found := strings.Cut(text, "=")
	if !found || key == "" || value == "" {
		return fmt.Errorf("%q is not of the form name=file", text)
	}
	into[key] = value
	return nil
}
