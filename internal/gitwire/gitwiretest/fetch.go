package gitwiretest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// errServer is an error that is not a mistake of the client's; its text goes into an ERR packet.
type errServer string

func (e errServer) Error() string { return string(e) }

// fetch answers the command fetch.
// Source: https://git-scm.com/docs/protocol-v2#_fetch, read 2026-11, and git 2.39 upload-pack.c.
func (r *Repository) fetch(c *Command, o Options) ([]byte, error) {
	if err := c.parseFetch(o); err != nil {
		return nil, err
	}
	if o.Err != "" {
		return nil, errServer(o.Err)
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	wants, err := r.wanted(c, o)
	if err != nil {
		return nil, err
	}
	var w writer
	haves := r.common(c.Haves)
	if len(c.Haves) > 0 && !c.Done {
		w.packet("acknowledgments\n")
		for _, h := range haves {
			w.packet("ACK %s\n", h)
		}
		if len(haves) == 0 {
			w.packet("NAK\n")
		}
		if len(haves) == 0 || c.flags["wait-for-done"] {
			w.WriteString(flushPacket)
			return w.Bytes(), nil
		}
		w.packet("ready\n")
		w.WriteString(delimPacket)
	}
	objects, bases := r.answer(&w, c, wants, haves)
	w.packet("packfile\n")
	if !c.flags["thin-pack"] {
		bases = nil
	}
	if o.Deltas == OfsDeltas && !c.flags["ofs-delta"] {
		o.Deltas = RefDeltas
	}
	pack := o.pack(objects, bases)
	if o.Pack != nil {
		pack = o.Pack(pack)
	}
	o.bands(&w, pack, !c.flags["no-progress"], len(objects))
	return w.Bytes(), nil
}

// parseFetch reads the arguments. None may come twice but those that are lists, nor an item of a list but a
// want: git itself asks for HEAD and for its branch.
func (c *Command) parseFetch(o Options) error {
	known := []string{"done", "thin-pack", "no-progress", "include-tag", "ofs-delta", "wait-for-done"}
	for _, a := range c.arguments {
		word, value, valued := strings.Cut(a, " ")
		list := map[string]*[]string{"want": &c.Wants, "have": &c.Haves, "shallow": &c.Shallow}[word]
		switch {
		case list != nil:
			if _, ok := ParseHash(value); !ok {
				return fmt.Errorf("argument %q is no hash", a)
			}
			if word != "want" && slices.Contains(*list, value) {
				return fmt.Errorf("argument %q twice", a)
			}
			*list = append(*list, value)
			if word == "shallow" && o.NoShallow {
				return fmt.Errorf("shallow was not advertised")
			}
			continue
		case c.flags[word]:
			return fmt.Errorf("argument %q twice", word)
		case !valued && slices.Contains(known, word):
		case word == "deepen" && !o.NoShallow:
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 {
				return fmt.Errorf("argument %q is no depth", a)
			}
			c.Depth = n
		case word == "filter" && o.NoFilter:
			return fmt.Errorf("filter was not advertised")
		case a == "filter blob:none", a == "filter tree:0":
			c.Filter = value
		default:
			return fmt.Errorf("unknown argument %q of fetch", a)
		}
		c.flags[word] = true
	}
	c.Done = c.flags["done"]
	if len(c.Wants) == 0 {
		return errors.New("a fetch without a want")
	}
	return nil
}

// wanted are the objects that a client names. One that is not there is no mistake: it may have been removed.
func (r *Repository) wanted(c *Command, o Options) ([]Hash, error) {
	var wants []Hash
	for _, text := range c.Wants {
		h, _ := ParseHash(text)
		of, ok := r.objects[h]
		switch {
		case !ok,
			o.NoBlobWants && of.kind != KindCommit && of.kind != KindTag,
			o.TipsOnly && !r.tip(h):
			return nil, errServer("upload-pack: not our ref " + text)
		}
		wants = append(wants, h)
	}
	return wants, nil
}

func (r *Repository) tip(h Hash) bool {
	if h == r.headHash() {
		return true
	}
	for _, at := range r.refs {
		if at == h {
			return true
		}
	}
	return false
}

// common are the commits of the client's that are there.
func (r *Repository) common(haves []string) []Hash {
	var all []Hash
	for _, text := range haves {
		if h, _ := ParseHash(text); r.objects[h].kind != 0 {
			all = append(all, h)
		}
	}
	return all
}

// answer writes the section on shallow commits, and finds what is sent and what the client has.
func (r *Repository) answer(w *writer, c *Command, wants, haves []Hash) (objects, has []found) {
	var shallow []Hash
	for _, text := range c.Shallow {
		h, _ := ParseHash(text)
		shallow = append(shallow, h)
	}
	ends := shallow
	if c.Depth > 0 {
		boundary, within := r.boundary(wants, c.Depth)
		w.packet("shallow-info\n")
		for _, h := range boundary {
			if !slices.Contains(shallow, h) {
				w.packet("shallow %s\n", h)
			}
		}
		for _, h := range shallow {
			if within[h] && !slices.Contains(boundary, h) {
				w.packet("unshallow %s\n", h)
			}
		}
		w.WriteString(delimPacket)
		ends = boundary
	}
	old := newWalk(r, "", shallow, nil)
	old.history(haves)
	all := newWalk(r, c.Filter, ends, old.seen)
	named := wants
	if c.flags["include-tag"] {
		named = append(slices.Clone(wants), r.tagsOf(wants)...)
	}
	all.history(named)
	return all.out, old.out
}

// tagsOf are the tags that lead to what is sent; of those, git sends the ones of the tips.
func (r *Repository) tagsOf(wants []Hash) []Hash {
	var tags []Hash
	for name, h := range r.refs {
		if strings.HasPrefix(name, "refs/tags/") && r.objects[h].kind == KindTag && slices.Contains(wants, r.peel(h)) {
			tags = append(tags, h)
		}
	}
	slices.SortFunc(tags, func(a, b Hash) int { return slices.Compare(a[:], b[:]) })
	return tags
}

// bands puts a pack into packets of a side band.
func (o Options) bands(w *writer, pack []byte, progress bool, objects int) {
	size := maxBand
	if o.PacketSize > 0 {
		size = min(size, o.PacketSize)
	}
	if progress {
		w.band(2, fmt.Appendf(nil, "Enumerating objects: %d, done.\n", objects))
	}
	middle := len(pack) / 2
	for at := 0; at < len(pack); {
		if o.KeepAlive {
			w.band(1, nil)
		}
		if o.Progress {
			w.band(2, fmt.Appendf(nil, "Compressing objects: %d%%\r", 100*at/len(pack)))
		}
		n := min(size, len(pack)-at)
		if at <= middle && (o.Band3 != "" || o.Band4) {
			n = min(n, middle-at)
		}
		w.band(1, pack[at:at+n])
		at += n
		if at == middle && o.Band3 != "" {
			w.band(3, []byte(o.Band3))
			return
		}
		if at == middle && o.Band4 {
			w.band(4, []byte("?"))
			middle = -1
		}
	}
	if !o.NoFlush {
		w.WriteString(flushPacket)
	}
}
