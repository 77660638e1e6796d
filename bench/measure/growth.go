// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/mcpconnect/mcpconnect/bench/contender"
	"github.com/mcpconnect/mcpconnect/bench/tools"
)

// A Series is something of which a server may have few or many.
type Series struct {
	Name, About string
	Sizes       []int
}

// Names of the series.
const (
	GrowingSessions  = string(contender.Sessions)
	GrowingListeners = string(contender.Listeners)
	GrowingTools     = "tools"
)

// AllSeries are all that there are. 10,000 sessions are what a server takes by default.
var AllSeries = []Series{
	{GrowingSessions, "legacy sessions, each on a Connect stream", []int{1, 100, 1000, 10_000}},
	{GrowingListeners, "Listen streams, each for changes of the tools and of a resource", []int{1, 100, 1000, 10_000}},
	{GrowingTools, "tools on the server", []int{10, 1000, 10_000}},
}

// A GrowthSample is what a server does while it has so many of a series.
type GrowthSample struct {
	At16, At64 Sample // small calls on the multiplexed stream meanwhile
	// Units is how long something took that was done with all of them, divided by their
	// number.
	Units map[Unit]time.Duration
	Bytes float64 `json:",omitempty"` // of memory of the server's process for each of them; 0 where unknown
}

// A Unit is something that is done with all sessions, listeners or tools.
type Unit string

const (
	// Open is that clients open all streams, many at a time.
	Open Unit = "open"
	// Close is that the process of the clients ends, until the server has forgotten all streams.
	Close Unit = "close"
	// TellList is that a tool changes, until each client has been told that the list did. It
	// includes the 10 ms that the SDK waits for more changes.
	TellList Unit = "list_changed"
	// TellResource is that a resource is updated, until each client has been told.
	TellResource Unit = "resource_updated"
	// ListAll is that all tools are listed, page by page.
	ListAll Unit = "list"
	// ListAnew is the same, directly after a tool has changed.
	ListAnew Unit = "list_after_change"
)

// GrowthSetup is the setup of the server that [Growth] measures.
func GrowthSetup(series string, size int) contender.Setup {
	setup := contender.Setup{Registration: tools.Low, Tools: tools.Changing, Changing: true}
	if series == GrowingTools {
		setup.Tools = size
	}
	return setup
}

// Growth measures a server of its own, c's with a [GrowthSetup]. exe is the path of this
// program, which is run again for the streams.
func Growth(ctx context.Context, exe string, s *Server, c contender.Contender, series string, size int, t Timing) (GrowthSample, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	g := &growth{exe: exe, server: s, size: size, timing: t, sample: GrowthSample{Units: map[Unit]time.Duration{}}}
	client, err := c.Dial(ctx, s.Addr, 64)
	if err != nil {
		return g.sample, err
	}
	var ok bool
	if g.client, ok = client.(contender.Caller); !ok {
		err = fmt.Errorf("clients of %s call no other tools", c.Name())
	} else if series == GrowingTools {
		err = g.measureTools(ctx)
	} else {
		err = g.measureCrowd(ctx, contender.Kind(series))
	}
	return g.sample, errors.Join(err, client.Close())
}

// A growth is one measurement of a size.
type growth struct {
	exe    string
	server *Server
	client contender.Caller
	size   int
	timing Timing
	sample GrowthSample
}

func (g *growth) per(unit Unit, d time.Duration) { g.sample.Units[unit] = d / time.Duration(g.size) }

func (g *growth) measureCalls(ctx context.Context) (err error) {
	small := FindCase(Small).Call
	if g.sample.At16, err = Run(ctx, g.server, g.client, small, 16, g.timing); err == nil {
		g.sample.At64, err = Run(ctx, g.server, g.client, small, 64, g.timing)
	}
	return err
}

// do calls a tool.
func (g *growth) do(ctx context.Context, tool string) error {
	_, err := g.client.Do(ctx, tool)
	return err
}

func (g *growth) measureTools(ctx context.Context) error {
	if err := g.measureCalls(ctx); err != nil {
		return err
	}
	for _, unit := range []struct {
		unit   Unit
		before func() error
	}{
		{ListAll, func() error { return nil }},
		{ListAnew, func() error { return g.do(ctx, tools.Change) }},
	} {
		d, err := median(g.timing.Measure, func() (time.Duration, error) {
			if err := unit.before(); err != nil {
				return 0, err
			}
			start := time.Now()
			got, err := g.client.List(ctx)
			return time.Since(start), check(err, got == g.size, "got %d tools", got)
		})
		if err != nil {
			return err
		}
		g.per(unit.unit, d)
	}
	return nil
}

func (g *growth) measureCrowd(ctx context.Context, kind contender.Kind) error {
	sessions, err := g.sessions(ctx)
	if err != nil {
		return err
	}
	before, err := g.server.Collect()
	if err != nil {
		return err
	}
	crowd, took, err := startCrowd(g.exe, g.server.Addr, kind, g.size)
	if err != nil {
		return err
	}
	g.per(Open, took)
	err = g.withCrowd(ctx, crowd, kind, before)
	start := time.Now()
	if err := errors.Join(err, crowd.hangUp()); err != nil {
		return err
	}
	if err := g.forgotten(ctx, sessions); err != nil {
		return err
	}
	g.per(Close, time.Since(start))
	return nil
}

// withCrowd measures while there is a crowd; before are the counters from before.
func (g *growth) withCrowd(ctx context.Context, crowd *crowd, kind contender.Kind, before Counters) error {
	after, err := g.server.Collect()
	if err != nil {
		return err
	}
	g.sample.Bytes = float64(after.RSS-before.RSS) / float64(g.size)
	if err := g.measureCalls(ctx); err != nil {
		return err
	}
	if err := g.measureNews(TellList, crowd, contender.ListChanged, func() error { return g.do(ctx, tools.Change) }); err != nil {
		return err
	}
	if kind == contender.Sessions {
		return nil
	}
	return g.measureNews(TellResource, crowd, contender.ResourceUpdated, func() error { return g.do(ctx, tools.Update) })
}

// measureNews tells the crowd something, again and again.
func (g *growth) measureNews(unit Unit, crowd *crowd, news contender.News, tell func() error) error {
	d, err := median(g.timing.Measure, func() (time.Duration, error) { return crowd.hear(news, tell) })
	g.per(unit, d)
	return err
}

// sessions gives how many sessions the SDK has; each stream of a crowd has one. Goroutines
// would not tell as much: some are kept for what comes next.
func (g *growth) sessions(ctx context.Context) (int, error) {
	text, err := g.client.Do(ctx, tools.Sessions)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}

// forgotten waits until the server has no more sessions than before, but for one that stands
// for all modern clients of the crowd's kind.
func (g *growth) forgotten(ctx context.Context, before int) error {
	for {
		n, err := g.sessions(ctx)
		if err != nil || n <= before+1 {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("the server still has %d sessions, %d before there was a stream: %w", n, before, ctx.Err())
		}
		wait(ctx, time.Millisecond)
	}
}

// median does something as often as goes into d, three times at least, and gives the median
// of how long it took.
func median(d time.Duration, do func() (time.Duration, error)) (time.Duration, error) {
	var all []time.Duration
	for start := time.Now(); len(all) < 3 || time.Since(start) < d; {
		took, err := do()
		if err != nil {
			return 0, err
		}
		all = append(all, took)
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}
