package bitbuckettest

import "slices"

// shelf holds what the repositories have in lists of their own: it goes with its repository.
type shelf[T any] struct {
	repositories *repositories
	by           map[*repository][]T
}

func newShelf[T any](rs *repositories) shelf[T] {
	return shelf[T]{repositories: rs, by: map[*repository][]T{}}
}

func (s shelf[T]) ws() *workspace { return s.repositories.ws }

// add puts what make returns after all that a repository has. It may be made of the repository, and of how many
// there are before it.
func (s shelf[T]) add(slug string, make func(r *repository, before int) T) {
	s.ws().change(func() {
		r := s.repositories.must(slug)
		s.by[r] = append(s.by[r], make(r, len(s.by[r])))
	})
}

// update changes one of a repository that is there.
func (s shelf[T]) update(slug string, is func(T) bool, f func(*T)) {
	s.ws().change(func() {
		of := s.by[s.repositories.must(slug)]
		at := slices.IndexFunc(of, is)
		if at < 0 {
			panic("bitbuckettest: no such content in " + slug)
		}
		f(&of[at])
	})
}

// remove removes those of a repository that are meant.
func (s shelf[T]) remove(slug string, are func(T) bool) {
	s.ws().change(func() {
		r := s.repositories.must(slug)
		s.by[r] = slices.DeleteFunc(s.by[r], are)
	})
}

// items are those of a repository in their order, or the other way round.
func items[T item](all []T, backwards bool) []item {
	some := make([]item, len(all))
	for i, one := range all {
		if backwards {
			i = len(all) - 1 - i
		}
		some[i] = one
	}
	return some
}

// rack holds what the workspace has in a list of its own, in its order.
type rack[T item] struct {
	ws  *workspace
	all []T
}

func (k *rack[T]) add(one T) { k.ws.change(func() { k.all = append(k.all, one) }) }

// update changes one that is there.
func (k *rack[T]) update(is func(T) bool, f func(*T)) {
	k.ws.change(func() {
		at := slices.IndexFunc(k.all, is)
		if at < 0 {
			panic("bitbuckettest: no such content in the workspace")
		}
		f(&k.all[at])
	})
}

// remove removes those that are meant.
func (k *rack[T]) remove(are func(T) bool) {
	k.ws.change(func() { k.all = slices.DeleteFunc(k.all, are) })
}
