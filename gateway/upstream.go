// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// An upstream is a server, and our connections to it.
type upstream struct {
	Upstream

	g      *Gateway
	prefix string

	mu    sync.Mutex
	conns map[connKey]*conn
	// sessionsOnly is set once a child is known to be of a version with sessions.
	sessionsOnly bool
	pauses       pauses
	watches      map[connKey]watch
}

// A connKey says whose connection it is: of a user, or of a session of a client. The zero
// key is the connection that everybody shares.
type connKey struct {
	user    string
	session *mcp.ServerSession
	legacy  bool // a child of its own for clients with sessions
}

// keyOf decides which connection serves f. f is nil for the gateway itself. Its caller has mu.
func (u *upstream) keyOf(f *front) connKey {
	var key connKey
	if f == nil {
		return key
	}
	if u.PerUser {
		key.user = f.user
	}
	switch {
	case f.modern, u.modernOnly():
	case u.isChild():
		// A child may know both eras, but a connection has one: so there are two children, if
		// there are clients of both.
		key.legacy = !u.sessionsOnly
	default:
		key.session = f.ss
	}
	return key
}

// modernOnly tells whether the upstream is to be spoken to without sessions, whoever the client is.
func (u *upstream) modernOnly() bool { return u.Version >= firstModern }

// A conn is a connection to an upstream, from when it is wanted.
type conn struct {
	u    *upstream
	key  connKey
	held int // calls that have it; guarded by u.mu
	idle *time.Timer

	change chan struct{} // closed when what is watched on it changes; guarded by u.mu

	ready chan struct{} // closed when it stands, or has failed
	gone  chan struct{} // closed when nobody is given it any more
	err   error
	peer  *peer
	began time.Time

	version      string // that is spoken on it
	info         json.RawMessage
	capabilities object
	instructions json.RawMessage
}

func (c *conn) modern() bool { return c.version >= firstModern }

// errDown is what calls get while an upstream is left alone.
func (u *upstream) errDown(cause error) error {
	why := "try again later"
	if u.g.cfg.TellCause {
		why = cause.Error()
	}
	return &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: fmt.Sprintf("upstream %q is not there: %s", u.Name, why)}
}

// errLost is what a call gets whose connection has ended.
func (u *upstream) errLost(cause error) error {
	why := ""
	if u.g.cfg.TellCause {
		why = ": " + cause.Error()
	}
	return &jsonrpc.Error{
		Code:    jsonrpc.CodeInternalError,
		Message: fmt.Sprintf("the connection to upstream %q was lost while the call was in flight, and what has come of it is unknown%s", u.Name, why),
	}
}

// acquire gives the connection that serves f, until release is called. It makes one if there
// is none, and waits for that.
func (u *upstream) acquire(ctx context.Context, f *front) (*conn, error) {
	for {
		c, wait, err := u.find(f)
		if err != nil {
			return nil, err
		}
		if c == nil {
			if !sleep(ctx, wait) {
				return nil, ctx.Err()
			}
			continue
		}
		select {
		case <-c.ready:
		case <-ctx.Done():
			u.release(c)
			return nil, ctx.Err()
		}
		if c.err != nil {
			u.release(c)
			return nil, u.errDown(c.err)
		}
		return c, nil
	}
}

// standing gives the connection with a key, nil if it does not stand.
func (u *upstream) standing(key connKey) *conn {
	u.mu.Lock()
	c := u.conns[key]
	u.mu.Unlock()
	if c == nil {
		return nil
	}
	select {
	case <-c.ready:
		if c.err == nil {
			return c
		}
	default:
	}
	return nil
}

// find gives the connection for f, or how long to wait before there may be one.
func (u *upstream) find(f *front) (*conn, time.Duration, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	key := u.keyOf(f)
	if c := u.conns[key]; c != nil {
		c.held++
		if key != (connKey{}) { // the one that all share does not expire
			c.idle.Stop()
		}
		return c, 0, nil
	}
	if u.g.ctx.Err() != nil {
		return nil, 0, u.errDown(errClosed)
	}
	if wait, err := u.pauses.left(key.user); err != nil {
		return nil, 0, u.errDown(err)
	} else if wait > 0 {
		return nil, wait, nil
	}
	if key != (connKey{}) && u.peers() >= u.maxPeers() {
		return nil, 0, u.errDown(fmt.Errorf("it serves as many users and sessions as it may, which is %d", u.maxPeers()))
	}
	c := &conn{u: u, key: key, held: 1, ready: make(chan struct{}), gone: make(chan struct{}), began: time.Now()}
	c.idle = time.AfterFunc(time.Hour, func() { u.expire(c) })
	c.idle.Stop()
	if !u.g.start(func() { c.run(f) }) {
		return nil, 0, u.errDown(errClosed)
	}
	u.conns[key] = c
	return c, 0, nil
}

// peers counts the connections of users and sessions. Its caller has mu.
func (u *upstream) peers() int {
	if u.conns[connKey{}] != nil {
		return len(u.conns) - 1
	}
	return len(u.conns)
}

func (u *upstream) maxPeers() int {
	switch {
	case u.g.cfg.MaxPeers > 0:
		return u.g.cfg.MaxPeers
	case u.isChild():
		return 32
	}
	return 1000
}

// release gives a connection back.
func (u *upstream) release(c *conn) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if c.held--; c.held == 0 && c.key != (connKey{}) {
		c.idle.Reset(u.g.cfg.IdleTimeout)
	}
}

// expire ends a connection that nobody has used for a while.
func (u *upstream) expire(c *conn) {
	select {
	case <-c.ready:
	default: // it is about to stand, though nobody waits for that any more
		c.idle.Reset(u.g.cfg.IdleTimeout)
		return
	}
	u.mu.Lock()
	unused := c.held == 0 && len(u.watches[c.key]) == 0
	switch {
	case unused:
		u.drop(c)
	case c.held == 0:
		c.idle.Reset(u.g.cfg.IdleTimeout)
	}
	u.mu.Unlock()
	if unused && c.peer != nil {
		c.peer.link.close()
	}
}

// drop forgets a connection. Its caller has mu.
func (u *upstream) drop(c *conn) {
	if u.conns[c.key] == c {
		delete(u.conns, c.key)
	}
	c.idle.Stop()
}

// run makes the connection stand, and sees to its end.
func (c *conn) run(f *front) {
	u := c.u
	ctx, cancel := context.WithTimeout(u.g.ctx, u.g.cfg.StartTimeout)
	defer cancel()
	c.err = c.start(ctx, f)
	if c.err != nil {
		u.failed(c, c.err)
		close(c.ready)
		if c.peer != nil {
			c.peer.close()
		}
		return
	}
	c.tellLevel(ctx)
	close(c.ready)
	if f != nil && c.key.session != nil {
		stop := context.AfterFunc(sessionEnd(u.g, f.ss), c.peer.link.close)
		defer stop()
	}
	stop := context.AfterFunc(u.g.ctx, c.peer.link.close)
	defer stop()
	if c.key == (connKey{}) || u.PerUser {
		u.watched(c)
	}
	<-c.peer.done
	u.failed(c, c.peer.lost())
	close(c.gone)
	c.peer.close()
}

// failed notes the end of a connection.
func (u *upstream) failed(c *conn, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	mine := u.conns[c.key] == c
	u.drop(c)
	if !mine || u.g.ctx.Err() != nil {
		return // nobody needed it any more
	}
	if c.key.session != nil && c.err == nil {
		return // of one session, and no trouble of the upstream
	}
	lived := time.Duration(0)
	if c.err == nil {
		lived = time.Since(c.began)
	}
	failures, next := u.pauses.failed(c.key.user, lived)
	u.g.cfg.Logger.Warn("an upstream is gone", "upstream", u.Name, "error", err, "failures", failures, "next_try", next)
}

// start opens the link and finds out which version to speak.
func (c *conn) start(ctx context.Context, f *front) error {
	u := c.u
	l, err := u.open(ctx)
	if err != nil {
		return err
	}
	c.peer = newPeer(l, c.stray)
	c.peer.start()
	legacyFirst := c.key.session != nil || c.key.legacy || u.Version != "" && !u.modernOnly()
	if !legacyFirst {
		err = c.discover(ctx)
		if err == nil || u.modernOnly() {
			return err
		}
		if c.peer.over() { // some do not bear to be asked
			if ctx.Err() != nil {
				return err
			}
			c.peer.close()
			if l, err = u.open(ctx); err != nil {
				return err
			}
			c.peer = newPeer(l, c.stray)
			c.peer.start()
		}
		return c.initialize(ctx, f)
	}
	err = c.initialize(ctx, f)
	if isRPCError(err) && u.Version == "" {
		return c.discover(ctx)
	}
	return err
}

func isRPCError(err error) bool {
	_, ok := errors.AsType[*jsonrpc.Error](err)
	return ok
}

func (u *upstream) open(ctx context.Context) (link, error) {
	switch {
	case u.isChild():
		return startChild(&u.Upstream, u.g.cfg.Logger, u.g.cfg.MaxMessageBytes)
	case u.URL != "":
		return newHTTPLink(u.URL, u.HTTP, u.g.cfg.MaxMessageBytes), nil
	}
	return newTransportLink(ctx, u.Transport)
}

// discoverShare is the part of the start that a server may take to say that it does not know
// server/discover: some say nothing at all.
const discoverShare = 3

func (c *conn) discover(ctx context.Context) error {
	version := max(firstModern, c.u.Version)
	ctx, cancel := context.WithTimeout(ctx, c.u.g.cfg.StartTimeout/discoverShare)
	defer cancel()
	text, err := c.peer.request(ctx, methodDiscover, object{"_meta": c.u.g.ownMeta(version)}.text())
	if err != nil {
		return err
	}
	var res struct {
		Versions     []string        `json:"supportedVersions"`
		Capabilities json.RawMessage `json:"capabilities"`
		Instructions json.RawMessage `json:"instructions"`
		Meta         object          `json:"_meta"`
	}
	if err := json.Unmarshal(text, &res); err != nil {
		return fmt.Errorf("its answer to %s: %w", methodDiscover, err)
	}
	for _, v := range res.Versions {
		if v >= firstModern && v <= version { // newer ones are not known here
			c.version = max(c.version, v)
		}
	}
	if c.version == "" {
		return errors.New("it speaks no version without sessions that is known here")
	}
	c.info, c.instructions = res.Meta[metaServerInfo], res.Instructions
	c.capabilities, err = objectOf(res.Capabilities)
	return err
}

// initialize opens a session.
func (c *conn) initialize(ctx context.Context, f *front) error {
	res, err := c.handshake(ctx, f)
	if err != nil {
		return err
	}
	c.version, c.info, c.instructions = res.Version, res.Info, res.Instructions
	if c.capabilities, err = objectOf(res.Capabilities); err == nil && c.u.isChild() && !c.key.legacy {
		c.u.mu.Lock()
		c.u.sessionsOnly = true
		c.u.mu.Unlock()
	}
	return err
}

// An initialized is the answer to initialize.
type initialized struct {
	Version      string          `json:"protocolVersion"`
	Capabilities json.RawMessage `json:"capabilities"`
	Info         json.RawMessage `json:"serverInfo"`
	Instructions json.RawMessage `json:"instructions"`
}

func (c *conn) handshake(ctx context.Context, f *front) (*initialized, error) {
	version, capabilities, info := c.u.Version, everyCapability, c.u.g.clientInfo
	if f != nil && c.key.session != nil {
		if declared, own, err := f.declared(); err == nil {
			capabilities, info = declared, own
		}
		if version == "" {
			version = f.params.ProtocolVersion
		}
	}
	if version == "" || version >= firstModern {
		version = lastLegacy
	}
	text, err := c.peer.request(ctx, methodInitialize, object{
		"protocolVersion": quote(version), "capabilities": capabilities, "clientInfo": info,
	}.text())
	if err != nil {
		return nil, err
	}
	res := &initialized{}
	if err := json.Unmarshal(text, res); err != nil {
		return nil, fmt.Errorf("its answer to %s: %w", methodInitialize, err)
	}
	if l, ok := c.peer.link.(*httpLink); ok {
		l.agree(res.Version)
	}
	return res, c.peer.link.send(ctx, &message{Method: methodInitialized, Params: json.RawMessage("{}")})
}

// everyCapability is what a shared connection declares: whatever some caller may have. Those
// that have not answer with an error.
var everyCapability = json.RawMessage(`{"elicitation":{"form":{},"url":{}},"roots":{"listChanged":true},"sampling":{"context":{},"tools":{}}}`)

// stray takes what the upstream says outside of calls, or faster than the caller takes it.
func (c *conn) stray(m *message) {
	switch {
	case m.isCall():
		c.peer.replyLater(m.ID, nil, errWhomToAsk)
	case m.Method == methodToolsChanged, m.Method == methodPromptsChanged, m.Method == methodResourcesChanged:
		c.u.g.changed(m.Method)
	case m.Method == methodResourceUpdated:
		c.updated(m.Params)
	case m.Method == methodMessage:
		// It may hold anything: whom it is for cannot be told.
		c.u.g.cfg.Logger.Debug("a log message of an upstream reaches nobody", "upstream", c.u.Name, "bytes", len(m.Params))
	}
}

var errWhomToAsk = &jsonrpc.Error{
	Code:    jsonrpc.CodeInternalError,
	Message: "the gateway cannot tell which client is asked: no call is in flight, or those of several clients are; give each a server of its own",
}
