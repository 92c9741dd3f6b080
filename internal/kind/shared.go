package kind

import (
	"iter"
	"sync"

	"port-bitbucket-exporter/internal/bitbucket"
	"port-bitbucket-exporter/internal/spool"
)

// sharedLists are lists that this run has read to their end and that more than one resource may read,
// where no memory between runs has them. Their JSON is in the spool. It is safe for concurrent use.
type sharedLists struct {
	spool *spool.Spool
	all   sync.Map // the *sharedList of an id
}

type sharedList struct {
	of      *sharedLists
	id      string
	objects []spool.Blob
	none    *None // nil where the repository has such a list
}

// of yields the objects of a list that was read in this run, or its *None; nil for another one.
func (s *sharedLists) of(a agedList) iter.Seq2[Found, error] {
	if !a.shared {
		return nil
	}
	known, ok := s.all.Load(a.id())
	if !ok {
		return nil
	}
	return func(yield func(Found, error) bool) {
		list := known.(*sharedList)
		if list.none != nil {
			yield(Found{}, list.none)
			return
		}
		for _, blob := range list.objects {
			object, err := s.read(blob)
			if !yield(Found{Object: object}, err) || err != nil {
				return
			}
		}
	}
}

func (s *sharedLists) read(blob spool.Blob) (Object, error) {
	text, err := s.spool.Read(blob)
	if err != nil {
		return nil, err
	}
	return bitbucket.Decode(text)
}

// keeper is for a list that begins to be read; nil where it is not shared, or remembered in another way.
func (s *sharedLists) keeper(a agedList, remembered bool) *sharedList {
	if !a.shared || remembered {
		return nil
	}
	return &sharedList{of: s, id: a.id()}
}

// add is for each object of the list.
func (l *sharedList) add(o bitbucket.Listed) {
	if l != nil {
		l.objects = append(l.objects, l.of.spool.Put(o.JSON))
	}
}

// isNone is for a list that the repository does not have.
func (l *sharedList) isNone(n *None) {
	if l != nil {
		l.none = n
	}
}

// end is for a list that was read to its end.
func (l *sharedList) end() {
	if l != nil {
		l.of.all.Store(l.id, l)
	}
}
