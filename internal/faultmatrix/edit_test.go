package faultmatrix_test

import "port-bitbucket-exporter/internal/bitbucket/bitbuckettest"

// listing is a list of Bitbucket, and what is read by it.
type listing string

const (
	projects     listing = "projects"
	repositories listing = "repositories"
	pullRequests listing = "pull requests"
	branches     listing = "branches"
	tree         listing = "tree"
	files        listing = "files" // one by one: no list
	overGit      listing = "git"   // folders and files at once: no list
)

// edit is what happens to the workspace while a run goes on. Nothing fails.
type edit struct {
	name  string
	list  listing // whose values it changes
	repo  string  // of which it is, unless it is of the whole workspace
	apply func(*bitbuckettest.Server)
	// back undoes it, later in the run; nil when it stays.
	back func(*bitbuckettest.Server)
	// unread is true when the repository stays in the list, and cannot be read.
	unread bool
	// holds are blueprints that a resource cannot answer for any more, since what its
	// selector names is not there.
	holds []string
}

// edited is the repository that edits are about: it stands on the first page, and its
// pull requests, folders and files fill more than one page each.
const edited = "billing"

// Edits of a visibility, by what is seen.
func see(v bitbuckettest.Visibility) func(*bitbuckettest.Server) {
	return func(b *bitbuckettest.Server) { b.SetVisibility(edited, v) }
}

func openOne(b *bitbuckettest.Server) {
	b.AddPullRequest(edited, bitbuckettest.PullRequest{Title: "A late one", CreatedOn: day(12), UpdatedOn: day(12)})
}

// end takes a pull request out of those that are open.
func end(id int, state string) func(*bitbuckettest.Server) {
	return func(b *bitbuckettest.Server) {
		b.UpdatePullRequest(edited, id, func(p *bitbuckettest.PullRequest) { p.State = state })
	}
}

func addRepository(b *bitbuckettest.Server) {
	b.AddRepository(bitbuckettest.Repository{Name: "zeta", ProjectKey: "OPS", Files: map[string]string{
		"README.md": "# Zeta\n", "services/zed/service.yml": "name: zed\ntier: 3\n",
	}})
	b.AddPullRequest("zeta", bitbuckettest.PullRequest{Title: "The first of zeta", CreatedOn: day(12), UpdatedOn: day(12)})
}

func removeRepository(b *bitbuckettest.Server) { b.RemoveRepository(edited) }

func addProjects(b *bitbuckettest.Server) {
	b.AddProject(bitbuckettest.Project{Key: "NEW", Name: "Project NEW"})
	b.AddProject(bitbuckettest.Project{Key: "NEWER", Name: "Project NEWER"})
}

// removeProjects takes two of the first page, which have repositories: of the two that
// move up from the second page one has none, to which Port would keep it.
func removeProjects(b *bitbuckettest.Server) {
	b.RemoveProject("PLAT")
	b.RemoveProject("DATA")
}

func addFile(b *bitbuckettest.Server) {
	b.SetFile(edited, "services/vat/service.yml", []byte("name: vat\ntier: 2\n"))
}

func removeFile(b *bitbuckettest.Server) { b.RemoveFile(edited, "services/fees/service.yml") }

// both is two edits at once: where one value goes and another comes, a list keeps its
// size, and all between them moves.
func both(first, second func(*bitbuckettest.Server)) func(*bitbuckettest.Server) {
	return func(b *bitbuckettest.Server) {
		first(b)
		second(b)
	}
}

var edits = []edit{
	{name: "projects are created", list: projects, apply: addProjects},
	{name: "projects are removed", list: projects, apply: removeProjects},
	{name: "projects are removed, others created", list: projects, apply: both(removeProjects, addProjects)},
	{name: "a project is renamed", list: projects, apply: func(b *bitbuckettest.Server) {
		b.UpdateProject("PLAT", func(p *bitbuckettest.Project) { p.Name = "Platform and more" })
	}},

	{name: "a repository is created", list: repositories, repo: edited, apply: addRepository},
	{name: "a repository is removed", list: repositories, repo: edited, apply: removeRepository},
	{name: "a repository is removed, another created", list: repositories, repo: edited, apply: both(removeRepository, addRepository)},
	{name: "a repository is renamed", list: repositories, repo: edited, apply: func(b *bitbuckettest.Server) { b.RenameRepository(edited, "Invoicing") }},
	{name: "a repository is renamed without a redirect", list: repositories, repo: edited, apply: func(b *bitbuckettest.Server) {
		b.UpdateRepository(edited, func(r *bitbuckettest.Repository) { r.Name, r.Slug = "Invoicing", "invoicing" })
	}},
	{name: "a repository goes to another project", list: repositories, repo: edited, apply: func(b *bitbuckettest.Server) {
		b.UpdateRepository(edited, func(r *bitbuckettest.Repository) { r.ProjectKey = "OPS" })
	}},
	{name: "a repository is transferred", list: repositories, repo: edited, apply: func(b *bitbuckettest.Server) { b.TransferRepository(edited, "globex", false) }},
	{name: "a repository is transferred, with a redirect", list: repositories, repo: edited, apply: func(b *bitbuckettest.Server) { b.TransferRepository(edited, "globex", true) }},
	{name: "a permission is lost", list: repositories, repo: edited, apply: see(bitbuckettest.NoPermission)},
	{name: "a permission is lost and given back", list: repositories, repo: edited, apply: see(bitbuckettest.NoPermission), back: see(bitbuckettest.Visible)},
	{name: "a permission is lost and given back, another repository created", list: repositories, repo: edited,
		apply: both(see(bitbuckettest.NoPermission), addRepository), back: see(bitbuckettest.Visible)},
	{name: "a repository is listed and 404", list: repositories, repo: edited, apply: see(bitbuckettest.ListedMissing), unread: true},
	{name: "a repository is listed and 403", list: repositories, repo: edited, apply: see(bitbuckettest.ListedForbidden), unread: true},
	{name: "a repository is listed and 404 for a while", list: repositories, repo: edited, apply: see(bitbuckettest.ListedMissing), back: see(bitbuckettest.Visible)},

	{name: "a pull request is opened", list: pullRequests, repo: edited, apply: openOne},
	{name: "a pull request is merged", list: pullRequests, repo: edited, apply: end(1, "MERGED")},
	{name: "a pull request is declined", list: pullRequests, repo: edited, apply: end(2, "DECLINED")},
	{name: "a pull request is merged, another opened", list: pullRequests, repo: edited, apply: both(end(1, "MERGED"), openOne)},
	{name: "a pull request is edited", list: pullRequests, repo: edited, apply: func(b *bitbuckettest.Server) {
		b.UpdatePullRequest(edited, 1, func(p *bitbuckettest.PullRequest) { p.Title, p.UpdatedOn = "A better title", day(12) })
	}},

	{name: "a branch is removed", list: branches, repo: "gateway", apply: func(b *bitbuckettest.Server) { b.RemoveBranch("gateway", "release/1.x") }, holds: []string{"script"}},

	{name: "a file is removed", list: tree, repo: edited, apply: removeFile},
	{name: "a folder is removed", list: tree, repo: edited, apply: func(b *bitbuckettest.Server) { b.RemoveFolder(edited, "services/tax") }},
	{name: "a file is added", list: tree, repo: edited, apply: addFile},
	{name: "a file is removed, another added", list: tree, repo: edited, apply: both(removeFile, addFile)},
	{name: "a commit is pushed", list: tree, repo: edited, apply: func(b *bitbuckettest.Server) {
		b.SetFile(edited, "README.md", []byte("# Billing, again\n"))
		b.SetFile(edited, "services/tax/service.yml", []byte("name: tax\ntier: 3\n"))
	}},
}
