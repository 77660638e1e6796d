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
	// Close is that clients hang up, until the server has forgotten all streams.
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

// Growth measures a server of its own, c's with a [GrowthSetup].
func Growth(ctx context.Context, s *Server, c contender.Contender, series string, size int, t Timing) (GrowthSample, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	g := &growth{server: s, contender: c, size: size, timing: t, sample: GrowthSample{Units: map[Unit]time.Duration{}}}
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
	list := func() error {
		got, err := client.List(ctx)
		return check(err, got == g.size, "got %d tools", got)
	}
	for _, unit := range []struct {
		unit   Unit
		before func() error
	}{
		{ListAll, func() error { return nil }},
		{ListAnew, func() error { return client.Do(ctx, tools.Change) }},
	} {
		d, err := median(g.timing.Measure, unit.before, list)
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
	start := time.Now()
	crowd, err := contender.Gather(ctx, g.server.Addr, kind, g.size)
	if err != nil {
		return err
	}
	g.per(Open, time.Since(start))
	hungUp := false
	defer func() {
		if !hungUp {
			crowd.Close()
		}
	}()
	after, err := g.server.Collect()
	if err != nil {
		return err
	}
	g.sample.Bytes = float64(after.RSS-before.RSS) / float64(g.size)
	err = g.withClient(ctx, func(ctx context.Context, client contender.Caller) error {
		if err := g.measureCalls(ctx, client); err != nil {
			return err
		}
		return g.measureNews(ctx, crowd, kind, client)
	})
	if err != nil {
		return err
	}
	start, hungUp = time.Now(), true
	crowd.Close()
	if err := g.forgotten(ctx, before.Goroutines); err != nil {
		return err
	}
	g.per(Close, time.Since(start))
	return nil
}

// measureNews tells the crowd something, again and again.
func (g *growth) measureNews(ctx context.Context, crowd *contender.Crowd, kind contender.Kind, client contender.Caller) error {
	nothing := func() error { return nil }
	changed, err := median(g.timing.Measure, nothing, func() error {
		return crowd.Hear(ctx, contender.ListChanged, func() error { return client.Do(ctx, tools.Change) })
	})
	if err != nil {
		return err
	}
	g.per(TellList, changed)
	if kind == contender.Sessions {
		return nil
	}
	updated, err := median(g.timing.Measure, nothing, func() error {
		return crowd.Hear(ctx, contender.ResourceUpdated, func() error { return client.Do(ctx, tools.Update) })
	})
	if err != nil {
		return err
	}
	g.per(TellResource, updated)
	return nil
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
// of how long it took. What is done before each time does not count.
func median(d time.Duration, before, do func() error) (time.Duration, error) {
	var took []time.Duration
	for start := time.Now(); len(took) < 3 || time.Since(start) < d; {
		if err := before(); err != nil {
			return 0, err
		}
		begun := time.Now()
		if err := do(); err != nil {
			return 0, err
		}
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}
