// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"encoding/json"
	"net/http"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/mcpconnect/mcpconnect/authn"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// WithAuthn lets callers in that one of the authenticators knows, and nobody else: on every
// protocol, for every RPC of mcp.v1.MCP and for reflection. AuthDiscovery, the well-known
// paths of [WithResourceMetadata] and health checks stay open to everybody. Calls and
// streams end with the credential that let them in. Handlers see the caller by
// [authn.FromContext], and in the SDK's RequestExtra.TokenInfo.
//
// By default everybody is let in. [NewHandler] panics if there is no authenticator, or one
// is nil.
func WithAuthn(authenticators ...authn.Authenticator) HandlerOption {
	return handlerOptionFunc(func(c *handlerConfig) { c.authn = append([]authn.Authenticator{}, authenticators...) })
}

// WithPolicy decides what callers may do, by tool, prompt, resource and method. It is asked
// for every call, whatever way it comes in, about what the body says; and for lists, which
// show only what their caller may use and are private. What has no rule is refused. By
// default every caller may do everything, and the question costs nothing. [NewHandler]
// panics if policy is nil. A policy needs callers that are known, by [WithAuthn] or by an
// [authn.Middleware] in front: of others it refuses everything.
func WithPolicy(policy *authn.Policy) HandlerOption {
	if policy == nil {
		panic("mcpconnect: WithPolicy(nil)") //nolint:forbidigo // set-up misuse, documented
	}
	return handlerOptionFunc(func(c *handlerConfig) { c.policy = policy })
}

// WithResourceMetadata sets where callers get a token (RFC 9728). AuthDiscovery gives the
// document, as do the paths that [authn.Metadata.Paths] names, and challenges point to it.
// They are at the root of the host: where the handler stands under a prefix they have to be
// routed to it, too. By default there is none. It panics if metadata is nil, or
// [authn.NewMetadata] does not accept it.
func WithResourceMetadata(metadata *oauthex.ProtectedResourceMetadata) HandlerOption {
	if metadata == nil {
		panic("mcpconnect: WithResourceMetadata(nil)") //nolint:forbidigo // set-up misuse, documented
	}
	m, err := authn.NewMetadata(*metadata)
	if err != nil {
		panic("mcpconnect: WithResourceMetadata: " + err.Error()) //nolint:forbidigo // set-up misuse, documented
	}
	return handlerOptionFunc(func(c *handlerConfig) { c.metadata = m })
}

// resourceMetadata goes by way of JSON: the members of the document are the names of the
// message's fields.
func resourceMetadata(metadata *authn.Metadata) *mcpv1.ProtectedResourceMetadata {
	if metadata == nil {
		return nil
	}
	doc := metadata.Document()
	m := &mcpv1.ProtectedResourceMetadata{}
	text, err := json.Marshal(&doc)
	if err == nil {
		err = protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(text, m)
	}
	if err != nil {
		panic("mcpconnect: resource metadata: " + err.Error()) //nolint:forbidigo // NewMetadata has encoded it
	}
	return m
}

// authenticated puts the middleware in front of next, if there is to be one.
func (c *handlerConfig) authenticated(next http.Handler, opts []connect.HandlerOption) http.Handler {
	if c.authn == nil {
		return next
	}
	m, err := authn.NewMiddleware(authn.Config{
		Authenticators: c.authn,
		Metadata:       c.metadata,
		Policy:         c.policy,
		Logger:         c.logger,
		HandlerOptions: opts,
		Unbounded:      true, // package handlers sees to it
	})
	if err != nil {
		panic("mcpconnect: WithAuthn: " + err.Error()) //nolint:forbidigo // set-up misuse, documented
	}
	return m.Wrap(next)
}

// WithOrigins lets pages of these origins call the handler, "https://app.example.com" for
// example, and read its answers (CORS). Requests from pages of any other origin are refused
// with HTTP status 403, before anything else looks at them: so are those of all pages by
// default. Browsers send no credentials by themselves. [NewHandler] panics for what is no
// origin, and for patterns.
func WithOrigins(origins ...string) HandlerOption {
	return handlerOptionFunc(func(c *handlerConfig) { c.gate.Origins = append([]string{}, origins...) })
}

// WithHosts names what the handler is called in URLs, "mcp.example.com" for example, with the
// port if it is not the scheme's own. Requests for any other host are refused with HTTP
// status 403: browsers send them when a page's name has been led to this server (DNS
// rebinding). By default any name will do, except on loopback addresses, where it has to be
// localhost or a loopback address: behind a proxy on the same machine WithHosts is needed.
// [NewHandler] panics for what is no host, and for patterns.
func WithHosts(hosts ...string) HandlerOption {
	return handlerOptionFunc(func(c *handlerConfig) { c.gate.Hosts = append([]string{}, hosts...) })
}

// gated puts the gate for browsers in front of all.
func (c *handlerConfig) gated(next http.Handler) http.Handler {
	g, err := authn.NewGate(c.gate)
	if err != nil {
		panic("mcpconnect: WithOrigins or WithHosts: " + err.Error()) //nolint:forbidigo // set-up misuse, documented
	}
	return g.Wrap(next)
}
