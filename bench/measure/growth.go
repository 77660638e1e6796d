// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	setup := contender.Setup{Registration: tools.Low, Tools: tools.Few + 2, Changing: true}
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
	g := &growth{exe: exe, server: s, contender: c, size: size, timing: t, sample: GrowthSample{Units: map[Unit]time.Duration{}}}
	var err error
	if series == GrowingTools {
		err = g.withClient(ctx, g.measureTools)
	} else {
		err = g.measureCrowd(ctx, contender.Kind(series))
	}
	return g.sample, err
}

// A growth is one measurement of a size.
type growth struct {
	exe       string
	server    *Server
	contender contender.Contender
	size      int
	timing    Timing
	sample    GrowthSample
}

func (g *growth) per(unit Unit, d time.Duration) { g.sample.Units[unit] = d / time.Duration(g.size) }

// withClient has measure use a client.
func (g *growth) withClient(ctx context.Context, measure func(context.Context, contender.Caller) error) error {
	client, err := g.contender.Dial(ctx, g.server.Addr, 64)
	if err != nil {
		return err
	}
	caller, ok := client.(contender.Caller)
	if !ok {
		err = fmt.Errorf("clients of %s call no other tools", g.contender.Name())
	} else {
		err = measure(ctx, caller)
	}
	return errors.Join(err, client.Close())
}

func (g *growth) measureCalls(ctx context.Context, client contender.Client) (err error) {
	small := FindCase(Small).Call
	if g.sample.At16, err = Run(ctx, g.server, client, small, 16, g.timing); err == nil {
		g.sample.At64, err = Run(ctx, g.server, client, small, 64, g.timing)
	}
	return err
}

func (g *growth) measureTools(ctx context.Context, client contender.Caller) error {
	if err := g.measureCalls(ctx, client); err != nil {
		return err
	}
	for _, unit := range []struct {
		unit   Unit
		before func() error
	}{
		{ListAll, func() error { return nil }},
		{ListAnew, func() error { return client.Do(ctx, tools.Change) }},
	} {
		d, err := median(g.timing.Measure, func() (time.Duration, error) {
			if err := unit.before(); err != nil {
				return 0, err
			}
			start := time.Now()
			got, err := client.List(ctx)
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
	if err := g.forgotten(ctx, before.Goroutines); err != nil {
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
	return g.withClient(ctx, func(ctx context.Context, client contender.Caller) error {
		if err := g.measureCalls(ctx, client); err != nil {
			return err
		}
		if err := g.measureNews(TellList, crowd, contender.ListChanged, func() error { return client.Do(ctx, tools.Change) }); err != nil {
			return err
		}
		if kind == contender.Sessions {
			return nil
		}
		return g.measureNews(TellResource, crowd, contender.ResourceUpdated, func() error { return client.Do(ctx, tools.Update) })
	})
}

// measureNews tells the crowd something, again and again.
func (g *growth) measureNews(unit Unit, crowd *crowd, news contender.News, tell func() error) error {
	d, err := median(g.timing.Measure, func() (time.Duration, error) { return crowd.hear(news, tell) })
	g.per(unit, d)
	return err
}

// forgotten waits until the server has about as few goroutines as before.
func (g *growth) forgotten(ctx context.Context, before int) error {
	for {
		c, err := g.server.Counters()
		if err != nil {
			return err
		}
		if c.Goroutines <= before+g.size/100+8 {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("the server still has %d goroutines, %d before there was a stream: %w", c.Goroutines, before, ctx.Err())
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
