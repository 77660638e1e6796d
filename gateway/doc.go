// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package gateway shows MCP servers that are elsewhere as one [mcp.Server]: child processes
// that speak on standard input and output, servers of Streamable HTTP, and servers of
// mcp.v1 over gRPC, gRPC-Web or Connect.
//
//	g, err := gateway.New(ctx, gateway.Config{Upstreams: []gateway.Upstream{
//		{Name: "files", Command: []string{"mcp-server-files", "/srv/files"}},
//	}})
//	handler := g.Handler() // over gRPC, gRPC-Web, Connect
//
// # What passes
//
// Everything: requests of any method, progress, log messages, questions of the server
// to the client, changes of lists and resources, cancellation and deadlines. JSON passes as
// it is, to the last digit and with members that nobody here knows.
//
// With several upstreams each one's tools and prompts carry its prefix, and the lists are
// one: in the order of the upstreams, and theirs.
//
// # Eras
//
// Clients and servers may be of different eras. A server of a version with sessions that asks
// its client something, by elicitation or sampling, gets the answer of a modern client
// too: the call ends with the question, goes on waiting here, and the client's next request,
// with the answer, gets what has come of it. A modern server that ends a call with questions
// gets the answers of a client with a session, which is asked by requests.
//
// # Who is who
//
// A remote upstream gets a session for each session of a client. A child process is one client's
// as far as it can see, and all callers share it, unless [Upstream.PerUser] is set; then
// each has its own. What a shared child asks or logs goes to a caller only while no other has
// calls in flight on it: MCP has no mark by which to tell. Credentials of callers are never
// passed on.
//
// # Children
//
// A child that ends is started again, after a while that grows, and given up for a time
// if that does not help. Calls that were in flight fail with an error that says so. What
// it writes to standard error goes to the log. When the gateway is closed, or its process
// ends in whatever way, so do its children, and on Unix what they have started: the real server,
// where the child is npx or a shell. For that a shell, /bin/sh, waits beside each child. What
// leaves the process group, as daemons do, is not ended; on Windows only the child is, and only
// if the gateway can still do that.
package gateway
