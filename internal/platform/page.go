package platform

import (
	"regexp"
	"strings"
)

// env works like os.Getenv.
type env = func(name string) string

// pageOf is empty when a part is.
func pageOf(server, repository, between, commit string) string {
	if server == "" || repository == "" || commit == "" {
		return ""
	}
	return server + "/" + repository + between + commit + "/"
}

// hosts are where the pages of files of well-known hosts are, by the way from the repository
// to the commit, and from the path to the line.
var hosts = map[string]struct{ between, line string }{
	"github.com":    {"/blob/", "#L"},
	"gitlab.com":    {"/-/blob/", "#L"},
	"bitbucket.org": {"/src/", "#lines-"},
}

// cloned takes the address that git clones apart, as https://host/path.git, ssh://git@host/path
// or git@host:path, without a user's name and token.
var cloned = regexp.MustCompile(`^(?:https://|ssh://)?(?:[^/@]*@)?([\w.-]+)[/:]([\w.~/-]+?)(?:\.git)?/?$`)

// hosted is the Checkout of a repository that is named by the address that git clones.
func hosted(clone, commit string) (page, line string) {
	parts := cloned.FindStringSubmatch(clone)
	if parts == nil {
		return "", ""
	}
	host := strings.ToLower(parts[1])
	at, known := hosts[host]
	if !known {
		return "", ""
	}
	return pageOf("https://"+host, parts[2], at.between, commit), at.line
}
