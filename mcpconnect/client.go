// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/proto"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// firstModern is the first stateless version of MCP. Versions are dates, so that they
// compare as strings.
const firstModern = "2026-07-28"

// A Client calls the typed RPCs of one server: params and results are those of the Go
// SDK, and there is no JSON-RPC in between. It has no state but its connections, except
// for the session of a legacy version (see [WithProtocolVersion]).
//
// Its methods take nil params as empty ones, and do not change what they are given. Errors
// are described in the package comment. All methods may be called concurrently.
//
// An [mcp.Client] with a [Transport] does more at a higher price: it caches lists, and
// serves requests of legacy servers.
type Client struct {
	cfg     *clientConfig
	link    *link
	muxed   *muxedRPC // nil if every call is an RPC
	err     error     // of the URL or the options
	version string
	info    *mcpv1.ClientInfo
	caps    *mcpv1.CapabilitySet
	session lazy[session]
	dialect lazy[dialect]
	tokens  atomic.Int64
	plain   plainCalls
	metas   metaCache // of results, by their JSON text
}

// A session is what a legacy client has agreed with the server.
type session struct {
	id      string
	version string
}

// NewClient gives a client of the server at url: its scheme and host, and the path under
// which the handler is mounted, if any; for example "https://example.com/mcp". It opens no
// connection; what is wrong with url or the options, the first call tells. Close frees
// what the client holds.
func NewClient(url string, opts ...ClientOption) *Client {
	cfg := newClientConfig(opts)
	c := &Client{cfg: cfg, version: cfg.typed.version, session: newLazy[session](), dialect: newLazy[dialect]()}
	if c.version == "" {
		c.version = firstModern
	}
	if cfg.typed.info == nil {
		cfg.typed.info = &mcp.Implementation{Name: "mcpconnect", Version: "v0"}
	}
	if c.link, c.err = cfg.dial(url); c.err != nil {
		return c
	}
	// The calls of a legacy session name it in their metadata, which frames do not have.
	if c.link.duplex && !c.legacy() && !cfg.typed.unmuxed {
		c.muxed = newMuxedRPC(c.link, cfg.messageBytes)
		c.muxed.mux.stepUp = cfg.authorization != nil
		c.link.rpc = c.muxed
	}
	caps := &mcp.ClientCapabilities{}
	if !c.legacy() { // a legacy server would ask by requests, which no typed RPC carries
		caps = cfg.typed.declared()
	} else if cfg.typed.capabilities != nil {
		caps = cfg.typed.capabilities
	}
	if c.caps, c.err = mapping.FromSDKCapabilities(caps); c.err == nil {
		c.info, c.err = mapping.FromSDKImplementation(cfg.typed.info)
	}
	if c.err == nil && c.muxed != nil {
		c.plain.meta, c.err = c.encodedMeta()
	}
	return c
}

// encodedMeta gives the `_meta` of requests that add nothing of their own.
func (c *Client) encodedMeta() ([]byte, error) {
	meta := &mcpv1.RequestMeta{}
	if _, err := c.complete(context.Background(), meta); err != nil {
		return nil, err
	}
	return proto.Marshal(meta)
}

func (c *Client) legacy() bool { return c.version < firstModern }

// Close ends the session of a legacy client, and closes all connections, except those of
// [WithHTTPClient]. Calls in flight fail. The error tells that the server did not hear of
// the end of the session.
func (c *Client) Close() error {
	if c.link == nil {
		return nil
	}
	defer c.link.close()
	if c.muxed != nil {
		c.muxed.mux.close()
	}
	s := c.session.peek()
	if s == nil || s.id == "" {
		return nil
	}
	c.session.drop(s)
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	ctx = withMetadata(ctx, mirror(s.version, "", "", s.id))
	if _, err := c.link.rpc.Shutdown(ctx, &mcpv1.ShutdownRequest{}); err != nil {
		return newCallError(err).because("the session was not ended")
	}
	return nil
}

// A call is what is sent beside the params of a request.
type call struct {
	method string
	name   string // what Mcp-Name mirrors
	meta   mcp.Meta
}

// prepare gives the context and the `_meta` for an RPC. s is nil for a modern client.
func (c *Client) prepare(ctx context.Context, k call) (_ context.Context, meta *mcpv1.RequestMeta, s *session, err error) {
	if c.err != nil {
		return ctx, nil, nil, c.err
	}
	if meta, err = mapping.FromSDKMeta(k.meta); err != nil {
		return ctx, nil, nil, invalidCall(err)
	}
	if s, err = c.complete(ctx, meta); err != nil {
		return ctx, nil, nil, err
	}
	return withMetadata(ctx, c.header(k, s, meta)), meta, s, nil
}

// complete adds to meta what every request of this client carries.
func (c *Client) complete(ctx context.Context, meta *mcpv1.RequestMeta) (*session, error) {
	meta.JsonEncoding = mcpv1.JsonEncoding_JSON_ENCODING_BYTES
	if c.legacy() {
		return c.session.get(ctx, c.initialize)
	}
	if meta.ProtocolVersion == nil {
		meta.ProtocolVersion = &c.version
	}
	if meta.ClientInfo == nil {
		meta.ClientInfo = c.info
	}
	if meta.ClientCapabilities == nil {
		meta.ClientCapabilities = c.caps
	}
	return nil, nil
}

func (c *Client) header(k call, s *session, meta *mcpv1.RequestMeta) http.Header {
	if s != nil {
		return mirror(s.version, k.method, k.name, s.id)
	}
	return mirror(meta.GetProtocolVersion(), k.method, k.name, "")
}

// initialize opens a legacy session.
func (c *Client) initialize(ctx context.Context) (*session, error) {
	res, err := c.link.rpc.Initialize(withMetadata(ctx, mirror("", methodInitialize, "", "")), &mcpv1.InitializeRequest{
		ProtocolVersion: &c.version,
		Capabilities:    c.caps,
		ClientInfo:      c.info,
		Meta:            &mcpv1.RequestMeta{JsonEncoding: mcpv1.JsonEncoding_JSON_ENCODING_BYTES},
	})
	if err != nil {
		return nil, newCallError(err)
	}
	return &session{id: res.GetSessionId(), version: res.GetProtocolVersion()}, nil
}

// lost tells whether err says that the server does not know the session any more. The
// next call opens another one then.
func (c *Client) lost(s *session, err *callError) bool {
	if s == nil || err.rpc.Code() != connect.CodeNotFound || err.wire.Code != jsonrpc.CodeInvalidRequest {
		return false
	}
	c.session.drop(s)
	return true
}

// unary makes a unary RPC; rpc gets the `_meta` to send. It is made once more if the
// session was lost: the server has not looked at the request then.
func unary[Res any](ctx context.Context, c *Client, k call, rpc func(context.Context, *mcpv1.RequestMeta) (*Res, error)) (*Res, error) {
	for again := false; ; again = true {
		ctx, meta, s, err := c.prepare(ctx, k)
		if err != nil {
			return nil, err
		}
		res, err := rpc(ctx, meta)
		if err == nil {
			c.learnFrom(res)
			return res, nil
		}
		e := newCallError(err)
		if !c.lost(s, e) || again {
			return nil, e
		}
	}
}

// learnFrom sees by a result that the server knows more than the inherited fields.
func (c *Client) learnFrom(res any) {
	if c.muxed == nil || c.muxed.state.Load() != muxUnknown {
		return
	}
	if r, ok := res.(interface{ GetResultType() string }); ok && r.GetResultType() != "" {
		c.muxed.enable()
	}
}

// invalidCall says that a call could not be written.
func invalidCall(err error) error {
	return newCallError(connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("mcpconnect: %w", err)))
}

// invalidAnswer says that an answer could not be read.
func invalidAnswer(err error) error {
	return newCallError(connect.NewError(connect.CodeInternal, fmt.Errorf("mcpconnect: malformed answer: %w", err)))
}

// Discover tells what the server is and can do. A legacy server fails with -32601.
func (c *Client) Discover(ctx context.Context, params *mcp.DiscoverParams) (*mcp.DiscoverResult, error) {
	if params == nil {
		params = &mcp.DiscoverParams{}
	}
	k := call{method: methodDiscover, meta: params.Meta}
	m, err := unary(ctx, c, k, func(ctx context.Context, meta *mcpv1.RequestMeta) (*mcpv1.DiscoverResponse, error) {
		return c.link.rpc.Discover(ctx, &mcpv1.DiscoverRequest{Meta: meta})
	})
	if err != nil {
		return nil, err
	}
	return resultOf(m, &mcp.DiscoverResult{})
}

// Ping asks the server for a sign of life, in both eras, and gives its clock.
func (c *Client) Ping(ctx context.Context) (time.Time, error) {
	m, err := unary(ctx, c, call{method: methodPing}, func(ctx context.Context, meta *mcpv1.RequestMeta) (*mcpv1.PingResponse, error) {
		return c.link.rpc.Ping(ctx, &mcpv1.PingRequest{Meta: meta})
	})
	if err != nil {
		return time.Time{}, err
	}
	return m.GetServerTime().AsTime(), nil
}
