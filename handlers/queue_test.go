// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func TestQueueHasRoomForABurstOfPushes(t *testing.T) {
	t.Parallel()
	q := newQueue[int]()
	for i := range pushSize {
		if err := q.push(fmt.Sprint(i), i); err != nil {
			t.Fatalf("push %d: %v", i, err)
		}
	}
	if err := q.send(t.Context(), -1); err != nil {
		t.Errorf("pushes have taken the room of calls: %v", err)
	}
	if err := q.push("0", 0); err != nil {
		t.Errorf("what waits already: %v", err)
	}
	if err := q.push("one more", 0); !errors.Is(err, errSlowReader) {
		t.Errorf("got %v for one too many, want errSlowReader", err)
	}
}

func TestQueueMergesWhatSaysTheSame(t *testing.T) {
	t.Parallel()
	q := newQueue[string]()
	for _, n := range []struct{ method, params string }{
		{methodResourceUpdated, `{"uri":"a"}`},
		{methodResourceUpdated, `{"uri":"a"}`},
		{methodResourceUpdated, `{"uri":"b"}`},
		{methodToolsChanged, ``},
		{methodToolsChanged, ``},
		{methodMessage, `{"data":1}`}, // each log message counts
		{methodMessage, `{"data":1}`},
	} {
		if err := q.push(pushKey(n.method, json.RawMessage(n.params)), n.method+n.params); err != nil {
			t.Fatal(err)
		}
	}
	q.close(nil)
	var got []string
	if err := q.write(t.Context(), func(all []string) error {
		got = append(got, all...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(got) != 5 {
		t.Errorf("got %d notifications, want 5: %q", len(got), got)
	}
}

func TestQueueSendsNothingAfterACancellation(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newQueue[int]().send(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// endedOutlet is a stream that has ended, but is not detached yet.
type endedOutlet struct{}

func (endedOutlet) ask(context.Context, *serverRequest) error { return errStreamClosed }
func (endedOutlet) push(string, json.RawMessage) error        { return errStreamClosed }

// TestSessionSurvivesTheEndOfItsStream: the SDK takes a failed write for the end of all, so
// the end of a stream must not look like one.
func TestSessionSurvivesTheEndOfItsStream(t *testing.T) {
	t.Parallel()
	server := mcp.NewServer(&mcp.Implementation{Name: "s", Version: "1"}, &mcp.ServerOptions{
		SubscribeHandler:   func(context.Context, *mcp.SubscribeRequest) error { return nil },
		UnsubscribeHandler: func(context.Context, *mcp.UnsubscribeRequest) error { return nil },
	})
	s := New(server, Config{Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { _ = s.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	params, err := decodeParams(methodInitialize, json.RawMessage(`{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{}},"clientInfo":{"name":"c","version":"1"}}`))
	if err != nil {
		t.Fatal(err)
	}
	n, _, err := s.newSession(ctx, params, &mcp.RequestExtra{})
	if err != nil {
		t.Fatal(err)
	}
	defer n.release()
	if err := n.attach(endedOutlet{}); err != nil {
		t.Fatal(err)
	}
	if err := n.ss.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: "t"}); err != nil {
		t.Errorf("a notification into the void: %v", err)
	}
	if _, err := n.ss.Elicit(ctx, &mcp.ElicitParams{Message: "?"}); err == nil {
		t.Error("a question into the void was answered")
	}
	res, err := n.inject(ctx, &jsonrpc.Request{Method: methodSubscribe, Params: json.RawMessage(`{"uri":"a:b"}`)})
	if err != nil || res.Error != nil {
		t.Errorf("the session is broken: %v, %v", res, err)
	}
}
