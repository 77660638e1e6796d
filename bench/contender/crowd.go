// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package contender

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"

	"github.com/mcpconnect/mcpconnect/bench/tools"
	"github.com/mcpconnect/mcpconnect/interop/gen/mcpv1grpc"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// A Kind of client is what a [Crowd] consists of.
type Kind string

const (
	// Sessions are legacy clients: each has a session on a Connect stream, as the SDK's
	// client on our Transport has.
	Sessions Kind = "sessions"
	// Listeners are modern clients: each has a Listen stream for changes of the list of
	// tools and of the resource.
	Listeners Kind = "listeners"
)

// News is what a crowd is told of.
type News string

const (
	// ListChanged is that the list of tools has changed.
	ListChanged News = "notifications/tools/list_changed"
	// ResourceUpdated is that the resource has been updated. Listeners alone subscribe to it.
	ResourceUpdated News = "notifications/resources/updated"
)

// A Crowd is many clients of our server that wait for what it tells, on few connections.
// They are grpc-go's, which costs them least.
type Crowd struct {
	size    int
	conns   []*grpc.ClientConn
	hangUp  context.CancelFunc
	members sync.WaitGroup
	awaited atomic.Pointer[awaited]
	broken  chan error // why the first stream ended
}

// awaited is what each member has yet to be told.
type awaited struct {
	news News
	left atomic.Int64
	all  chan struct{}
}

// A listening gives the next that its member is told.
type listening func() (News, error)

// Gather opens n streams of a kind to the server at addr, and returns when all stand.
func Gather(ctx context.Context, addr string, kind Kind, n int) (*Crowd, error) {
	open := openListener
	if kind == Sessions {
		open = openSession
	}
	ctx, cancel := context.WithCancel(ctx)
	c := &Crowd{size: n, hangUp: cancel, broken: make(chan error, 1)}
	var opening sync.WaitGroup
	for first := 0; first < n; first += perConnection {
		conn, err := dialGRPC(addr)
		if err != nil {
			c.fail(err)
			break
		}
		c.conns = append(c.conns, conn)
		opening.Go(func() { c.open(ctx, mcpv1grpc.NewMCPClient(conn), open, min(perConnection, n-first)) })
	}
	opening.Wait()
	select {
	case err := <-c.broken:
		c.Close()
		return nil, fmt.Errorf("opening %d %s: %w", n, kind, err)
	default:
		return c, nil
	}
}

// open opens n streams on a connection.
func (c *Crowd) open(ctx context.Context, client mcpv1grpc.MCPClient, open func(context.Context, mcpv1grpc.MCPClient) (listening, error), n int) {
	for range n {
		next, err := open(ctx, client)
		if err != nil {
			c.fail(err)
			return
		}
		c.members.Go(func() { c.listen(next) })
	}
}

func (c *Crowd) listen(next listening) {
	for {
		news, err := next()
		if err != nil {
			c.fail(err)
			return
		}
		if a := c.awaited.Load(); a != nil && a.news == news && a.left.Add(-1) == 0 {
			close(a.all)
		}
	}
}

func (c *Crowd) fail(err error) {
	select {
	case c.broken <- err:
	default: // the first is enough
	}
}

// Hear has tell cause news, and returns when each member has been told once.
func (c *Crowd) Hear(ctx context.Context, news News, tell func() error) error {
	a := &awaited{news: news, all: make(chan struct{})}
	a.left.Store(int64(c.size))
	c.awaited.Store(a)
	if err := tell(); err != nil {
		return err
	}
	select {
	case <-a.all:
		return nil
	case err := <-c.broken:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%d of %d were not told: %w", a.left.Load(), c.size, ctx.Err())
	}
}

// Close ends all streams and connections.
func (c *Crowd) Close() {
	c.hangUp()
	for _, conn := range c.conns {
		_ = conn.Close() // carries nothing any more
	}
	c.members.Wait()
}

func openListener(ctx context.Context, client mcpv1grpc.MCPClient) (listening, error) {
	stream, err := client.Listen(ctx, &mcpv1.ListenRequest{Meta: plainMeta, Notifications: &mcpv1.SubscriptionFilter{
		ToolsListChanged: new(true), ResourceSubscriptions: []string{tools.BlobURI},
	}})
	if err != nil {
		return nil, err
	}
	m, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	if f := m.GetAcknowledged().GetNotifications(); !f.GetToolsListChanged() || len(f.GetResourceSubscriptions()) != 1 {
		return nil, fmt.Errorf("the server acknowledged %v", m)
	}
	return func() (News, error) {
		m, err := stream.Recv()
		switch m.GetKind().(type) {
		case *mcpv1.ListenResponse_ToolsListChanged:
			return ListChanged, err
		case *mcpv1.ListenResponse_ResourceUpdated:
			return ResourceUpdated, err
		}
		return "", err
	}, nil
}

var initializeParams = []byte(`{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}`)

func openSession(ctx context.Context, client mcpv1grpc.MCPClient) (listening, error) {
	stream, err := client.Connect(ctx)
	if err != nil {
		return nil, err
	}
	err = stream.Send(&mcpv1.Envelope{Method: "initialize", Kind: &mcpv1.Envelope_Request{
		Request: &mcpv1.JsonRpcRequest{IntId: new(int64(1)), ParamsJson: initializeParams},
	}})
	if err != nil {
		return nil, err
	}
	e, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	if e.GetResponse() == nil || e.GetResponse().GetError() != nil {
		return nil, errors.New("the server answered initialize with " + e.String())
	}
	err = stream.Send(&mcpv1.Envelope{Method: "notifications/initialized", Kind: &mcpv1.Envelope_Notification{
		Notification: &mcpv1.JsonRpcNotification{},
	}})
	return func() (News, error) {
		e, err := stream.Recv()
		return News(e.GetMethod()), err
	}, err
}
