// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
)

// StdioConfig says how [ServeStdio] reaches the server.
type StdioConfig struct {
	// Upstream is the server; PerUser, Prefix and Version do not matter.
	Upstream Upstream
	// Logger is told of connections that are lost and made again. It must not write to the
	// standard output. If nil, [slog.Default]. Params and results are never logged.
	Logger *slog.Logger
	// StartTimeout is how long one try to connect again may take. If zero, 30 seconds.
	StartTimeout time.Duration
	// Patience is how long a message waits for a server that is not there before it is
	// answered with an error. If zero, 10 seconds.
	Patience time.Duration
	// DrainTimeout is how long calls in flight have to be answered once in has ended. If zero,
	// 10 seconds.
	DrainTimeout time.Duration
	// MaxMessageBytes is the size of a message, both ways. If zero, 4 MiB.
	MaxMessageBytes int
}

// ServeStdio serves one MCP client, which speaks by lines on in and out, with a server that is
// elsewhere, until in ends or ctx does. Messages pass as they are, in both eras and both ways:
// nothing in them is looked into that need not be.
//
// A connection that is lost is made again. What was in flight then is answered with an error
// that says so, since what has come of it is unknown, except calls that have certainly not been
// done, which are sent again; questions of the server are cancelled. A
// client with a session goes on in a new session of the server, with its subscriptions and its
// log level, and is told that the lists may have changed. While the server cannot be reached
// messages wait, but not long: see Patience.
//
// Messages that no transport can carry are answered with an error: those that are not JSON, and
// those larger than MaxMessageBytes. Nothing but messages is written to out.
//
// ServeStdio returns nil when in has ended, and the cause when ctx has; calls that are still in
// flight are answered with an error before. It fails if cfg is wrong, if out does not take what is
// written, or if the server has become one that the client's session cannot go on with. It closes
// in; a Read that this does not end goes on, and so does a Write of the last answers.
func ServeStdio(ctx context.Context, in io.ReadCloser, out io.Writer, cfg StdioConfig) error {
	if cfg.Upstream.Name == "" {
		cfg.Upstream.Name = cfg.Upstream.URL
	}
	if cfg.Upstream.Name == "" {
		cfg.Upstream.Name = "server"
	}
	if err := (&Config{Upstreams: []Upstream{cfg.Upstream}}).check(); err != nil {
		return err
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	orDefault(&cfg.StartTimeout, 30*time.Second)
	orDefault(&cfg.Patience, 10*time.Second)
	orDefault(&cfg.DrainTimeout, 10*time.Second)
	orDefault(&cfg.MaxMessageBytes, 4<<20)
	ctx, cancel := context.WithCancelCause(ctx)
	b := &bridge{
		cfg: cfg, out: out, cancel: cancel,
		inbox: make(chan *message, stdioQueue), lost: make(chan *attached, 1), settled: make(chan struct{}, 1),
		calls: map[string]*clientCall{}, asks: map[string]ask{},
	}
	ended := make(chan error, 1)
	go func() { ended <- b.read(ctx, in) }()
	defer in.Close()
	defer cancel(nil) // the reader may wait for the sender
	err := b.run(ctx, ended)
	b.sayGoodbye(err)
	return err
}

// lastWords is how long the client may take to read the answers that end its calls.
const lastWords = time.Second

// sayGoodbye answers what is still in flight, if the client reads it.
func (b *bridge) sayGoodbye(err error) {
	why := errors.New("the bridge has ended while the call was in flight, and what has come of it is unknown")
	if err != nil {
		why = fmt.Errorf("%w: %w", why, err)
	}
	b.mu.Lock()
	ids := slices.Collect(maps.Keys(b.calls))
	b.mu.Unlock()
	said := make(chan struct{})
	go func() { // which ends with the process, if the client reads nothing
		defer close(said)
		for _, id := range ids {
			b.fail(json.RawMessage(id), why)
		}
	}()
	select {
	case <-said:
	case <-time.After(lastWords):
	}
}

// stdioQueue is how many messages of the client wait for the server; then its writes do.
const stdioQueue = 64

// A bridge is what ServeStdio runs. One goroutine reads from the client, one sends to the
// server and owns the connection, and each connection has one that reads from it.
type bridge struct {
	cfg    StdioConfig
	cancel context.CancelCauseFunc
	inbox  chan *message // from the client
	lost   chan *attached
	// settled has a token when a call has been answered, or is to be sent again.
	settled chan struct{}

	// Of the sender.
	current     *attached
	connections int
	session     session
	outage      outage
	shortLived  time.Duration // the pause since connections end soon after they stand; zero if they do not

	writing sync.Mutex
	out     io.Writer

	mu    sync.Mutex
	calls map[string]*clientCall // of the client, in flight, by their ids
	again []*message             // calls that wait for a session
	// forgotten tells that the server has said that it does not know the session.
	forgotten bool
	// retries are calls that have not left, and refused is when the first of them did not, zero
	// when the server has answered since.
	retries []retry
	refused time.Time
	asks    map[string]ask // of the server, by the ids that the client knows
}

// An ask is a question of the server.
type ask struct {
	own        json.RawMessage // the server's id
	connection int             // on which it was asked
}

// A clientCall is a call of the client.
type clientCall struct {
	*message

	sent     bool // or else it waits for the server
	late     bool // when the server had forgotten the session
	repeated bool
	pause    time.Duration // before it is tried again
}

// read takes what the client says. It gives nil when that has ended.
func (b *bridge) read(ctx context.Context, in io.Reader) error {
	// The last line may lack its end.
	lines := bufio.NewReaderSize(io.MultiReader(in, strings.NewReader("\n")), 64<<10)
	for {
		line, err := readLine(lines, b.cfg.MaxMessageBytes)
		switch {
		case errors.Is(err, errTooLong):
			if errors.Is(err, errTooLongOpen) && skipLine(lines) != nil {
				return nil //nolint:nilerr // in has ended
			}
			b.refuse(nil, jsonrpc.CodeInvalidRequest, fmt.Sprintf("message is larger than the limit of %d bytes", b.cfg.MaxMessageBytes))
			continue
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading from the client: %w", err)
		}
		for _, text := range splitBatch(line) {
			m, err := parse(text)
			if err != nil {
				b.refuse(nil, jsonrpc.CodeParseError, "not a JSON-RPC message")
				continue
			}
			if err := mapping.CheckMembers(text); err != nil {
				b.refuse(nil, jsonrpc.CodeInvalidRequest, err.Error())
				continue
			}
			if !b.accept(ctx, m) {
				return nil
			}
		}
	}
}

// splitBatch gives the messages of a line; MCP 2025-03-26 has batches.
func splitBatch(line []byte) []json.RawMessage {
	line = bytes.TrimSpace(line)
	if len(line) == 0 {
		return nil
	}
	var batch []json.RawMessage
	if line[0] == '[' && json.Unmarshal(line, &batch) == nil && len(batch) > 0 {
		return batch
	}
	return []json.RawMessage{bytes.Clone(line)} // the line is in the reader's buffer
}

// skipLine leaves out the rest of a line.
func skipLine(r *bufio.Reader) error {
	for {
		_, err := r.ReadSlice('\n')
		if err == nil || !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// accept takes one message of the client to the sender. It tells whether there still is one.
func (b *bridge) accept(ctx context.Context, m *message) bool {
	if m.isCall() && !isID(m.ID) {
		b.refuse(m.ID, jsonrpc.CodeInvalidRequest, "an id is a string, or an integer of 64 bits")
		return true
	}
	if m.isCall() && !b.note(m) {
		b.refuse(m.ID, jsonrpc.CodeInvalidRequest, fmt.Sprintf("another request with the id %s is in flight", m.ID))
		return true
	}
	select {
	case b.inbox <- m:
		return true
	case <-ctx.Done():
		return false
	}
}

// isID tells whether an id is one that every transport carries (SPEC.md §4.2).
func isID(id json.RawMessage) bool {
	_, err := strconv.ParseInt(string(id), 10, 64)
	return err == nil || id[0] == '"'
}

// note remembers a call in flight, if its id is free.
func (b *bridge) note(m *message) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.calls[string(m.ID)] != nil {
		return false
	}
	b.calls[string(m.ID)] = &clientCall{message: m}
	return true
}

// settle forgets a call, and gives it. It is nil if nobody waits for it.
func (b *bridge) settle(id json.RawMessage) *clientCall {
	b.mu.Lock()
	defer b.mu.Unlock()
	call := b.calls[string(id)]
	delete(b.calls, string(id))
	b.wake()
	return call
}

// inFlight counts the calls that have an end. Its caller has mu.
func (b *bridge) inFlight() int {
	n := 0
	for _, call := range b.calls {
		if call.Method != methodListen {
			n++
		}
	}
	return n
}

// isOpening tells whether the client waits for its session. What it says before it has that the
// server may not understand.
func (b *bridge) isOpening() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, call := range b.calls {
		if call.Method == methodInitialize && (call.sent || call.pause > 0) {
			return true
		}
	}
	return false
}

// answered gives the server's id of a question that the client answers, if it was asked on the
// connection that there is.
func (b *bridge) answered(id json.RawMessage) (json.RawMessage, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, known := b.asks[string(id)]
	delete(b.asks, string(id))
	return a.own, known && b.current != nil && a.connection == b.current.number
}

// write writes a message to the client. Nobody can go on if that fails.
func (b *bridge) write(m *message) {
	text, err := m.text()
	if err != nil { // something in it is not JSON
		b.cfg.Logger.Warn("the server sent what is no message", "server", b.cfg.Upstream.Name)
		return
	}
	b.writing.Lock()
	defer b.writing.Unlock()
	if _, err := b.out.Write(append(text, '\n')); err != nil {
		b.cancel(fmt.Errorf("writing to the client: %w", err))
	}
}

// refuse answers a call with an error.
func (b *bridge) refuse(id json.RawMessage, code int64, why string) {
	if id == nil {
		id = json.RawMessage("null")
	}
	b.write(&message{ID: id, Error: errorText(&jsonrpc.Error{Code: code, Message: why})})
}

// fail answers a call of the client with an error, unless it has been answered.
func (b *bridge) fail(id json.RawMessage, why error) {
	if b.settle(id) == nil {
		return
	}
	if e, ok := errors.AsType[*jsonrpc.Error](why); ok {
		b.write(&message{ID: id, Error: errorText(e)})
		return
	}
	b.refuse(id, jsonrpc.CodeInternalError, why.Error())
}
