// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package everything

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// TasksExtension is the identifier of the tasks extension (SEP-2663). The SDK does not
// know it; this file does with middleware and custom methods what a server author has
// to do until then.
const TasksExtension = "io.modelcontextprotocol/tasks"

const (
	startTaskTool = "start_task"
	taskTime      = "2026-07-28T12:00:00Z" // of everything that happens to a task
	firstModern   = "2026-07-28"           // first protocol version with the extension
)

// Task is the state of a task, as tasks/get returns it.
type Task struct {
	TaskID         string              `json:"taskId"`
	Status         string              `json:"status"` // working, input_required, completed, cancelled or failed
	StatusMessage  string              `json:"statusMessage,omitempty"`
	CreatedAt      string              `json:"createdAt"`
	LastUpdatedAt  string              `json:"lastUpdatedAt"`
	TTLMs          *int64              `json:"ttlMs"` // null: kept for ever
	PollIntervalMs int64               `json:"pollIntervalMs,omitempty"`
	InputRequests  mcp.InputRequestMap `json:"inputRequests,omitempty"` // if input_required
	Result         json.RawMessage     `json:"result,omitempty"`        // if completed
	Error          *jsonrpc.Error      `json:"error,omitempty"`         // if failed
}

// CreateTaskResult is the answer to tools/call that stands for a task.
type CreateTaskResult struct {
	mcp.ResultBase
	ResultType string `json:"resultType"` // always "task"
	Task
}

// GetTaskParams are the parameters of tasks/get and of tasks/cancel.
type GetTaskParams struct {
	mcp.ParamsBase
	TaskID string `json:"taskId"`
}

// GetTaskResult is the result of tasks/get.
type GetTaskResult struct {
	mcp.ResultBase
	ResultType string `json:"resultType"` // always "complete"
	Task
}

// UpdateTaskParams are the parameters of tasks/update.
type UpdateTaskParams struct {
	mcp.ParamsBase
	TaskID         string               `json:"taskId"`
	InputResponses mcp.InputResponseMap `json:"inputResponses"`
}

// TaskAck is the result of tasks/update and tasks/cancel.
type TaskAck struct {
	mcp.ResultBase
	ResultType string `json:"resultType"` // always "complete"
}

func (s *Server) addTasks() {
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name: startTaskTool,
		Description: "Runs as a task for modern clients that declare tasks, at once for all others. " +
			"mode is done (the default), working (until cancelled), input (asks for a name) or failed.",
	}, func(_ context.Context, _ *mcp.CallToolRequest, in startTaskInput) (*mcp.CallToolResult, any, error) {
		return text("done at once: " + in.Mode), nil, nil
	})
	s.mcp.AddReceivingMiddleware(s.answerWithTask)
	mustAdd(mcp.AddReceivingCustomMethod(s.mcp, "tasks/get", withParams(s.getTask)))
	mustAdd(mcp.AddReceivingCustomMethod(s.mcp, "tasks/update", withParams(s.updateTask)))
	mustAdd(mcp.AddReceivingCustomMethod(s.mcp, "tasks/cancel", withParams(s.cancelTask)))
}

// withParams makes a custom method of handle. The SDK hands nil on for a request without
// parameters, which has no task id either.
func withParams[P, R any](handle func(params *P) (*R, error)) func(context.Context, *mcp.ServerSession, *P) (*R, error) {
	return func(_ context.Context, _ *mcp.ServerSession, params *P) (*R, error) {
		if params == nil {
			return nil, invalidParams("missing taskId")
		}
		return handle(params)
	}
}

// mustAdd panics on errors of adding a custom method: its name is wrong in this package.
func mustAdd(err error) {
	if err != nil {
		panic("everything: " + err.Error())
	}
}

type startTaskInput struct {
	Mode string `json:"mode,omitempty" jsonschema:"done, working, input or failed"`
}

// answerWithTask takes the calls of start_task away from the tool if the client
// declared tasks on this very request.
func (s *Server) answerWithTask(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (mcp.Result, error) {
		call, ok := req.(*mcp.CallToolRequest)
		if !ok || call.Params.Name != startTaskTool || !knowsTasks(call) {
			return next(ctx, method, req)
		}
		var in startTaskInput
		if len(call.Params.Arguments) > 0 {
			if err := json.Unmarshal(call.Params.Arguments, &in); err != nil {
				return nil, invalidParams("%s: %v", startTaskTool, err)
			}
		}
		task, err := s.startTask(in.Mode)
		if err != nil {
			return nil, err
		}
		return &CreateTaskResult{ResultType: "task", Task: task}, nil
	}
}

func knowsTasks(req *mcp.CallToolRequest) bool {
	caps := req.ClientCapabilities()
	if caps == nil || req.ProtocolVersion() < firstModern {
		return false
	}
	_, ok := caps.Extensions[TasksExtension]
	return ok
}

// startTask stores a new task. To begin with it is always at work; what comes of it
// shows the first tasks/get.
func (s *Server) startTask(mode string) (Task, error) {
	then := Task{CreatedAt: taskTime, LastUpdatedAt: taskTime, PollIntervalMs: (10 * time.Millisecond).Milliseconds()}
	switch mode {
	case "", "done":
		then.Status, then.Result = "completed", taskText("task done")
	case "working":
		then.Status, then.StatusMessage = "working", "still at it"
	case "input":
		then.Status, then.InputRequests = "input_required", mcp.InputRequestMap{"user_name": nameForm()}
	case "failed":
		then.Status = "failed"
		then.Error = &jsonrpc.Error{Code: DefaultErrorCode, Message: "task failed", Data: json.RawMessage(`{"why":"testing"}`)}
	default:
		return Task{}, invalidParams("%s: unknown mode %q", startTaskTool, mode)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	then.TaskID = fmt.Sprintf("task-%d", len(s.tasks)+1) // tasks are never removed
	s.tasks[then.TaskID] = &then
	return Task{
		TaskID: then.TaskID, Status: "working", StatusMessage: "begun",
		CreatedAt: taskTime, LastUpdatedAt: taskTime, PollIntervalMs: then.PollIntervalMs,
	}, nil
}

func (s *Server) getTask(params *GetTaskParams) (*GetTaskResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	task, err := s.findTask(params.TaskID)
	if err != nil {
		return nil, err
	}
	return &GetTaskResult{ResultType: "complete", Task: *task}, nil
}

// updateTask completes a task that asked for a name. To others it means nothing.
func (s *Server) updateTask(params *UpdateTaskParams) (*TaskAck, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	task, err := s.findTask(params.TaskID)
	if err != nil {
		return nil, err
	}
	name, _ := accepted(params.InputResponses, "user_name")["name"].(string)
	if task.Status == "input_required" && name != "" {
		task.Status, task.InputRequests, task.Result = "completed", nil, taskText("task done for "+name)
	}
	return &TaskAck{ResultType: "complete"}, nil
}

// cancelTask cancels a task that has not ended. It acknowledges in any case, as the
// extension wants it.
func (s *Server) cancelTask(params *GetTaskParams) (*TaskAck, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	task, err := s.findTask(params.TaskID)
	if err != nil {
		return nil, err
	}
	if task.Status == "working" || task.Status == "input_required" {
		task.Status, task.StatusMessage, task.InputRequests = "cancelled", "cancelled by the client", nil
	}
	return &TaskAck{ResultType: "complete"}, nil
}

// findTask needs s.mu.
func (s *Server) findTask(id string) (*Task, error) {
	task, ok := s.tasks[id]
	if !ok {
		return nil, invalidParams("unknown task %q", id)
	}
	return task, nil
}

// taskText is the result of a tool call as it stands in a task.
func taskText(s string) json.RawMessage {
	raw, err := json.Marshal(text(s))
	mustAdd(err) // a result with one text can always be marshalled
	return raw
}
