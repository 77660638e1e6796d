// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/proto"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// maxPeers bounds the cache of peers. A server sees few kinds of client, but many if
// one of them is out to fill memory: then the cache starts anew.
const maxPeers = 256

// A modernPeer is a kind of client as modern requests declare it, with the SDK session
// that all of its requests share. Nothing passes from one request to another through
// it: it holds just what each of them declares again.
type modernPeer struct {
	ss                 *mcp.ServerSession
	info, capabilities any // decoded values of the request's `_meta`
}

// modernPeers are the peers seen lately, by what they declare. A real session costs
// microseconds and a goroutine, too much to make for every request.
type modernPeers struct {
	server *mcp.Server

	mu     sync.RWMutex
	peers  map[string]*modernPeer
	closed bool
	age    atomic.Uint64 // counts how often all peers were forgotten
}

// peer gives the peer that a request declares itself to be.
func (p *modernPeers) peer(meta *mcpv1.RequestMeta, version string) (*modernPeer, error) {
	if version == "" {
		version = firstModern
	}
	key, err := peerKey(meta, version)
	if err != nil {
		return nil, err
	}
	p.mu.RLock()
	known := p.peers[key]
	p.mu.RUnlock()
	if known != nil {
		return known, nil
	}
	fresh, err := p.declare(meta, version)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.peers[key]; known != nil || p.closed {
		closeSession(fresh.ss)
		if known == nil {
			return nil, errDraining
		}
		return known, nil
	}
	if len(p.peers) >= maxPeers {
		p.clear()
	}
	p.peers[key] = fresh
	return fresh, nil
}

func peerKey(meta *mcpv1.RequestMeta, version string) (string, error) {
	if meta.GetClientInfo() == nil && meta.GetClientCapabilities() == nil {
		return version, nil
	}
	declared := &mcpv1.RequestMeta{
		ProtocolVersion:    &version,
		ClientInfo:         meta.GetClientInfo(),
		ClientCapabilities: meta.GetClientCapabilities(),
	}
	// Two encodings of one declaration make two entries; that is harmless.
	key, err := proto.Marshal(declared)
	return string(key), err
}

func (p *modernPeers) declare(meta *mcpv1.RequestMeta, version string) (*modernPeer, error) {
	peer := &modernPeer{}
	params := &mcp.InitializeParams{ProtocolVersion: version, Capabilities: &mcp.ClientCapabilities{}}
	if info := meta.GetClientInfo(); info != nil {
		text, err := mapping.ToJSON(info)
		if err == nil {
			err = decodeBoth(text, &params.ClientInfo, &peer.info)
		}
		if err != nil {
			return nil, malformed("_meta: client info", err)
		}
	}
	if caps := meta.GetClientCapabilities(); caps != nil {
		text, err := mapping.JSONText(caps.GetValues(), caps.GetValuesJson())
		if err == nil && text == nil {
			text = json.RawMessage("{}")
		}
		if err == nil {
			err = decodeBoth(text, params.Capabilities, &peer.capabilities)
		}
		if err == nil {
			decodeRoots(fmt.Appendf(nil, `{"capabilities":%s}`, text), params)
		}
		if err != nil {
			return nil, malformed("_meta: client capabilities", err)
		}
	}
	var err error
	peer.ss, err = p.server.Connect(context.Background(), newQuietPipe(), modernState(params))
	return peer, err
}

func decodeBoth(text []byte, typed, free any) error {
	if err := mapping.DecodeSDK(text, typed); err != nil {
		return err
	}
	return mapping.DecodeSDK(text, free)
}

// clear ends all sessions. Calls that still run on one go on: what they send goes
// through our middleware, not through the session.
func (p *modernPeers) clear() {
	p.age.Add(1)
	for _, peer := range p.peers {
		closeSession(peer.ss)
	}
	p.peers = map[string]*modernPeer{}
}

func (p *modernPeers) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.clear()
}

// closeSession closes a session whose connection is ours, and waits until its
// goroutines are gone.
func closeSession(ss *mcp.ServerSession) {
	// The error is that of the pipe underneath, which has none.
	_ = ss.Close()
	_ = ss.Wait()
}
