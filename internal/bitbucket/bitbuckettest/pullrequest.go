package bitbuckettest

import "strconv"

func (p *pullRequest) tree(v view) object {
	seed := p.repo.seed + "/" + strconv.Itoa(p.ID)
	sourceHash := hashOf("source", seed)[:12]
	destinationHash := hashOf("destination", seed)[:12]
	if head := p.repo.head(); head != nil {
		destinationHash = head.hash[:12]
	}
	var author, mergeCommit, closedBy, source any
	if p.Author != nil {
		author = v.user(*p.Author)
	}
	if p.State == "MERGED" {
		mergeCommit = v.commitStub(p.repo, hashOf("merge", seed)[:12])
	}
	if p.State != "OPEN" {
		closedBy = author
	}
	repo := v.rendered(p.repo).stub
	if !p.DeletedFork {
		source = repo
	}
	return object{
		{"comment_count", p.ID % 5, shown},
		{"task_count", 0, shown},
		{"type", "pullrequest", shown},
		{"id", p.ID, shown},
		{"title", p.Title, shown},
		{"description", p.Description, shown},
		{"state", p.State, shown},
		{"draft", p.Draft, shown},
		{"merge_commit", mergeCommit, shown},
		{"close_source_branch", p.ID%2 == 0, shown},
		{"closed_by", closedBy, shown},
		{"author", author, shown},
		{"reason", "", shown},
		{"created_on", timestamp(p.CreatedOn), shown},
		{"updated_on", timestamp(p.UpdatedOn), shown},
		{"destination", v.endpoint(p.repo, p.DestinationBranch, false, destinationHash, repo), shown},
		{"source", v.endpoint(p.repo, p.SourceBranch, true, sourceHash, source), shown},
		{"links", v.pullRequestLinks(p, sourceHash, destinationHash), shown},
		{"summary", rendered(p.Description), shown},
		{"reviewers", v.reviewers(p), hidden},
		{"participants", v.participants(p), hidden},
	}
}

func rendered(text string) object {
	html := ""
	if text != "" {
		html = "<p>" + text + "</p>"
	}
	return object{
		{"type", "rendered", shown},
		{"raw", text, shown},
		{"markup", "markdown", shown},
		{"html", html, shown},
	}
}

func (v view) endpoint(r *repository, branch string, withLinks bool, hash string, repo any) object {
	b := object{{"name", branch, shown}}
	if withLinks {
		b = append(b, member{"links", object{}, shown})
	}
	return object{
		{"branch", b, shown},
		{"commit", v.commitStub(r, hash), shown},
		{"repository", repo, shown},
	}
}

func (v view) pullRequestLinks(p *pullRequest, source, destination string) object {
	full, id := v.s.workspace+"/"+p.repo.Slug, strconv.Itoa(p.ID)
	repo := v.base + "/repositories/" + full
	self := repo + "/pullrequests/" + id
	spec := "/" + full + ":" + source + "%0D" + destination + "?from_pullrequest_id=" + id + "&topic=true"
	return links(
		"self", self,
		"html", site+full+"/pull-requests/"+id,
		"commits", self+"/commits",
		"approve", self+"/approve",
		"request-changes", self+"/request-changes",
		"diff", repo+"/diff"+spec,
		"diffstat", repo+"/diffstat"+spec,
		"comments", self+"/comments",
		"activity", self+"/activity",
		"merge", self+"/merge",
		"decline", self+"/decline",
		"statuses", self+"/statuses",
	)
}

func (v view) reviewers(p *pullRequest) list {
	l := make(list, len(p.Reviewers))
	for i, u := range p.Reviewers {
		l[i] = v.user(u)
	}
	return l
}

func (v view) participants(p *pullRequest) list {
	all := p.Participants
	if all == nil {
		for _, u := range p.Reviewers {
			all = append(all, Participant{User: u})
		}
	}
	l := make(list, len(all))
	for i, a := range all {
		role := a.Role
		if role == "" {
			role = "REVIEWER"
		}
		l[i] = object{
			{"type", "participant", shown},
			{"user", v.user(a.User), shown},
			{"role", role, shown},
			{"approved", a.Approved, shown},
			{"state", textOrNull(a.State), shown},
			{"participated_on", timestampOrNull(a.ParticipatedOn), shown},
		}
	}
	return l
}
