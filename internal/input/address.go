package input

import (
	"crypto/x509"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// address reads a base URL. The text is in no problem: it may hold a password.
func address(v value) string {
	fix := "write an address such as " + v.standard
	u, err := url.Parse(v.text)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		v.problem(fix, "it is not an address that begins with https:// and a host")
	case u.User != nil:
		v.problem(fix+"; credentials have inputs of their own", "it holds a username or password")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(v.text, "#"):
		v.problem(fix, "it has a part after \"?\" or \"#\"")
	case u.Scheme == "http" && !loopback(u.Hostname()) && !private(u.Hostname()):
		v.problem("write https:// instead of http://",
			"plain http would send credentials unencrypted to %s; it is allowed to this machine and within a private network only", u.Hostname())
	default:
		if u.Scheme == "http" && !loopback(u.Hostname()) {
			v.rep.warn("%s: plain http sends credentials unencrypted to %s, within a private network", location(v.id, v.from), u.Hostname())
		}
		u.Host = strings.ToLower(u.Host)
		return strings.TrimRight(u.String(), "/")
	}
	return ""
}

// loopback reports whether a request to the host stays on this machine.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// private reports whether a host is none of the public internet: a service of a test, say, next to
// the container of this program.
//
// Source: RFC 1918, RFC 4193, RFC 6761, RFC 6762 and RFC 8375; .internal is reserved by ICANN, 2024-07.
func private(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().IsPrivate() || addr.IsUnspecified()
	}
	name := strings.ToLower(host)
	top := name[strings.LastIndexByte(name, '.')+1:]
	if top == "" || top[0] >= '0' && top[0] <= '9' { // of the root, or an address in another form
		return false
	}
	return top == name || slices.Contains([]string{"localhost", "local", "internal", "test"}, top) || strings.HasSuffix(name, ".home.arpa")
}

// portAddress reads a base URL without the version that other tools of Port want in it.
func portAddress(v value) string {
	return strings.TrimRight(strings.TrimSuffix(address(v), "/v1"), "/")
}

// workspacePattern takes a workspace's slug or its UUID in curly braces, as the
// API does. Source: the workspace parameter in Bitbucket's API description, read 2026-11.
var workspacePattern = regexp.MustCompile(`^(?:[a-z0-9_.-]+|\{[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\})$`)

func validWorkspace(text string) bool {
	return workspacePattern.MatchString(text) && strings.Trim(text, ".") != ""
}

func workspace(v value) string {
	text := strings.ToLower(v.text)
	if !v.ok() || validWorkspace(text) {
		return text
	}
	if slug, ok := workspaceOfAddress(text); ok {
		v.problem("write "+slug, "it is an address, not the slug of a workspace")
		return ""
	}
	v.problem(`write the part of the workspace's address after bitbucket.org/, such as "acme"`,
		"it is not the slug of a workspace: letters, digits, \"-\", \"_\" and \".\"")
	return ""
}

// workspaceOfAddress finds the slug in an address of Bitbucket's website or API.
func workspaceOfAddress(text string) (string, bool) {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Hostname() != "bitbucket.org" && !strings.HasSuffix(u.Hostname(), ".bitbucket.org") {
		return "", false
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		switch segment {
		case "", "2.0", "workspaces", "workspace", "repositories":
			continue
		}
		return segment, validWorkspace(segment)
	}
	return "", false
}

// identifierPattern is Port's pattern of identifiers without "/" and "\", which would end
// the name of the datasource. What Go's tables of Unicode do not know yet is accepted: it
// may be a letter in Port's.
//
// Source: Port's API description (schema of an entity), read 2026-11.
var identifierPattern = regexp.MustCompile(`^[\p{L}\p{Cn}0-9@_.+:=-]+$`)

func identifier(v value) string {
	if !identifierPattern.MatchString(v.text) || v.text == "." || v.text == ".." {
		v.problem(`write letters, digits and the characters @ _ . + : = - only, such as "bitbucket-acme"`,
			"%q is not an identifier that Port takes", v.text)
		return ""
	}
	return v.text
}

// authorities reads the file of certificates that the input names.
func authorities(v value) []byte {
	if v.text == "" || v.readFile == nil {
		return nil
	}
	text, err := v.readFile(v.text)
	if err != nil {
		v.problem("give the path of a file that this program can read, from the working directory", "%q cannot be read: %v", v.text, cause(err))
		return nil
	}
	if !x509.NewCertPool().AppendCertsFromPEM(text) {
		v.problem(`give a file in PEM, with "-----BEGIN CERTIFICATE-----" in it`, "%q holds no certificate", v.text)
		return nil
	}
	return text
}
