// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package mcpconnect serves and calls MCP servers over gRPC, gRPC-Web and Connect.
//
// It takes servers and clients of the official Go SDK, github.com/modelcontextprotocol/go-sdk,
// as they are:
//
//	mcp.Client --- NewTransport ---.                         .--- mcp.Server
//	                                >--- HTTP/2, HTTP/1.1 ---+
//	your code  --- NewClient ------'       NewHandler        '--- your tools
//
// # A server
//
//	server := mcp.NewServer(&mcp.Implementation{Name: "greeter", Version: "v1.0.0"}, nil)
//	mcpconnect.AddTool(server, &mcp.Tool{Name: "greet"}, greet) // or mcp.AddTool
//
//	ln, err := net.Listen("tcp", "127.0.0.1:8080")
//	if err != nil {
//		log.Fatal(err)
//	}
//	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
//	defer stop()
//	log.Fatal(mcpconnect.Serve(ctx, ln, mcpconnect.NewHandler(server)))
//
// [NewHandler] gives an [http.Handler] for a mux, a middleware or a server of your own.
// [Serve] is a server that is safe to stop. Modern requests, which are stateless, and legacy
// sessions are served side by side; so are the three protocols, on one port.
//
// # A client
//
//	client := mcpconnect.NewClient("http://127.0.0.1:8080")
//	defer client.Close()
//	res, err := client.CallTool(ctx, &mcp.CallToolParams{
//		Name:      "greet",
//		Arguments: map[string]any{"name": "Ada"},
//	})
//
// [NewClient] calls typed RPCs: it is fast, and has no state. [NewTransport] lets an
// [mcp.Client] speak the same protocols, with all that the SDK's client can do:
//
//	client := mcp.NewClient(&mcp.Implementation{Name: "asker", Version: "v1.0.0"}, nil)
//	session, err := client.Connect(ctx, mcpconnect.NewTransport("http://127.0.0.1:8080"), nil)
//
// # Which protocol
//
// gRPC is the default, and needs HTTP/2 from end to end: by prior knowledge for http://
// URLs, by TLS for https:// ones. Where a proxy drops trailers, [WithProtocol] chooses
// gRPC-Web or Connect; where there is no HTTP/2 at all, [WithHTTP1] goes with either of
// them. Nothing else changes for the program. Over gRPC, and over Connect on HTTP/2, a
// [Transport] needs one stream; elsewhere it needs an RPC for each message.
//
// # Eras
//
// MCP 2026-07-28 and later are modern: there are no sessions, and a server that needs input
// ends a call with its questions, which the client answers by calling again. The versions
// before are legacy: they have sessions, and the server sends requests. A [Handler] serves
// both. A [Client] is modern unless [WithProtocolVersion] says otherwise; an [mcp.Client]
// finds out by itself.
//
// # Errors
//
// What fails on the server, or on the way to it, is an error that holds two others. Find
// the error of MCP, with its code, message and data, like this:
//
//	if e, ok := errors.AsType[*jsonrpc.Error](err); ok && e.Code == mcp.CodeUnsupportedProtocolVersion {
//
// and that of the transport, which says for example whether it makes sense to try again,
// like this:
//
//	if connect.CodeOf(err) == connect.CodeUnavailable {
//
// Both are there for every failed RPC: where the server has sent one of them only, the other
// is derived (SPEC.md §11). A response that is an error on a [Transport]'s stream has no
// code of the transport, since nothing failed there. The end of the caller's context is also
// [context.Canceled] or [context.DeadlineExceeded]. A tool that fails by itself gives a
// result with IsError, and no error. Texts are for people, and may change.
//
// Tools see to their errors on the server: one that is a [jsonrpc.Error] reaches the caller
// as it is; of any other the caller sees "internal error", and the log the rest.
//
// # Limits
//
// A [Handler] bounds what a peer can make it hold or do; see [Limits]. Clients take messages
// of up to 4 MiB ([WithMaxMessageBytes]), and notice within 20 s that an HTTP/2 server is
// gone.
//
// # Credentials
//
// [WithAuthn] lets in who has an access token, an API key, a client certificate or the right
// Unix user, and [WithPolicy] says what they may do; package authn has both. Handlers see the
// caller by [authn.FromContext], and in the SDK's RequestExtra.TokenInfo as over the SDK's
// own HTTP transport; they do not see credentials. The SDK's auth.RequireBearerToken works
// in front as well. By default everybody is let in, but for web pages (see [WithOrigins]) and,
// on loopback, for names that are not this machine's (see [WithHosts]). Clients send
// credentials by [WithHeader], by an interceptor, or by the HTTP client of [WithHTTPClient].
//
// SPEC.md describes all that goes over the wire.
//
// [jsonrpc.Error]: https://pkg.go.dev/github.com/modelcontextprotocol/go-sdk/jsonrpc#Error
package mcpconnect
