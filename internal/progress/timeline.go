package progress

import (
	"slices"
	"time"
)

const (
	// firstSlot is the length of a slot at first; maxSlots is how many there are at most: then
	// each becomes twice as long.
	firstSlot = time.Second
	maxSlots  = 600
	// maxPeriods bounds the periods of waiting that are told apart: then those go together
	// that are nearest to each other.
	maxPeriods = 200
)

// chart counts requests by slots of time, and keeps the periods of waiting. All times are
// since the beginning of the run.
type chart struct {
	slot  time.Duration
	all   []*series
	waits periods
}

// series are the requests to one service, by slot.
type series struct {
	name    string
	counted []int
}

func (c *chart) add(name string) *series {
	s := &series{name, make([]int, 0, maxSlots)}
	c.all = append(c.all, s)
	return s
}

// count enters a request.
func (c *chart) count(s *series, at time.Duration) {
	for at >= maxSlots*c.slot {
		c.slot *= 2
		for _, s := range c.all {
			s.counted = halved(s.counted)
		}
	}
	i := int(at / c.slot)
	for len(s.counted) <= i {
		s.counted = append(s.counted, 0)
	}
	s.counted[i]++
}

// halved adds up each two slots, in place.
func halved(counted []int) []int {
	for i, n := range counted {
		if i%2 == 0 {
			counted[i/2] = n
		} else {
			counted[i/2] += n
		}
	}
	return counted[:(len(counted)+1)/2]
}

// Period is one in which requests to a service waited, since the beginning of the run.
type Period struct {
	From, To     time.Duration
	Service, Why string
}

// periods are those of all services, by their beginning; an open one has no end yet.
type periods struct {
	all  []Period
	open map[string]int // by service
}

// begin begins to wait, or goes on: what was interrupted for less than a slot is one period.
func (p *periods) begin(service, why string, at, slot time.Duration) {
	if i, open := p.open[service]; open {
		if p.all[i].Why == why {
			return
		}
		p.all[i].To = at
	}
	if p.open == nil {
		p.open = map[string]int{}
	}
	last := p.last(service)
	if last < 0 || p.all[last].Why != why || at-p.all[last].To >= slot {
		p.thin()
		last = len(p.all)
		p.all = append(p.all, Period{From: at, Service: service, Why: why})
	}
	p.open[service] = last
}

func (p *periods) end(service string, at time.Duration) {
	if i, open := p.open[service]; open {
		p.all[i].To = at
		delete(p.open, service)
	}
}

// last is the latest period of a service; -1 for none.
func (p *periods) last(service string) int {
	for i := len(p.all) - 1; i >= 0; i-- {
		if p.all[i].Service == service {
			return i
		}
	}
	return -1
}

// thin makes room for one more period: the two of a service that are nearest become one. The
// one that lasted longer says why.
func (p *periods) thin() {
	if len(p.all) < maxPeriods {
		return
	}
	previous, into, from := map[string]int{}, -1, -1
	for i, period := range p.all {
		before, ok := previous[period.Service]
		if ok && (into < 0 || period.From-p.all[before].To < p.all[from].From-p.all[into].To) {
			into, from = before, i
		}
		previous[period.Service] = i
	}
	if from < 0 {
		return
	}
	a, b := &p.all[into], p.all[from]
	if b.To-b.From > a.To-a.From {
		a.Why = b.Why
	}
	a.To = b.To
	p.all = slices.Delete(p.all, from, from+1)
	for service, i := range p.open {
		if i == from {
			p.open[service] = into
		} else if i > from {
			p.open[service] = i - 1
		}
	}
}

// Timeline is what happened when, in no more slots than a picture can show.
type Timeline struct {
	Slot     time.Duration
	Services []Series
	Waits    []Period
}

// Series are the requests to a service, by slot.
type Series struct {
	Name     string
	Requests []int
}

// timeline is what happened until now. Series of one name are one.
func (c *chart) timeline(now time.Duration) Timeline {
	t := Timeline{Slot: c.slot, Waits: slices.Clone(c.waits.all)}
	for _, i := range c.waits.open {
		t.Waits[i].To = now
	}
	for _, s := range c.all {
		if len(s.counted) == 0 {
			continue
		}
		i := slices.IndexFunc(t.Services, func(o Series) bool { return o.Name == s.name })
		if i < 0 {
			i = len(t.Services)
			t.Services = append(t.Services, Series{Name: s.name})
		}
		of := &t.Services[i]
		for len(of.Requests) < len(s.counted) {
			of.Requests = append(of.Requests, 0)
		}
		for j, n := range s.counted {
			of.Requests[j] += n
		}
	}
	return t
}
