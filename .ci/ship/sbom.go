package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/CycloneDX/cyclonedx-go"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"
)

// parts are what is in a binary.
type parts struct {
	version, source string
	created         time.Time
	digest          string // of the binary, SHA-256 in hex
	goVersion       string // without go
	modules         []module
}

type module struct{ path, version, licence string }

// purl is a module by the address that both formats know.
func (m module) purl() string { return "pkg:golang/" + m.path + "@" + m.version }

// heading is how NOTICE names a module and its licence.
var heading = regexp.MustCompile(`(?m)^([a-z0-9.]+\.[a-z]+/\S+), (\S+): `)

// read reads the modules that Go noted in the binary. Each needs a licence in the notice.
func (p *parts) read(binary, notice string) error {
	content, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	p.digest = hex.EncodeToString(sum[:])
	info, err := buildinfo.Read(bytes.NewReader(content))
	if err != nil {
		return err
	}
	p.goVersion = strings.TrimPrefix(info.GoVersion, "go")
	text, err := os.ReadFile(notice)
	if err != nil {
		return err
	}
	licences := map[string]string{}
	for _, m := range heading.FindAllStringSubmatch(string(text), -1) {
		licences[m[1]] = m[2]
	}
	for _, d := range info.Deps {
		if licences[d.Path] == "" {
			return fmt.Errorf("%s does not name the licence of %s", notice, d.Path)
		}
		p.modules = append(p.modules, module{d.Path, d.Version, licences[d.Path]})
	}
	if len(p.modules) == 0 {
		return fmt.Errorf("%s names no module", binary)
	}
	return nil
}

// all are the modules and Go itself.
func (p parts) all() []module {
	return append([]module{{"stdlib", "v" + p.goVersion, "BSD-3-Clause"}}, p.modules...)
}

var formats = map[string]func(parts) ([]byte, error){"cyclonedx": cyclone, "spdx": spdxDocument}

// cyclone is the list as CycloneDX 1.6. Its serial number is made of what the binary holds.
//
// Source: https://cyclonedx.org/docs/1.6/json/, read 2026-11.
func cyclone(p parts) ([]byte, error) {
	b := cyclonedx.NewBOM()
	d := p.digest
	b.SerialNumber = fmt.Sprintf("urn:uuid:%s-%s-8%s-8%s-%s", d[:8], d[8:12], d[13:16], d[17:20], d[20:32])
	root := cyclonedx.Component{
		BOMRef: program, Type: cyclonedx.ComponentTypeApplication, Name: program, Version: p.version,
		Licenses: licensed("MIT"), Hashes: &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: p.digest}},
	}
	b.Metadata = &cyclonedx.Metadata{Timestamp: p.created.Format(time.RFC3339), Component: &root}
	var components []cyclonedx.Component
	var refs []string
	dependencies := []cyclonedx.Dependency{}
	for _, m := range p.all() {
		components = append(components, cyclonedx.Component{
			BOMRef: m.purl(), Type: cyclonedx.ComponentTypeLibrary, Name: m.path, Version: m.version, PackageURL: m.purl(), Licenses: licensed(m.licence),
		})
		refs = append(refs, m.purl())
		dependencies = append(dependencies, cyclonedx.Dependency{Ref: m.purl()})
	}
	dependencies = append([]cyclonedx.Dependency{{Ref: program, Dependencies: &refs}}, dependencies...)
	b.Components, b.Dependencies = &components, &dependencies
	var out bytes.Buffer
	encoder := cyclonedx.NewBOMEncoder(&out, cyclonedx.BOMFileFormatJSON)
	encoder.SetPretty(true)
	err := encoder.EncodeVersion(b, cyclonedx.SpecVersion1_6)
	return out.Bytes(), err
}

func licensed(id string) *cyclonedx.Licenses {
	return &cyclonedx.Licenses{{License: &cyclonedx.License{ID: id}}}
}

// spdxDocument is the list as SPDX 2.3.
//
// Source: https://spdx.github.io/spdx-spec/v2.3/, read 2026-11.
func spdxDocument(p parts) ([]byte, error) {
	root := &spdx.Package{
		PackageName: program, PackageSPDXIdentifier: "Package-" + program, PackageVersion: p.version, PrimaryPackagePurpose: "APPLICATION",
		PackageDownloadLocation: noAssertion(p.source), PackageLicenseConcluded: "MIT", PackageLicenseDeclared: "MIT", PackageCopyrightText: "NOASSERTION",
		PackageChecksums: []common.Checksum{{Algorithm: common.SHA256, Value: p.digest}},
	}
	document := &spdx.Document{
		SPDXVersion: spdx.Version, DataLicense: spdx.DataLicense, SPDXIdentifier: "DOCUMENT", DocumentName: program + "-" + p.version,
		DocumentNamespace: noAssertion(p.source) + "/spdx/" + p.digest,
		CreationInfo:      &spdx.CreationInfo{Created: p.created.Format(time.RFC3339), Creators: []common.Creator{{CreatorType: "Tool", Creator: program + "-ship"}}},
		Packages:          []*spdx.Package{root},
		Relationships:     []*spdx.Relationship{related("DOCUMENT", "DESCRIBES", root.PackageSPDXIdentifier)},
	}
	unfit := regexp.MustCompile(`[^A-Za-z0-9.]+`)
	for _, m := range p.all() {
		id := common.ElementID("Package-" + unfit.ReplaceAllString(m.path, "-"))
		document.Packages = append(document.Packages, &spdx.Package{
			PackageName: m.path, PackageSPDXIdentifier: id, PackageVersion: m.version, PrimaryPackagePurpose: "LIBRARY",
			PackageDownloadLocation: "NOASSERTION", PackageLicenseConcluded: "NOASSERTION", PackageLicenseDeclared: m.licence, PackageCopyrightText: "NOASSERTION",
			PackageExternalReferences: []*spdx.PackageExternalReference{{Category: "PACKAGE-MANAGER", RefType: "purl", Locator: m.purl()}},
		})
		document.Relationships = append(document.Relationships, related(root.PackageSPDXIdentifier, "DEPENDS_ON", id))
	}
	var out bytes.Buffer
	err := spdxjson.Write(document, &out, spdxjson.Indent("  "))
	return out.Bytes(), err
}

func related(from common.ElementID, how string, to common.ElementID) *spdx.Relationship {
	return &spdx.Relationship{RefA: common.MakeDocElementID("", string(from)), RefB: common.MakeDocElementID("", string(to)), Relationship: how}
}

func noAssertion(text string) string {
	if text == "" {
		return "NOASSERTION"
	}
	return text
}
