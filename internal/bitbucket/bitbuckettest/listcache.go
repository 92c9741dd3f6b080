package bitbuckettest

import "sync"

// listCache, which is a type of its own, remembers which items a list holds, so that turning its pages does not filter and sort the
// collection each time. It is dropped with every change of content.
type listCache[T any] struct {
	mu    sync.Mutex
	gen   uint64
	lists map[string][]T
}

const maxCachedLists = 4096

func (c *listCache[T]) get(key string, gen uint64) ([]T, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gen != gen || len(c.lists) > maxCachedLists {
		c.gen, c.lists = gen, nil
	}
	l, ok := c.lists[key]
	return l, ok
}

func (c *listCache[T]) put(key string, gen uint64, l []T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gen != gen {
		return
	}
	if c.lists == nil {
		c.lists = make(map[string][]T)
	}
	c.lists[key] = l
}
