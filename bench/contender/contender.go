// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package contender holds the ways to serve and to call the tools that the benchmark
// compares. Each is a type in a file of its own, or a row of one, and stands in [All].
package contender

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/bench/tools"
)

// A Contender is a server and the client for it. Serve and Dial run in different
// processes.
type Contender interface {
	// Name is how tables and ratios call it: short, in lower case, with dashes.
	Name() string
	// Serve serves the tools on ln until ctx ends. Its error then does not matter.
	Serve(ctx context.Context, ln net.Listener, setup Setup) error
	// Dial gives a client of the server at addr that has up to inFlight calls going at a
	// time. It is set up as well as its documentation says how.
	Dial(ctx context.Context, addr string, inFlight int) (Client, error)
}

// A Client makes calls. Its methods are safe for concurrent use. They read the whole
// answer into the types that users of the client get; who cannot do a call returns an
// error that is [errors.ErrUnsupported].
type Client interface {
	// Add calls the tool "add" and gives the text of its result.
	Add(ctx context.Context, a, b int64) (string, error)
	// Sum calls the tool "sum" and gives what its structured result says.
	Sum(ctx context.Context, a, b int64) (int64, error)
	// Text calls the tool "text" and gives its text.
	Text(ctx context.Context) (string, error)
	// Blob reads the resource.
	Blob(ctx context.Context) ([]byte, error)
	// List lists the tools, all pages, and gives how many there are.
	List(ctx context.Context) (int, error)
	// Progress calls the tool "progress" and gives how often it told its progress.
	Progress(ctx context.Context) (int, error)
	// Close frees the client. No calls are in flight.
	Close() error
}

// A Caller is a client that calls any tool without arguments.
type Caller interface {
	Client
	// Do calls the tool and gives the text of its result.
	Do(ctx context.Context, tool string) (string, error)
}

// An Idler is a contender whose clients can keep streams open that carry nothing.
type Idler interface {
	Contender
	// Idle opens n streams over as few connections as the contender's settings allow, and
	// returns what closes them.
	Idle(ctx context.Context, addr string, n int) (func(), error)
}

// Setup says what a server serves.
type Setup struct {
	Registration tools.Registration
	Tools        int  // how many
	Changing     bool // it is a [tools.NewChangingServer]
}

func (s Setup) server() *mcp.Server {
	if s.Changing {
		return tools.NewChangingServer(s.Registration, s.Tools)
	}
	return tools.NewServer(s.Registration, s.Tools)
}

// All are the contenders that serve by themselves, in the order of the tables.
func All() []Contender {
	return slices.Concat(ours(), sdkHTTP(), mcpGo(), grpcGo(), bareConnect(), rawHTTP(), rawTCP())
}

// Find gives the contender of a name.
func Find(name string) (Contender, error) {
	for _, c := range slices.Concat(All(), Children()) {
		if c.Name() == name {
			return c, nil
		}
	}
	return nil, fmt.Errorf("no contender is called %q", name)
}

// until runs stop when ctx ends, and serve until then.
func until(ctx context.Context, serve func() error, stop func()) error {
	defer context.AfterFunc(ctx, stop)()
	return serve()
}

// tickets counts the progress of calls whose notifications come on a goroutine of their
// own, by token. The zero value is ready for use.
type tickets struct {
	calls sync.Map // of token to *ticket
}

type ticket struct {
	mu   sync.Mutex
	n    int
	full chan struct{}
}

func (t *tickets) open(token string) *ticket {
	k := &ticket{full: make(chan struct{})}
	t.calls.Store(token, k)
	return k
}

// count counts one notification.
func (t *tickets) count(token any) {
	v, ok := t.calls.Load(token)
	if !ok {
		return
	}
	k := v.(*ticket) //nolint:errcheck // nothing else is stored
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.n++; k.n == tools.Steps {
		close(k.full)
	}
}

// stragglers is how long notifications may be handled after the result.
const stragglers = 2 * time.Second

// wait gives how many notifications came.
func (t *tickets) wait(ctx context.Context, token string, k *ticket) (int, error) {
	defer t.calls.Delete(token)
	late, cancel := context.WithTimeout(ctx, stragglers)
	defer cancel()
	select {
	case <-k.full:
	case <-late.Done():
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.n < tools.Steps && ctx.Err() == nil {
		return k.n, fmt.Errorf("%d of %d notifications came", k.n, tools.Steps)
	}
	return k.n, ctx.Err()
}
