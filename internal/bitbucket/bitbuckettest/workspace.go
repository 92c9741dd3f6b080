package bitbuckettest

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// workspace is what all kinds of content share.
type workspace struct {
	slug   string
	lists  listCache[item]
	users  sync.Map // userKey -> object
	schema func() map[string]node

	mu       sync.RWMutex // guards what follows, and all content
	omitSize bool
	options  Options
	maxPage  int    // 0: as long as asked for
	gen      uint64 // grows with every change of content
	clock    time.Time
	begun    map[string]int // content of a kind and name, with what is gone
}

func newWorkspace(slug string) *workspace {
	return &workspace{slug: slug, clock: time.Date(2024, time.January, 5, 10, 0, 0, 0, time.UTC), begun: make(map[string]int)}
}

// content is one kind of what a workspace holds.
type content interface {
	routes() []*route
	// examples adds content, and returns it by the name of its list: nothing in it is null. What another kind
	// needs is there, when that comes before.
	examples(v view) map[string]object
}

// item is what a list holds.
type item interface {
	tree(v view) object
}

// view renders for one request. It is used with workspace.mu held for reading.
type view struct {
	w    *workspace
	base string
}

// tick moves the server's clock on: no two objects share a date.
func (w *workspace) tick() time.Time {
	w.clock = w.clock.Add(37*time.Minute + 11*time.Second + 120*time.Millisecond)
	return w.clock
}

func (w *workspace) stamp(created, updated *time.Time) {
	if created.IsZero() {
		*created = w.tick()
	}
	if updated != nil && updated.IsZero() {
		*updated = w.tick()
	}
}

// seed is what uuids and hashes of something new derive from: a key or slug that was there before makes another.
func (w *workspace) seed(kind, name string) string {
	w.begun[kind+"/"+name]++
	if n := w.begun[kind+"/"+name]; n > 1 {
		return name + "#" + strconv.Itoa(n)
	}
	return name
}

func (w *workspace) change(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gen++
	f()
}

func (w *workspace) routes() []*route {
	return []*route{{path: "/workspaces/{workspace}", granular: "read:workspace:bitbucket", parameters: []string{"fields"},
		handle: func(v view, q *request) *answer { return v.respond(q, v.workspaceTree()) }}}
}

func (w *workspace) examples(view) map[string]object { return nil }

// respond applies `fields` and writes the tree.
func (v view) respond(q *request, o object) *answer {
	if q.query.Has("fields") {
		f, err := parseFields(q.query.Get("fields"))
		if err != nil {
			return refuse(http.StatusBadRequest, err.Error()).noted(err.Error())
		}
		o = f.apply(o)
	}
	return respondJSON(http.StatusOK, o)
}

func (v view) workspaceTree() object {
	slug := v.w.slug
	return object{
		{"type", "workspace", shown},
		{"uuid", uuidOf("workspace", slug), shown},
		{"name", title(slug), shown},
		{"slug", slug, shown},
		{"links", links(
			"avatar", site+"workspaces/"+slug+"/avatar/",
			"html", site+slug+"/",
			"self", v.base+"/workspaces/"+slug,
		), shown},
	}
}

func (v view) ownerTree() object {
	slug := v.w.slug
	if owner := v.w.options.Owner; owner != nil {
		return v.account(*owner, uuidOf("workspace", slug))
	}
	return object{
		{"type", "team", shown},
		{"username", slug, shown},
		{"display_name", title(slug), shown},
		{"uuid", uuidOf("workspace", slug), shown},
		{"links", links(
			"self", v.base+"/workspaces/"+slug,
			"html", site+slug+"/",
			"avatar", site+"account/"+slug+"/avatar/",
		), shown},
	}
}

// User is an account. Its uuid and account id derive from Name.
type User struct {
	Name     string // display name
	Nickname string // "" derives it from Name
}

type userKey struct{ base, name, nickname string }

func (v view) user(u User) object {
	key := userKey{v.base, u.Name, u.Nickname}
	if o, ok := v.w.users.Load(key); ok {
		return o.(object)
	}
	o := v.account(u, uuidOf("user", u.Name))
	v.w.users.Store(key, o)
	return o
}

func (v view) account(u User, uuid string) object {
	escaped := url.PathEscape(uuid)
	return object{
		{"display_name", u.Name, shown},
		{"links", links(
			"self", v.base+"/users/"+escaped,
			"avatar", site+"account/"+escaped+"/avatar/",
			"html", site+escaped+"/",
		), shown},
		{"type", "user", shown},
		{"uuid", uuid, shown},
		{"account_id", accountID(u), shown},
		{"nickname", cmp.Or(u.Nickname, Slug(u.Name)), shown},
	}
}

// accountID has one of two forms. Source: recorded answers.
func accountID(u User) string {
	if numberOf("account", u.Name)%4 == 0 {
		return hashOf("account", u.Name)[:24]
	}
	account := uuidOf("account", u.Name)
	return "557058:" + account[1:len(account)-1]
}
