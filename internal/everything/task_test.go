// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package everything

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func taskClient(t *testing.T, version string) *mcp.ClientSession {
	t.Helper()
	opts := answers()
	opts.Capabilities.AddExtension(TasksExtension, nil)
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, opts)
	for _, err := range []error{
		mcp.AddSendingCustomMethod[*GetTaskParams, *GetTaskResult](client, "tasks/get"),
		mcp.AddSendingCustomMethod[*UpdateTaskParams, *TaskAck](client, "tasks/update"),
		mcp.AddSendingCustomMethod[*GetTaskParams, *TaskAck](client, "tasks/cancel"),
		mcp.AddSendingCustomMethod[*EchoParams, *EchoResult](client, EchoMethod),
		mcp.AddSendingCustomMethod[*EchoParams, *EchoResult](client, FailMethod),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return connectClient(t, New(nil), version, client)
}

func getTask(t *testing.T, cs *mcp.ClientSession, id string) Task {
	t.Helper()
	res, err := mcp.CallCustomMethod[*GetTaskParams, *GetTaskResult](t.Context(), cs, "tasks/get", &GetTaskParams{TaskID: id})
	if err != nil {
		t.Fatal(err)
	}
	return res.Task
}

func TestTasksRun(t *testing.T) {
	t.Parallel()
	cs := taskClient(t, modern)
	ids := map[string]string{"done": "task-1", "working": "task-2", "input": "task-3", "failed": "task-4"}
	for _, mode := range []string{"done", "working", "input", "failed"} {
		// The SDK's client knows only the content of a result, and a task has none.
		res, err := call(t, cs, "start_task", `{"mode":"`+mode+`"}`)
		if err != nil || len(res.Content) > 0 {
			t.Fatalf("got %s, want a task", describe(res, err))
		}
	}
	for mode, want := range map[string]string{"done": "completed", "working": "working", "input": "input_required", "failed": "failed"} {
		if got := getTask(t, cs, ids[mode]); got.Status != want {
			t.Errorf("%s: got status %q, want %q", mode, got.Status, want)
		}
	}
	if got := getTask(t, cs, ids["failed"]).Error; got == nil || got.Code != DefaultErrorCode {
		t.Errorf("got error %v", got)
	}
	if _, err := mcp.CallCustomMethod[*GetTaskParams, *TaskAck](t.Context(), cs, "tasks/cancel", &GetTaskParams{TaskID: ids["working"]}); err != nil {
		t.Fatal(err)
	}
	if got := getTask(t, cs, ids["working"]); got.Status != "cancelled" {
		t.Errorf("got status %q, want cancelled", got.Status)
	}
	if _, err := mcp.CallCustomMethod[*UpdateTaskParams, *TaskAck](t.Context(), cs, "tasks/update", &UpdateTaskParams{
		TaskID:         ids["input"],
		InputResponses: mcp.InputResponseMap{"user_name": &mcp.ElicitResult{Action: "accept", Content: map[string]any{"name": "Ada"}}},
	}); err != nil {
		t.Fatal(err)
	}
	const want = `{"content":[{"type":"text","text":"task done for Ada"}]}`
	if diff := cmp.Diff(want, string(getTask(t, cs, ids["input"]).Result)); diff != "" {
		t.Errorf("result differs (-want +got):\n%s", diff)
	}
	if _, err := mcp.CallCustomMethod[*GetTaskParams, *GetTaskResult](t.Context(), cs, "tasks/get", &GetTaskParams{TaskID: "task-9"}); err == nil {
		t.Error("got no error for an unknown task")
	}
}

// The result of the call itself is read from the chain of handlers, because the SDK's
// client drops what it does not know.
func TestTaskResultsAreMarked(t *testing.T) {
	t.Parallel()
	srv := New(nil)
	var handle mcp.MethodHandler
	srv.MCP().AddReceivingMiddleware(func(next mcp.MethodHandler) mcp.MethodHandler { handle = next; return next })
	req := &mcp.CallToolRequest{Params: &mcp.CallToolParamsRaw{Name: "start_task", Meta: mcp.Meta{
		mcp.MetaKeyProtocolVersion:    modern,
		mcp.MetaKeyClientCapabilities: map[string]any{"extensions": map[string]any{TasksExtension: map[string]any{}}},
	}}}
	res, err := handle(t.Context(), "tools/call", req)
	const want = `{"resultType":"task","taskId":"task-1","status":"working","statusMessage":"begun",` +
		`"createdAt":"2026-07-28T12:00:00Z","lastUpdatedAt":"2026-07-28T12:00:00Z","ttlMs":null,"pollIntervalMs":10}`
	if diff := cmp.Diff(want, outcome(t, res, err)); diff != "" {
		t.Errorf("result differs (-want +got):\n%s", diff)
	}
}

func TestLegacyClientsGetNoTasks(t *testing.T) {
	t.Parallel()
	if got := describe(call(t, taskClient(t, legacy), "start_task", "")); got != "done at once: " {
		t.Errorf("got %q", got)
	}
}

func TestCustomMethods(t *testing.T) {
	t.Parallel()
	eachVersion(t, func(t *testing.T, version string) {
		cs := taskClient(t, version)
		value := json.RawMessage(`{"n":9007199254740993,"list":[null]}`)
		res, err := mcp.CallCustomMethod[*EchoParams, *EchoResult](t.Context(), cs, EchoMethod, &EchoParams{Value: value})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(value), string(res.Value)); diff != "" {
			t.Errorf("echo differs (-want +got):\n%s", diff)
		}
		_, err = mcp.CallCustomMethod[*EchoParams, *EchoResult](t.Context(), cs, FailMethod, &EchoParams{Value: value})
		if got, want := outcome(t, nil, err), `error 4001 "failed on request" `+string(value); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}
