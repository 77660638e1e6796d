// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package contender

import (
	"context"
	"errors"
	"io"
	"sync"

	"google.golang.org/protobuf/proto"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// A frameStream carries envelopes with typed frames.
type frameStream interface {
	// send writes several at once. One goroutine calls it.
	send(batch []*mcpv1.Envelope) error
	// receive gives an envelope and those in its batch. One goroutine calls it.
	receive() (*mcpv1.Envelope, error)
}

// batchBytes bounds a batch as our handler does.
const batchBytes = 256 << 10

// maxQueued is how many envelopes wait for the writer before those who write wait too.
const maxQueued = 1024

// writeFrames writes what comes through out, all that is there at a time.
func writeFrames(s frameStream, out <-chan *mcpv1.Envelope, done <-chan struct{}) error {
	var batch []*mcpv1.Envelope
	for {
		select {
		case e := <-out:
			batch = append(batch[:0], e)
		case <-done:
			return nil
		}
		for size := proto.Size(batch[0]); size < batchBytes; {
			select {
			case e := <-out:
				batch = append(batch, e)
				size += proto.Size(e)
				continue
			default:
			}
			break
		}
		if err := s.send(batch); err != nil {
			return err
		}
	}
}

// A frameWriter writes for many goroutines: who finds nobody writing writes, and what the
// others add meanwhile too. An idle stream has no goroutine for it.
type frameWriter struct {
	stream frameStream

	mu      sync.Mutex
	queue   []*mcpv1.Envelope
	writing bool
	err     error
}

func (w *frameWriter) write(e *mcpv1.Envelope) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, e)
	if w.writing {
		return w.err
	}
	w.writing = true
	for len(w.queue) > 0 && w.err == nil {
		all := w.queue
		w.queue = nil
		w.mu.Unlock()
		err := w.writeAll(all)
		w.mu.Lock()
		w.err = err
	}
	w.writing = false
	return w.err
}

func (w *frameWriter) writeAll(all []*mcpv1.Envelope) error {
	for len(all) > 0 {
		n := 1
		for size := proto.Size(all[0]); n < len(all); n++ {
			if size += proto.Size(all[n]); size > batchBytes {
				break
			}
		}
		if err := w.stream.send(all[:n]); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// serveFrames answers calls until the client is done, each on a goroutine of its own.
func (s *plainService) serveFrames(ctx context.Context, stream frameStream) error {
	var calls sync.WaitGroup
	defer calls.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := &frameWriter{stream: stream}
	reply := func(r *mcpv1.ReplyFrame) error {
		return w.write(&mcpv1.Envelope{Kind: &mcpv1.Envelope_Reply{Reply: r}})
	}
	take := func(e *mcpv1.Envelope) {
		if f := e.GetCall(); f != nil {
			calls.Go(func() { s.serveFrame(ctx, f, reply) })
		}
	}
	for {
		e, err := stream.receive()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		take(e)
		for _, e := range e.GetBatch() {
			take(e)
		}
	}
}

func (s *plainService) serveFrame(ctx context.Context, f *mcpv1.CallFrame, reply func(*mcpv1.ReplyFrame) error) {
	a := &mcpv1.ReplyFrame{CallId: f.GetCallId()}
	var err error
	switch k := f.Request.(type) {
	case *mcpv1.CallFrame_CallTool:
		if f.GetStream() {
			err = s.events(ctx, k.CallTool, func(e *mcpv1.CallToolEvent) error {
				return reply(&mcpv1.ReplyFrame{CallId: f.GetCallId(), Reply: &mcpv1.ReplyFrame_Event{Event: e}})
			})
			if err == nil {
				return
			}
			break
		}
		var m *mcpv1.InvokeToolResponse
		m, err = s.InvokeTool(ctx, k.CallTool)
		a.Reply = &mcpv1.ReplyFrame_CallTool{CallTool: m}
	case *mcpv1.CallFrame_ListTools:
		var m *mcpv1.ListToolsResponse
		m, err = s.ListTools(ctx, k.ListTools)
		a.Reply = &mcpv1.ReplyFrame_ListTools{ListTools: m}
	case *mcpv1.CallFrame_ReadResource:
		var m *mcpv1.ReadResourceResponse
		m, err = s.ReadResource(ctx, k.ReadResource)
		a.Reply = &mcpv1.ReplyFrame_ReadResource{ReadResource: m}
	default:
		err = errors.ErrUnsupported
	}
	if err != nil {
		a.Reply = &mcpv1.ReplyFrame_Error{Error: &mcpv1.FrameError{Message: err.Error()}}
	}
	_ = reply(a) // the client is gone then
}

// A frameStub makes calls on one stream.
type frameStub struct {
	stream frameStream
	hangUp func() // ends the stream
	out    chan *mcpv1.Envelope
	done   chan struct{} // closed when the stream is over
	ended  sync.WaitGroup

	mu    sync.Mutex
	calls map[uint64]chan *mcpv1.ReplyFrame
	last  uint64
}

var _ stub = (*frameStub)(nil)

func newFrameStub(stream frameStream, hangUp func()) *frameStub {
	s := &frameStub{
		stream: stream, hangUp: hangUp,
		out: make(chan *mcpv1.Envelope, maxQueued), done: make(chan struct{}),
		calls: map[uint64]chan *mcpv1.ReplyFrame{},
	}
	s.ended.Go(s.takeAll)
	s.ended.Go(func() { _ = writeFrames(stream, s.out, s.done) }) // the reader fails too
	return s
}

func (s *frameStub) takeAll() {
	defer close(s.done)
	for {
		e, err := s.stream.receive()
		if err != nil {
			return
		}
		s.take(e)
		for _, e := range e.GetBatch() {
			s.take(e)
		}
	}
}

func (s *frameStub) take(e *mcpv1.Envelope) {
	r := e.GetReply()
	if r == nil {
		return
	}
	s.mu.Lock()
	c := s.calls[r.GetCallId()]
	s.mu.Unlock()
	if c != nil {
		c <- r
	}
}

// call sends a call and hands its replies to take until that is true.
func (s *frameStub) call(ctx context.Context, f *mcpv1.CallFrame, take func(*mcpv1.ReplyFrame) bool) error {
	replies := make(chan *mcpv1.ReplyFrame, 1)
	s.mu.Lock()
	s.last++
	f.CallId = s.last
	s.calls[f.CallId] = replies
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.calls, f.CallId)
		s.mu.Unlock()
	}()
	select {
	case s.out <- &mcpv1.Envelope{Kind: &mcpv1.Envelope_Call{Call: f}}:
	case <-s.done:
		return io.ErrUnexpectedEOF
	}
	for {
		select {
		case r := <-replies:
			if r.GetError() != nil {
				return errors.New(r.GetError().GetMessage())
			}
			if take(r) {
				return nil
			}
		case <-s.done:
			return io.ErrUnexpectedEOF
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *frameStub) invoke(ctx context.Context, req *mcpv1.CallToolRequest) (res *mcpv1.InvokeToolResponse, err error) {
	err = s.call(ctx, &mcpv1.CallFrame{Request: &mcpv1.CallFrame_CallTool{CallTool: req}}, func(r *mcpv1.ReplyFrame) bool {
		res = r.GetCallTool()
		return true
	})
	return res, err
}

func (s *frameStub) events(ctx context.Context, req *mcpv1.CallToolRequest, take func(*mcpv1.CallToolEvent)) error {
	return s.call(ctx, &mcpv1.CallFrame{Request: &mcpv1.CallFrame_CallTool{CallTool: req}, Stream: true}, func(r *mcpv1.ReplyFrame) bool {
		take(r.GetEvent())
		return r.GetEvent().GetResult() != nil
	})
}

func (s *frameStub) list(ctx context.Context, req *mcpv1.ListToolsRequest) (res *mcpv1.ListToolsResponse, err error) {
	err = s.call(ctx, &mcpv1.CallFrame{Request: &mcpv1.CallFrame_ListTools{ListTools: req}}, func(r *mcpv1.ReplyFrame) bool {
		res = r.GetListTools()
		return true
	})
	return res, err
}

func (s *frameStub) read(ctx context.Context, req *mcpv1.ReadResourceRequest) (res *mcpv1.ReadResourceResponse, err error) {
	err = s.call(ctx, &mcpv1.CallFrame{Request: &mcpv1.CallFrame_ReadResource{ReadResource: req}}, func(r *mcpv1.ReplyFrame) bool {
		res = r.GetReadResource()
		return true
	})
	return res, err
}

func (s *frameStub) close() error {
	s.hangUp()
	s.ended.Wait()
	return nil
}
