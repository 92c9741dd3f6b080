package gitwiretest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// lsRefs answers the command ls-refs: HEAD, then all refs by name.
// Source: https://git-scm.com/docs/protocol-v2#_ls_refs, read 2026-11.
func (r *Repository) lsRefs(c *Command) ([]byte, error) {
	for _, a := range c.arguments {
		prefix, isPrefix := strings.CutPrefix(a, "ref-prefix ")
		switch {
		case isPrefix:
			c.Prefixes = append(c.Prefixes, prefix)
		case a == "peel", a == "symrefs", a == "unborn":
			if c.flags[a] {
				return nil, fmt.Errorf("argument %q twice", a)
			}
			c.flags[a] = true
		default:
			return nil, fmt.Errorf("unknown argument %q of ls-refs", a)
		}
	}
	asked := func(name string) bool {
		return len(c.Prefixes) == 0 || slices.ContainsFunc(c.Prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	var w writer
	if asked("HEAD") {
		r.lsHead(&w, c)
	}
	for _, name := range slices.Sorted(maps.Keys(r.refs)) {
		if asked(name) {
			w.packet("%s %s%s\n", r.refs[name], name, r.peeled(r.refs[name], c))
		}
	}
	w.WriteString(flushPacket)
	return w.Bytes(), nil
}

func (r *Repository) lsHead(w *writer, c *Command) {
	target := ""
	if c.flags["symrefs"] && r.head != "" {
		target = " symref-target:" + r.head
	}
	h := r.headHash()
	switch {
	case h != Hash{}:
		w.packet("%s HEAD%s%s\n", h, target, r.peeled(h, c))
	case c.flags["unborn"] && target != "":
		w.packet("unborn HEAD%s\n", target)
	}
}

func (r *Repository) peeled(h Hash, c *Command) string {
	if to := r.peel(h); c.flags["peel"] && to != h {
		return " peeled:" + to.String()
	}
	return ""
}

// advertisement is that of version 2, or of version 0 for who does not ask for it.
func (r *Repository) advertisement(o Options, v2 bool) []byte {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var w writer
	if !v2 || o.ServiceLine {
		w.packet("# service=git-upload-pack\n")
		w.WriteString(flushPacket)
	}
	if !v2 {
		r.version0(&w, o)
		return w.Bytes()
	}
	w.packet("version 2\n")
	w.packet("agent=git/gitwiretest\n")
	w.packet("ls-refs=unborn\n")
	var features []string
	if !o.NoShallow {
		features = append(features, "shallow")
	}
	features = append(features, "wait-for-done")
	if !o.NoFilter {
		features = append(features, "filter")
	}
	w.packet("fetch=%s\n", strings.Join(features, " "))
	w.packet("server-option\n")
	w.packet("object-format=%s\n", o.format())
	w.WriteString(flushPacket)
	return w.Bytes()
}

// version0 advertises what Bitbucket Cloud did in 2025, when it ran git 2.51: among it filters, and wants of tips
// and of what they lead to. Source: the answer that a client's test holds,
// https://github.com/google/osv-scalibr/blob/main/veles/secrets/gitbasicauth/bitbucket/validator_test.go, read 2026-11.
func (r *Repository) version0(w *writer, o Options) {
	capabilities := []string{"multi_ack", "thin-pack", "side-band", "side-band-64k", "ofs-delta"}
	if !o.NoShallow {
		capabilities = append(capabilities, "shallow", "deepen-since", "deepen-not", "deepen-relative")
	}
	capabilities = append(capabilities, "no-progress", "include-tag", "multi_ack_detailed")
	if !o.TipsOnly {
		capabilities = append(capabilities, "allow-tip-sha1-in-want", "allow-reachable-sha1-in-want")
	}
	capabilities = append(capabilities, "no-done")
	if r.head != "" && r.headHash() != (Hash{}) {
		capabilities = append(capabilities, "symref=HEAD:"+r.head)
	}
	if !o.NoFilter {
		capabilities = append(capabilities, "filter")
	}
	capabilities = append(capabilities, "object-format="+o.format(), "agent=git/gitwiretest")
	first := true
	line := func(h Hash, name string) {
		if first {
			name += "\x00" + strings.Join(capabilities, " ")
			first = false
		}
		w.packet("%s %s\n", h, name)
	}
	if h := r.headHash(); h != (Hash{}) {
		line(h, "HEAD")
	}
	for _, name := range slices.Sorted(maps.Keys(r.refs)) {
		line(r.refs[name], name)
	}
	if len(r.refs) == 0 {
		line(Hash{}, "capabilities^{}")
	}
	w.WriteString(flushPacket)
}

func (o Options) format() string {
	if o.SHA256 {
		return "sha256"
	}
	return "sha1"
}
