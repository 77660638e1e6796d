// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"
	"connectrpc.com/grpcreflect"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/handlers"
	"github.com/mcpconnect/mcpconnect/internal/health"
	"github.com/mcpconnect/mcpconnect/internal/wire"
	"github.com/mcpconnect/mcpconnect/internal/worker"
	"github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1/mcpv1connect"
)

// A Handler is an [http.Handler] that serves one [mcp.Server] over gRPC, gRPC-Web and
// Connect, with grpc.health.v1 beside it, and over Streamable HTTP if [WithStreamableHTTP]
// says so. It is safe for concurrent use.
//
// It can be used as it is, behind [http.StripPrefix] under a path, or on an
// [http.ServeMux] beside other routes:
//
//	mux.Handle("/mcp.v1.MCP/", handler)
//	mux.Handle("/mcp.v1.AuthDiscovery/", handler)
//	mux.Handle("/mcp", handler) // Streamable HTTP
//	mux.Handle("/grpc.health.v1.Health/", handler)
//	mux.Handle("/.well-known/oauth-protected-resource", handler) // and with the path of the resource
//
// [Serve] drains it when the server stops, and closes it then; so it does with a handler
// that is given to [WithDrain]. Whoever serves it otherwise calls NotServing and Drain
// before [http.Server.Shutdown], and Close after it.
type Handler struct {
	http    http.Handler
	server  *handlers.Server
	health  *health.Server
	workers worker.Pool
}

var (
	_ http.Handler = (*Handler)(nil)
	_ Drainer      = (*Handler)(nil)
	_ io.Closer    = (*Handler)(nil)
)

// NewHandler gives a handler for server. It adds a receiving and a sending middleware
// to it, and asks it once who it is by server/discover; middleware that users add, before
// or after, runs for every request. NewHandler panics if server is nil or an option is
// wrong: both are mistakes of the program.
//
// A legacy session belongs to the caller who opened it, and to the client that acted for
// it: nobody else can use it. Who that is, [WithAuthn] finds out, or an
// [authn.Middleware] in front, or else the UserID says that [auth.TokenInfoFromContext]
// gives, of the SDK's package auth. Callers that are known by other means count as nobody
// here, and so share each other's sessions if they learn the ids.
func NewHandler(server *mcp.Server, opts ...HandlerOption) *Handler {
	cfg := newHandlerConfig(opts)
	services := []string{mcpv1connect.MCPName, mcpv1connect.AuthDiscoveryName}
	h := &Handler{
		server: handlers.New(server, cfg.services()),
		health: health.New(services...),
	}
	connectOptions := cfg.connectOptions()
	mux := http.NewServeMux()
	mux.Handle(mcpv1connect.NewMCPHandler(h.server, connectOptions...))
	if cfg.streamable {
		mux.Handle(streamablePath, cfg.observed(h.server.StreamableHTTP(int64(cfg.limits.MessageBytes))))
	}
	var foreign []string
	others := append(slices.Clone(connectOptions), connect.WithInterceptors(handlers.CredentialEnd{}))
	handle := func(path string, service http.Handler) { mux.Handle(path, handlers.EndWithCredential(service)) }
	for _, mount := range cfg.mounts {
		path, service := mount(others...)
		handle(path, service)
		foreign = append(foreign, path)
		services = append(services, strings.Trim(path, "/"))
	}
	if cfg.reflection {
		reflector := grpcreflect.NewStaticReflector(services...)
		handle(grpcreflect.NewHandlerV1(reflector, others...))
		handle(grpcreflect.NewHandlerV1Alpha(reflector, others...))
	}
	// What needs no credentials stands beside what does: a path decides which is which by
	// its beginning, in one place.
	public := http.NewServeMux()
	public.Handle("/", cfg.authenticated(mux, connectOptions))
	path, discovery := mcpv1connect.NewAuthDiscoveryHandler(h.server, connectOptions...)
	public.Handle(withoutQuery(path, discovery, connectOptions...))
	public.Handle(h.health.Handler(connectOptions...))
	for _, path := range cfg.metadata.Paths() {
		public.Handle(path, cfg.metadata)
	}
	h.http = pooled(guard(cfg.gated(handlers.Wrap(public)), guardConfig{
		singleRequest: func(r *http.Request) bool { return isSingleRequest(r, foreign) },
		readTimeout:   cfg.limits.ReadTimeout,
		writeTimeout:  cfg.limits.WriteTimeout,
		wireLimit:     int64(cfg.limits.MessageBytes) + wireSlack,
		messageLimit:  int64(cfg.limits.MessageBytes),
	}), &h.workers)
	return h
}

// wireSlack is room above the limit of a message for what frames it: with it, a message
// that is just over the limit gets connect's error, which says so best.
const wireSlack = 4 << 10

// streamingRequests are the RPCs that read more than one message.
var streamingRequests = []string{
	mcpv1connect.MCPConnectProcedure,
	"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
	"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
}

// isSingleRequest looks at the end of the path: the handler may stand under a prefix. What the
// RPCs of foreign services read is not known.
func isSingleRequest(r *http.Request, foreign []string) bool {
	for _, service := range foreign {
		if strings.Contains(r.URL.Path, service) {
			return false
		}
	}
	for _, procedure := range streamingRequests {
		if strings.HasSuffix(r.URL.Path, procedure) {
			return false
		}
	}
	return true
}

// ServeHTTP serves one RPC.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.http.ServeHTTP(w, r) }

// NotServing makes health checks answer NOT_SERVING from now on. RPCs are served as
// before.
func (h *Handler) NotServing() { h.health.SetAllNotServing() }

// Drain tells streams to end: Listen and SubscribeResource at once, Connect when what is
// in flight on it is answered, health watches at once. Other RPCs are served as before.
// It does not wait.
func (h *Handler) Drain() {
	h.server.Drain()
	h.health.Close()
}

// Close ends all sessions with what is in flight in them, and frees what the handler
// holds. Calls of the modern versions, which have no session, go on: closing their
// connections cancels them. Close is to be called when no more requests come; [Serve] does
// so. It may be called again, and always returns nil.
func (h *Handler) Close() error {
	h.NotServing()
	h.Drain()
	err := h.server.Close()
	h.workers.Close()
	return err
}

func (c *handlerConfig) connectOptions() []connect.HandlerOption {
	opts := []connect.HandlerOption{
		connect.WithReadMaxBytes(c.limits.MessageBytes),
		connect.WithCompressMinBytes(compressMinBytes),
		boundedGzip(int64(c.limits.MessageBytes)),
		connect.WithRecover(c.recovered),
		connect.WithConditionalHandlerOptions(c.ownOptions),
	}
	if c.telemetry != nil {
		opts = append(opts, connect.WithInterceptors(c.telemetry))
	}
	return append(opts, c.connect...)
}

// ownOptions are those of MCP's RPCs: what foreign services send is their business. Connect streams
// take their messages apart themselves.
func (c *handlerConfig) ownOptions(spec connect.Spec) []connect.HandlerOption {
	if !strings.HasPrefix(spec.Procedure, "/"+mcpv1connect.MCPName+"/") {
		return nil
	}
	opts := []connect.HandlerOption{connect.WithSendMaxBytes(c.limits.MessageBytes)}
	if spec.Procedure == mcpv1connect.MCPConnectProcedure {
		opts = append(opts, connect.WithCodec(wire.Codec{}))
	}
	return opts
}

// compressMinBytes is where compression begins to pay: below it a message fits into a
// packet or two as it is, and a gzip writer costs more than all the rest of the call.
const compressMinBytes = 1 << 10

// Limits bound what a [Handler] takes from its peers, and what it keeps for them. Zero fields have the defaults that
// they name (SPEC.md §12). They must not be negative.
type Limits struct {
	// MessageBytes is the size of a message, on the wire and after decompression. If
	// zero, 4 MiB. An answer of the server's that is larger becomes an error: of its own call
	// alone, where a client that has the same limit would end its stream. (Not over Streamable
	// HTTP, whose clients read as much as they like.)
	MessageBytes int
	// JSONDepth is how deep arrays and objects may nest in the free-form JSON of a
	// request. If zero, 32.
	JSONDepth int
	// JSONNodes is how many arrays and objects the free-form JSON of a request may hold.
	// If zero, 10,000.
	JSONNodes int
	// StreamCalls is how many calls a Connect stream may have in flight. If zero, 1024.
	StreamCalls int
	// Sessions is how many legacy sessions there may be. If zero, 10,000.
	Sessions int
	// SessionIdle is how long a legacy session lives without a call or a stream. If
	// zero, 30 minutes.
	SessionIdle time.Duration
	// UnaryTime bounds the deadline of unary RPCs, and is the deadline of those that
	// bring none. If zero, 10 minutes.
	UnaryTime time.Duration
	// ReadTimeout is how long the body of a request may take to arrive, except on a
	// Connect stream. If zero, 30 seconds.
	ReadTimeout time.Duration
	// WriteTimeout is how long a peer may take to make room for a write. If zero, 15
	// seconds.
	WriteTimeout time.Duration
}

// check names the first field that is negative.
func (l *Limits) check() error {
	for _, field := range []struct {
		name     string
		negative bool
		value    any
	}{
		{"MessageBytes", l.MessageBytes < 0, l.MessageBytes},
		{"JSONDepth", l.JSONDepth < 0, l.JSONDepth},
		{"JSONNodes", l.JSONNodes < 0, l.JSONNodes},
		{"StreamCalls", l.StreamCalls < 0, l.StreamCalls},
		{"Sessions", l.Sessions < 0, l.Sessions},
		{"SessionIdle", l.SessionIdle < 0, l.SessionIdle},
		{"UnaryTime", l.UnaryTime < 0, l.UnaryTime},
		{"ReadTimeout", l.ReadTimeout < 0, l.ReadTimeout},
		{"WriteTimeout", l.WriteTimeout < 0, l.WriteTimeout},
	} {
		if field.negative {
			return fmt.Errorf("%s is %v: write a positive value, or 0 for the default", field.name, field.value)
		}
	}
	return nil
}

func (l *Limits) setDefaults() {
	orDefault(&l.MessageBytes, 4<<20)
	orDefault(&l.ReadTimeout, 30*time.Second)
	orDefault(&l.WriteTimeout, 15*time.Second)
	// Package handlers sets the rest.
}

func orDefault[T int | time.Duration](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}
