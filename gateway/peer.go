// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

const (
	// maxAsks is how much a server may ask about one call at a time.
	maxAsks = 256
	// maxReplies is how many answers of ours a server may leave unread, of those that nobody else
	// gives. There are no more for one that does.
	maxReplies = 256
)

// A peer is a connection to an upstream server, seen as the client that we are on it.
type peer struct {
	link link
	// strays takes messages that belong to no call, and notifications that their call has no room
	// for. It must not block.
	strays  func(*message)
	replies chan *message // that the reader gives, who must not wait for the server to take them

	mu      sync.Mutex
	last    int64
	calls   map[int64]*call
	awaited int              // those of calls that are no listens, which last
	tokens  map[string]*call // by the progress token that the server knows, as JSON
	err     error
	done    chan struct{} // closed when the link is over
	pending sync.WaitGroup
}

// A call is a request on its way.
type call struct {
	id     int64
	front  *front
	token  json.RawMessage // the caller's own progress token, nil for none
	sent   string          // the token that the server knows, as JSON
	answer chan *message   // has room for one
	said   *said           // what the server says before

	awaited bool // it is one of the peer's
}

func newPeer(l link, strays func(*message)) *peer {
	return &peer{
		link: l, strays: strays, replies: make(chan *message, maxReplies),
		calls: map[int64]*call{}, tokens: map[string]*call{}, done: make(chan struct{}),
	}
}

// start begins to read. What strays does may need the peer, which must be where it is looked for.
func (p *peer) start() {
	p.pending.Go(p.read)
	p.pending.Go(p.sendReplies)
}

// close ends the connection and waits for what reads from it.
func (p *peer) close() {
	p.link.close()
	p.pending.Wait()
	p.link.wait()
}

// over tells whether the connection has ended.
func (p *peer) over() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func (p *peer) read() {
	err := p.receiveAll()
	p.mu.Lock()
	p.err = err
	p.mu.Unlock()
	close(p.done)
	p.link.close()
}

func (p *peer) receiveAll() error {
	if l, ok := p.link.(awakeLink); ok {
		return l.receiveAll(p)
	}
	for {
		m, err := p.link.receive()
		if err != nil {
			return err
		}
		p.dispatch(m)
	}
}

func (p *peer) dispatch(m *message) {
	switch {
	case m.isResponse():
		id, err := strconv.ParseInt(string(m.ID), 10, 64)
		p.mu.Lock()
		c := p.calls[id]
		if c != nil {
			p.forget(c)
		}
		p.mu.Unlock()
		if err == nil && c != nil {
			c.answer <- m // has room: there is one answer
		}
	case m.Method == methodPing && m.isCall():
		p.replyLater(m.ID, json.RawMessage("{}"), nil)
	default:
		p.deliver(m)
	}
}

// deliver gives a message to the call that it belongs to.
func (p *peer) deliver(m *message) {
	c := p.callOf(m)
	if c == nil {
		p.strays(m)
		return
	}
	if c.said.add(m) {
		return
	}
	if m.isCall() {
		p.replyLater(m.ID, nil, errBusy)
	} else {
		p.strays(m)
	}
}

var errBusy = &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "the client does not take what it is asked"}

// callOf finds the call that a message belongs to. Progress names it. For the rest MCP has no
// mark: it belongs to a call of the one caller that has calls in flight. If there are
// several callers nobody can tell which one is meant, and none may see what is another's.
func (p *peer) callOf(m *message) *call {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.Method == methodProgress {
		params, err := objectOf(m.Params)
		if err != nil {
			return nil
		}
		return p.tokens[string(params["progressToken"])]
	}
	if m.Method != methodMessage && !m.isCall() {
		return nil
	}
	var found *call
	for _, c := range p.calls {
		switch {
		case c.front == nil:
		case found == nil || c.front.same(found.front) && c.id > found.id:
			found = c
		case !c.front.same(found.front):
			return nil
		}
	}
	return found
}

// begin sends a request. finish must be called when nobody waits for the call any more. If the
// connection has ended before the request left, the error wraps errClosed.
func (p *peer) begin(ctx context.Context, f *front, method string, params func(*call) (json.RawMessage, error)) (*call, error) {
	c := &call{front: f, answer: make(chan *message, 1), said: newSaid()}
	p.mu.Lock()
	if p.over() {
		defer p.mu.Unlock()
		return nil, fmt.Errorf("%w: %w", errClosed, p.err)
	}
	p.last++
	c.id = p.last
	p.mu.Unlock()
	text, err := params(c)
	if err != nil {
		p.finish(c)
		return nil, err
	}
	p.mu.Lock()
	p.calls[c.id] = c
	c.awaited = method != methodListen
	if c.awaited {
		p.awaited++
	}
	alone := c.awaited && p.awaited == 1
	p.mu.Unlock()
	if err := p.link.send(ctx, &message{ID: number(c.id), Method: method, Params: text, alone: alone}); err != nil {
		p.finish(c)
		return nil, err
	}
	if l, ok := p.link.(awakeLink); ok && alone {
		l.receiveAwake(p, c)
	}
	return c, nil
}

// hasNews tells whether the server has said something about the call that its caller has not taken.
func (c *call) hasNews() bool { return len(c.answer) > 0 || len(c.said.some) > 0 }

// isExact tells whether every reader of JSON reads a progress token alike: text is text, and
// integers within 2^53 are float64s.
func isExact(token json.RawMessage) bool {
	if token[0] == '"' {
		return true
	}
	n, err := strconv.ParseInt(string(token), 10, 64)
	return err == nil && n > -1<<53 && n < 1<<53
}

func (p *peer) finish(c *call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(c)
}

// forget ends what is known of a call. Its caller has mu.
func (p *peer) forget(c *call) {
	if c.awaited && p.calls[c.id] == c {
		p.awaited--
	}
	delete(p.calls, c.id)
	if p.tokens[c.sent] == c {
		delete(p.tokens, c.sent)
	}
}

// knowBy gives the progress token by which the server is to know the call: the caller's own,
// unless another call is known by it, or it is a number that the server may not give back as it is.
func (p *peer) knowBy(c *call, token json.RawMessage) json.RawMessage {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.token = token
	if p.tokens[string(token)] != nil || !isExact(token) {
		token = quote(fmt.Sprintf("mcpconnect-gateway-%d", c.id))
	}
	c.sent = string(token)
	p.tokens[c.sent] = c
	return token
}

// request makes a call that says nothing before its answer.
func (p *peer) request(ctx context.Context, method string, params json.RawMessage) (json.RawMessage, error) {
	c, err := p.begin(ctx, nil, method, func(*call) (json.RawMessage, error) { return params, nil })
	if err != nil {
		return nil, err
	}
	defer p.finish(c)
	select {
	case m := <-c.answer:
		return outcome(m)
	case <-p.done:
		return nil, p.lost()
	case <-ctx.Done():
		p.cancel(c, ctx.Err())
		return nil, ctx.Err()
	}
}

func (p *peer) lost() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Errorf("the connection has ended: %w", p.err)
}

func outcome(m *message) (json.RawMessage, error) {
	if m.Error != nil {
		return nil, failure(m.Error)
	}
	return m.Result, nil
}

// cancel tells the server that nobody waits for a call any more.
func (p *peer) cancel(c *call, cause error) {
	reason := "the client has cancelled it"
	if errors.Is(cause, context.DeadlineExceeded) {
		reason = "its time is over"
	}
	p.notify(methodCancelled, object{"requestId": number(c.id), "reason": quote(reason)}.text())
}

// notify sends a notification, if that takes no time.
func (p *peer) notify(method string, params json.RawMessage) {
	p.send(&message{Method: method, Params: params})
}

// reply answers a request of the server.
func (p *peer) reply(id, result json.RawMessage, err error) { p.send(answerTo(id, result, err)) }

func (p *peer) send(m *message) {
	ctx, cancel := context.WithTimeout(context.Background(), sendTimeout)
	defer cancel()
	_ = p.link.send(ctx, m) // if not, the link is at its end
}

// replyLater is reply for the reader, which all callers of the connection wait for.
func (p *peer) replyLater(id, result json.RawMessage, err error) {
	select {
	case p.replies <- answerTo(id, result, err):
	default: // the server asks and asks, and does not read
	}
}

func (p *peer) sendReplies() {
	for {
		select {
		case m := <-p.replies:
			p.send(m)
		case <-p.done:
			return
		}
	}
}

func answerTo(id, result json.RawMessage, err error) *message {
	if err != nil {
		return &message{ID: id, Error: errorText(err)}
	}
	return &message{ID: id, Result: result}
}
