// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// An attached is a connection of a bridge to the server.
type attached struct {
	link    link
	number  int // from 1 on
	began   time.Time
	err     error
	reading sync.WaitGroup
	// repeated counts the messages of the client's session that were sent again.
	repeated int
}

// An outage is the time in which the server cannot be reached.
type outage struct {
	since time.Time // zero for none
	pause time.Duration
	next  time.Time
	cause error
}

// run sends what the client says, until there is nothing more to send.
func (b *bridge) run(ctx context.Context, ended <-chan error) error {
	defer b.detach()
	var drained <-chan time.Time
	for {
		if ended == nil && len(b.inbox) == 0 && b.quiet() {
			return nil
		}
		inbox := b.inbox
		if b.isOpening() {
			inbox = nil
		}
		var again <-chan time.Time
		if b.current == nil && b.session.open() {
			again = time.After(time.Until(b.outage.next))
		}
		select {
		case m := <-inbox:
			b.send(ctx, m)
		case c := <-b.lost:
			b.end(ctx, c)
		case <-b.due():
			b.tryAgain(ctx)
		case <-again:
			_ = b.connect(ctx) // the next message tells, if it fails
		case err := <-ended:
			if err != nil {
				return err
			}
			ended = nil
			drained = time.After(b.cfg.DrainTimeout)
		case <-b.settled:
		case <-drained:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if fatal := b.session.broken(); fatal != nil {
			return fatal
		}
	}
}

func (b *bridge) quiet() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.inFlight() == 0
}

// send sends a message of the client, and connects before if need be.
func (b *bridge) send(ctx context.Context, m *message) {
	switch {
	case m.Method == methodCancelled && !b.cancelCall(m):
		return
	case m.isCall() && !b.waits(m):
		return // the client has cancelled it meanwhile
	case m.isResponse():
		own, known := b.answered(m.ID)
		if !known {
			return // to a question of a connection that is gone
		}
		m.ID = own
	}
	err := b.await(ctx, m)
	if err == nil {
		b.session.note(m)
		b.markSent(m)
		err = b.sendNow(ctx, m)
	}
	switch {
	case err == nil || ctx.Err() != nil:
	case m.isCall() && (isUnsent(err) || isClosed(err) || isNoSession(err)) && b.later(m.ID):
	case m.isCall():
		b.fail(m.ID, err)
	default:
		b.cfg.Logger.Warn("a message did not reach the server", "server", b.cfg.Upstream.Name, "method", m.Method, "error", err)
	}
}

// sendNow sends a message. For one that nobody waits for it does not wait long: all that comes after
// does.
func (b *bridge) sendNow(ctx context.Context, m *message) error {
	if m.isCall() {
		return b.current.link.send(ctx, m)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	return b.current.link.send(ctx, m)
}

// await waits for the connection as long as a message may have to.
func (b *bridge) await(ctx context.Context, m *message) error {
	if b.current == nil && !m.isCall() && !b.session.open() {
		return errors.New("it is about nothing that the server knows")
	}
	for b.current == nil {
		if b.outage.since.IsZero() {
			b.outage.since = time.Now()
		}
		patience := time.Until(b.outage.since.Add(b.cfg.Patience))
		if patience <= 0 && b.outage.cause != nil && time.Until(b.outage.next) > 0 {
			return fmt.Errorf("the server cannot be reached: %w", b.outage.cause)
		}
		if !sleep(ctx, min(time.Until(b.outage.next), max(patience, 0))) {
			return ctx.Err()
		}
		if err := b.connect(ctx); err != nil && b.session.broken() != nil {
			return err
		}
	}
	return nil
}

// connect tries once to connect, and to go on with the session of the client.
func (b *bridge) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.cfg.StartTimeout)
	defer cancel()
	c, err := b.open(ctx)
	if err == nil && b.session.open() {
		if err = b.session.resume(ctx, c); err != nil {
			c.link.close()
			c.link.wait()
		}
	}
	if err != nil {
		if b.outage.since.IsZero() {
			b.outage.since = time.Now()
		}
		b.outage.pause = min(max(2*b.outage.pause, minPause), maxPause)
		b.outage.next, b.outage.cause = time.Now().Add(b.outage.pause), err
		b.cfg.Logger.Warn("the server cannot be reached", "server", b.cfg.Upstream.Name, "error", err, "next_try", b.outage.pause)
		return err
	}
	b.outage = outage{}
	b.reached()
	b.current = c
	if b.session.open() {
		b.cfg.Logger.Info("connected again", "server", b.cfg.Upstream.Name)
		b.session.tellChanges(b.write)
	}
	c.reading.Go(func() { b.receive(c) })
	return nil
}

func (b *bridge) open(ctx context.Context) (*attached, error) {
	u := &upstream{Upstream: b.cfg.Upstream, g: &Gateway{cfg: Config{Logger: b.cfg.Logger, MaxMessageBytes: b.cfg.MaxMessageBytes}}}
	l, err := u.open(ctx)
	if err != nil {
		return nil, err
	}
	b.connections++
	return &attached{link: l, number: b.connections, began: time.Now()}, nil
}

// lastAnswers is how long the calls that are in flight when the server has forgotten the session may
// take to fail: each learns by itself whether the server has looked at it.
const lastAnswers = time.Second

// receive hands what the server says to the client, as long as the connection lasts.
func (b *bridge) receive(c *attached) {
	defer func() { b.lost <- c }() // has room: there is one connection at a time
	for c.err == nil || b.anySent() {
		m, err := c.link.receive()
		if err != nil {
			c.err = cmp.Or(c.err, err)
			return
		}
		switch {
		case m.noSession && b.repeat(m.ID):
			if c.err == nil {
				c.err = errNoSession
				defer time.AfterFunc(lastAnswers, c.link.close).Stop()
			}
			continue
		case m.unsent && b.later(m.ID):
			continue
		case m.isResponse():
			if !m.unsent {
				b.reached()
			}
			call := b.settle(m.ID)
			if call == nil {
				continue // the client was told that it is lost, or has not asked
			}
			if call.Method == methodInitialize {
				b.session.opened(c.link, m)
			}
		case m.isCall():
			m.ID = b.ask(c, m.ID)
		case m.Method == methodCancelled:
			m.Params = b.renamed(c, m.Params)
		}
		b.write(m)
	}
}

// repeat keeps a call that the server has not looked at for the next session, if there is one to
// go on with. It does so once for a call.
func (b *bridge) repeat(id json.RawMessage) bool {
	if !b.session.open() {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	call := b.calls[string(id)]
	if call == nil || call.repeated {
		return false
	}
	call.repeated, call.sent = true, false
	b.again = append(b.again, call.message)
	b.forgotten = true
	return true
}

// anySent tells whether the answer to a call is to come.
func (b *bridge) anySent() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, call := range b.calls {
		if call.sent {
			return true
		}
	}
	return false
}

// ask gives the id by which the client is to know a question of the server: the server's own
// on the first connection. On later ones it could be that of a question of an earlier one, the
// answer to which is on its way.
func (b *bridge) ask(c *attached, own json.RawMessage) json.RawMessage {
	id := c.askID(own)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asks[string(id)] = ask{own, c.number}
	return id
}

func (c *attached) askID(own json.RawMessage) json.RawMessage {
	if c.number == 1 {
		return own
	}
	return quote(fmt.Sprintf("mcpconnect-%d-%s", c.number, own))
}

// renamed is the params of the cancellation of a question, as the client knows that. Nobody waits for
// its answer any more.
func (b *bridge) renamed(c *attached, params json.RawMessage) json.RawMessage {
	p, err := objectOf(params)
	if err != nil || p["requestId"] == nil {
		return params
	}
	id := c.askID(p["requestId"])
	b.mu.Lock()
	delete(b.asks, string(id))
	b.mu.Unlock()
	if c.number == 1 {
		return params
	}
	p["requestId"] = id
	return p.text()
}

// end sees to what a lost connection leaves behind.
func (b *bridge) end(ctx context.Context, c *attached) {
	if b.current != c {
		return
	}
	b.detach()
	b.outage = outage{since: time.Now(), cause: c.err}
	if time.Since(c.began) > steady {
		b.shortLived = 0
	} else { // or it would be made again and again at once
		b.shortLived = min(max(2*b.shortLived, minPause), maxPause)
		b.outage.pause, b.outage.next = b.shortLived, time.Now().Add(b.shortLived)
	}
	b.mu.Lock()
	for _, call := range b.calls {
		if call.sent && call.late && !call.repeated { // the server had forgotten the session before
			call.sent, call.repeated = false, true
			b.again = append(b.again, call.message)
		}
	}
	inFlight, asks, again := len(b.calls), b.asks, b.again
	b.again, b.asks, b.forgotten = nil, map[string]ask{}, false
	b.mu.Unlock()
	b.cfg.Logger.Warn("the connection to the server was lost", "server", b.cfg.Upstream.Name, "error", c.err, "calls_in_flight", inFlight)
	for id := range asks {
		b.write(&message{Method: methodCancelled, Params: object{
			"requestId": json.RawMessage(id), "reason": quote("the connection to the server was lost"),
		}.text()})
	}
	b.failSent(fmt.Errorf("the connection to the server was lost while the call was in flight, and what has come of it is unknown: %w", c.err))
	for _, m := range again {
		b.send(ctx, m)
	}
}

// failSent answers the calls that were sent, unless the server has certainly not done them; others
// still wait in the inbox.
func (b *bridge) failSent(why error) {
	b.mu.Lock()
	var ids []json.RawMessage
	for id, call := range b.calls {
		if call.sent {
			ids = append(ids, json.RawMessage(id))
		}
	}
	b.mu.Unlock()
	for _, id := range ids {
		if !isDrained(why) || !b.later(id) {
			b.fail(id, why)
		}
	}
}

func (b *bridge) markSent(m *message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if call := b.calls[string(m.ID)]; call != nil && m.isCall() {
		call.sent, call.late = true, b.forgotten
	}
}

// detach ends the connection.
func (b *bridge) detach() {
	c := b.current
	if c == nil {
		return
	}
	b.current = nil
	c.link.close()
	c.reading.Wait()
	c.link.wait()
	select {
	case <-b.lost: // its own end
	default:
	}
}
