// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"encoding/json"
	"reflect"
	"strconv"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/authn"
)

// A front is who makes a request: a client's session, or a modern client as far as it is
// known.
type front struct {
	ss     *mcp.ServerSession
	user   string // empty for nobody
	modern bool
	params *mcp.InitializeParams // what the client has declared; never nil
}

func frontOf(ctx context.Context, req mcp.Request) *front {
	ss, ok := req.GetSession().(*mcp.ServerSession)
	if !ok {
		return nil
	}
	f := &front{ss: ss, params: ss.InitializeParams()}
	if f.params == nil {
		f.params = &mcp.InitializeParams{}
	}
	f.modern = f.params.ProtocolVersion >= firstModern
	if version, ok := metaOf(req)[metaVersion].(string); ok {
		f.modern = version >= firstModern
	}
	if p := authn.FromContext(ctx); p != nil {
		f.user = strconv.Quote(p.ID()) + strconv.Quote(p.ClientID) // each may have blanks
	} else if extra := req.GetExtra(); extra != nil && extra.TokenInfo != nil {
		f.user = extra.TokenInfo.UserID
	}
	return f
}

// metaOf gives the `_meta` of a request. The SDK has a nil pointer for params that are missing.
func metaOf(req mcp.Request) map[string]any {
	params := req.GetParams()
	if params == nil || reflect.ValueOf(params).IsNil() {
		return nil
	}
	return params.GetMeta()
}

// same tells whether two requests are the same client's, for certain.
func (f *front) same(other *front) bool {
	if f.modern || other.modern {
		return f == other || f.modern == other.modern && f.user != "" && f.user == other.user
	}
	return f.ss == other.ss
}

// declared gives what the client has declared, as JSON.
func (f *front) declared() (capabilities, info json.RawMessage, err error) {
	if f.params.Capabilities == nil || f.params.ClientInfo == nil {
		return json.RawMessage("{}"), json.RawMessage(`{"name":"unknown","version":""}`), nil
	}
	if capabilities, err = json.Marshal(f.params.Capabilities); err != nil {
		return nil, nil, err
	}
	info, err = json.Marshal(f.params.ClientInfo)
	return capabilities, info, err
}

// can tells whether the client can be asked by method, as the `_meta` of its request, or its
// session, declares.
func (f *front) can(method string, meta object) bool {
	text, _, err := f.declared()
	if f.modern {
		text, err = meta[metaCapabilities], nil
	}
	if err != nil {
		return false
	}
	declared, err := objectOf(text)
	if err != nil {
		return false
	}
	_, ok := declared[capabilityOf[method]]
	return ok
}

var capabilityOf = map[string]string{methodElicit: "elicitation", methodSample: "sampling", methodListRoots: "roots"}

// sessionEnd gives a context that ends with a session of a client.
func sessionEnd(g *Gateway, ss *mcp.ServerSession) context.Context {
	g.mu.Lock()
	defer g.mu.Unlock()
	if ctx, ok := g.sessions[ss]; ok {
		return ctx
	}
	ctx, cancel := context.WithCancel(g.ctx)
	g.sessions[ss] = ctx //nolint:fatcontext // each is the session's own
	// It ends with the session, which is not ours to end: Close does not wait for it, whoever
	// serves the server does for the session.
	go func() {
		_ = ss.Wait()
		cancel()
		g.start(func() { _ = g.unsubscribe(g.ctx, "", ss) }) // it is for the upstream's good only
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.sessions, ss)
		delete(g.levels, ss)
	}()
	return ctx
}
