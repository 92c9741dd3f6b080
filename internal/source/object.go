package source

import (
	"encoding/json"
	"strconv"
	"strings"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/transport"
)

// Root is the root folder, which is in no listing.
func (c *Commit) Root() Entry { return Entry{Entry: bitbucket.Entry{Type: Folder}} }

// Object returns an entry with the fields that a listing of Bitbucket's API has of it.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-source/, and answers of the API, read 2026-11.
func (c *Commit) Object(e Entry) (bitbucket.Object, error) {
	if e.JSON != nil {
		return bitbucket.Decode(e.JSON)
	}
	to, err := c.linker()
	if err != nil {
		return nil, err
	}
	hash, path := c.at.Hash, strings.TrimPrefix(transport.Path(strings.Split(e.Path, "/")...), "/")
	self := "/src/" + hash + "/" + path
	if e.Type == Folder && e.Path != "" {
		self += "/"
	}
	links := bitbucket.Object{"self": to.link("self", self), "meta": to.link("self", self+"?format=meta")}
	object := bitbucket.Object{
		"type": e.Type, "path": e.Path, "links": links,
		"commit": bitbucket.Object{"type": "commit", "hash": hash, "links": bitbucket.Object{
			"self": to.link("self", "/commit/"+hash), "html": to.link("html", "/commits/"+hash),
		}},
	}
	if e.Type == Folder {
		return object, nil
	}
	links["history"] = to.link("self", "/filehistory/"+hash+"/"+path)
	attributes := make([]any, len(e.Attributes))
	for i, a := range e.Attributes {
		attributes[i] = a
	}
	object["attributes"], object["escaped_path"] = attributes, path
	object["size"], object["mimetype"] = json.Number(strconv.FormatInt(e.Size, 10)), nil
	return object, nil
}

// linker makes links below those of a repository.
type linker struct{ links bitbucket.Object }

// linker is that of the commit's repository.
func (c *Commit) linker() (linker, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.links == nil {
		repository, err := bitbucket.Decode(c.at.Repository.JSON)
		if err != nil {
			return linker{}, err
		}
		c.links, _ = repository["links"].(bitbucket.Object)
	}
	return linker{c.links}, nil
}

// link is below one of the repository's, by its key; its address is null where the
// repository has none.
func (l linker) link(key, behind string) bitbucket.Object {
	to, _ := l.links[key].(bitbucket.Object)
	href, ok := to["href"].(string)
	if !ok {
		return bitbucket.Object{"href": nil}
	}
	return bitbucket.Object{"href": href + behind}
}

// AsksForLinks reports whether only Bitbucket's API knows the links of an entry: its path has
// characters that some programs escape in addresses, and others do not.
//
// Source: https://www.rfc-editor.org/rfc/rfc3986#section-3.3, read 2026-11.
func (e Entry) AsksForLinks() bool {
	return e.overGit() && strings.ContainsAny(e.Path, "!$&'()*+,;=:@~")
}
