package bitbuckettest

import (
	"cmp"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

// mediaHost is where files of Git LFS are kept.
const mediaHost = "https://api.media.atlassian.com"

// attributesOf a file, see Server.SetAttributes.
func (r *repository) attributesOf(path string) list {
	attributes := list{}
	for _, a := range r.attributes[path] {
		attributes = append(attributes, a)
	}
	return attributes
}

// raw is the file itself, or for one of Git LFS a redirect to another host. The ETag is a bare number that
// depends on the content alone. The type of a Markdown or YAML file, of a Jenkinsfile or .gitattributes is
// text/plain; that of others is assumed to go by the extension, as the documentation says.
// Source: recorded answers, and
// https://developer.atlassian.com/cloud/bitbucket/rest/api-group-source/#api-repositories-workspace-repo-slug-src-commit-path-get,
// read 2026-11.
func (e *entry) raw(v view, q *request) *answer {
	if slices.Contains(e.repo.attributes[e.path], "lfs") {
		a := respond(http.StatusFound, "text/html", nil)
		if v.w.options.MovedLFS {
			a.status = http.StatusMovedPermanently
		}
		id := uuidOf("lfs", e.content)
		a.header.Set("Location", cmp.Or(v.w.options.MediaHost, mediaHost)+"/file/"+id[1:len(id)-1]+"/binary?token="+hashOf("token", e.content))
		return a
	}
	contentType := "text/plain"
	switch mime := mimeType(e.path); mime {
	case "text/markdown", "application/x-yaml", "":
	default:
		contentType = mime
	}
	a := respond(http.StatusOK, contentType, []byte(e.content))
	etag := strconv.FormatUint(numberOf("etag", e.content), 10)
	a.header.Set("ETag", etag)
	a.header.Set("X-Content-Type-Options", "nosniff")
	if q.Header.Get("If-None-Match") == etag {
		a.status, a.body = http.StatusNotModified, nil
	}
	return a
}

// mimeType goes by the extension; "" when it is not known.
func mimeType(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".md", ".markdown":
		return "text/markdown"
	case ".json":
		return "application/json"
	case ".yml", ".yaml":
		return "application/x-yaml"
	case ".txt":
		return "text/plain"
	case ".go":
		return "text/x-go"
	case ".py":
		return "text/x-python"
	case ".xml":
		return "application/xml"
	case ".html":
		return "text/html"
	}
	return ""
}
