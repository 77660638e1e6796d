// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package demo is the server behind "mcpconnect demo": a small MCP server that
// shows one of everything a first visitor wants to try, built with nothing but
// the official Go SDK.
//
// It has five tools (echo, add, countdown, greet, pixel), two resources
// (demo://clock, demo://logo) and one prompt (review). Nothing in it knows about
// mcpconnect: serving it over gRPC, gRPC-Web and Connect is the business of whoever
// passes [Server.MCP] to mcpconnect.NewHandler.
//
//	srv := demo.NewServer("v0.1.0")
//	go srv.Run(ctx) // moves the clock until ctx is done
//	handler := mcpconnect.NewHandler(srv.MCP())
package demo

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// clockPeriod is how often demo://clock changes. A second is what a person who
// watches a subscription expects, and what the text of the resource can show.
const clockPeriod = time.Second

// Server is the demo server. Create it with [NewServer]. Its methods may be called
// concurrently, but [Server.Run] must run at most once at a time: two of them would
// announce every second twice.
type Server struct {
	mcp    *mcp.Server
	states stateSigner // of greet
}

// NewServer returns a demo server that calls itself "mcpconnect-demo" in the given
// version, for example "v0.1.0". It starts nothing: the clock can be read at once,
// but its subscribers hear of it only while [Server.Run] runs.
func NewServer(version string) *Server {
	s := &Server{states: stateSigner{key: rand.Text(), now: time.Now}}
	s.mcp = mcp.NewServer(&mcp.Implementation{
		Name:        "mcpconnect-demo",
		Title:       "mcpconnect demo",
		Description: "A small MCP server to try mcpconnect with.",
		Version:     version,
		WebsiteURL:  "https://github.com/mcpconnect/mcpconnect",
	}, &mcp.ServerOptions{
		Instructions: "A playground. Call echo, add, countdown, greet or pixel; read demo://clock or demo://logo; " +
			"get the prompt review. Nothing here changes anything outside this process.",
		CompletionHandler:  complete,
		SubscribeHandler:   subscribe,
		UnsubscribeHandler: unsubscribe,
	})
	s.addTools()
	s.addResources()
	s.addPrompts()
	return s
}

// MCP returns the SDK server, ready to be handed to mcpconnect.NewHandler or to any
// transport of the SDK. It is the same one on every call.
func (s *Server) MCP() *mcp.Server { return s.mcp }

// Run announces a change of demo://clock to its subscribers once a second, until ctx
// is done. It leaves no goroutine behind: when it has returned, nothing of it runs.
func (s *Server) Run(ctx context.Context) {
	ticker := time.NewTicker(clockPeriod)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			// The SDK logs what it cannot deliver and always returns nil; and a
			// subscriber that is gone is no reason to stop the clock for the others.
			_ = s.mcp.ResourceUpdated(ctx, &mcp.ResourceUpdatedNotificationParams{URI: clockURI})
		}
	}
}
