// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func TestGreetAsksForTheName(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		answer  mcp.ElicitResult
		want    string
		isError bool
	}{
		{"an accepted form greets by name", mcp.ElicitResult{Action: "accept", Content: map[string]any{"name": " Ada "}}, "Hello, Ada!", false},
		{"a declined form greets a stranger", mcp.ElicitResult{Action: "decline"}, "Hello, whoever you are!", false},
		{"a cancelled form says goodbye", mcp.ElicitResult{Action: "cancel"}, "Never mind. Goodbye!", false},
		{"a blank name is an error", mcp.ElicitResult{Action: "accept", Content: map[string]any{"name": " "}}, "greet: the name is empty", true},
	}
	eachVersion(t, func(t *testing.T, version string) {
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				cs := connect(t, NewServer("v9"), version, &mcp.ClientOptions{
					ElicitationHandler: func(_ context.Context, req *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
						if got, want := req.Params.Message, "What is your name?"; got != want {
							t.Errorf("got question %q, want %q", got, want)
						}
						return &test.answer, nil
					},
				})
				res, err := cs.CallTool(t.Context(), &mcp.CallToolParams{Name: "greet"})
				if err != nil {
					t.Fatal(err)
				}
				if got := onlyText(t, res); got != test.want || res.IsError != test.isError {
					t.Errorf("got %q (error: %v), want %q (error: %v)", got, res.IsError, test.want, test.isError)
				}
			})
		}
	})
}

func TestGreetNeedsForms(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, version string) {
		cs := connect(t, NewServer("v9"), version, nil)
		res, err := cs.CallTool(t.Context(), &mcp.CallToolParams{Name: "greet"})
		if version < firstModern {
			if err != nil || !res.IsError {
				t.Errorf("got result %+v, error %v; want an error in the result", res, err)
			}
			return
		}
		var wire *jsonrpc.Error
		if !errors.As(err, &wire) {
			t.Fatalf("got error %v, want a JSON-RPC error", err)
		}
		if wire.Code != -32021 {
			t.Errorf("got code %d, want -32021", wire.Code)
		}
		var data struct {
			RequiredCapabilities struct{ Elicitation struct{ Form *struct{} } }
		}
		if err := json.Unmarshal(wire.Data, &data); err != nil || data.RequiredCapabilities.Elicitation.Form == nil {
			t.Errorf("got data %s, want it to require forms", wire.Data)
		}
	})
}

// manual is a client that plays the rounds by hand.
func manual(t *testing.T) *mcp.ClientSession {
	return connect(t, NewServer("v9"), "2026-07-28", &mcp.ClientOptions{
		MultiRoundTrip: &mcp.MultiRoundTripOptions{Disabled: true},
		ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
			return nil, errors.New("unexpected elicitation request")
		},
	})
}

func TestGreetByHand(t *testing.T) {
	t.Parallel()
	cs := manual(t)
	first, err := cs.CallTool(t.Context(), &mcp.CallToolParams{Name: "greet"})
	if err != nil {
		t.Fatal(err)
	}
	if !first.NeedsInput() || first.RequestState == "" {
		t.Fatalf("got %+v, want a question with a state", first)
	}
	question, err := json.Marshal(first.InputRequests)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"name":{"method":"elicitation/create","params":{"mode":"form","message":"What is your name?",` +
		`"requestedSchema":{"properties":{"name":{"description":"how you want to be greeted","maxLength":100,"minLength":1,` +
		`"title":"Name","type":"string"}},"required":["name"],"type":"object"}}}}`
	if diff := cmp.Diff(want, string(question)); diff != "" {
		t.Errorf("question differs (-want +got):\n%s", diff)
	}
	retry := &mcp.CallToolParams{
		Name:           "greet",
		InputResponses: mcp.InputResponseMap{"name": &mcp.ElicitResult{Action: "accept", Content: map[string]any{"name": "Ada"}}},
		RequestState:   first.RequestState,
	}
	second, err := cs.CallTool(t.Context(), retry)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := onlyText(t, second), "Hello, Ada!"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestGreetRefusesForgedStates(t *testing.T) {
	t.Parallel()
	cs := manual(t)
	other := NewServer("v9").states.sign() // of another process, as far as cs can tell
	for name, state := range map[string]string{"no state": "", "noise": "%%%", "another server's state": other} {
		t.Run(name, func(t *testing.T) {
			_, err := cs.CallTool(t.Context(), &mcp.CallToolParams{
				Name:           "greet",
				InputResponses: mcp.InputResponseMap{"name": &mcp.ElicitResult{Action: "decline"}},
				RequestState:   state,
			})
			var wire *jsonrpc.Error
			if !errors.As(err, &wire) || wire.Code != jsonrpc.CodeInvalidParams {
				t.Errorf("got error %v, want invalid params", err)
			}
		})
	}
}

func TestStatesExpireAndDetectChanges(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_800_000_000, 0)
	signer := stateSigner{key: "key", now: func() time.Time { return at }}
	later := func(d time.Duration) stateSigner {
		return stateSigner{key: "key", now: func() time.Time { return at.Add(d) }}
	}
	state := signer.sign()
	changed := []byte(state)
	changed[0] = 'B' // was A: the time begins with zeros
	tests := []struct {
		name   string
		signer stateSigner
		state  string
		want   error
	}{
		{"fresh", signer, state, nil},
		{"as old as allowed", later(stateLifetime), state, nil},
		{"a second too old", later(stateLifetime + time.Second), state, errStateExpired},
		{"changed", signer, string(changed), errStateForged},
		{"cut short", signer, state[:len(state)-4], errStateForged},
		{"made longer", signer, state + "AAAA", errStateForged},
		{"of another key", stateSigner{key: "yek", now: signer.now}, state, errStateForged},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.signer.check(test.state); !errors.Is(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
