// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

//lint:file-ignore SA1019 logging is deprecated, not gone

package everything

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// maxFlood keeps a test that wants too much from looking like a test that hangs.
const maxFlood = 1_000_000

// logLevels are all levels, least severe first.
var logLevels = []mcp.LoggingLevel{
	"debug", "info", "notice", "warning", "error", "critical", "alert", "emergency",
}

func (s *Server) addNotifyingTools() {
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "test_tool_with_logging",
		Description: "Tests tool that emits log messages during execution",
	}, logThrice)
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "test_logging_tool",
		Description: "Attempts to emit a log message; the framework must drop it when the client did not set _meta.../logLevel (SEP-2575)",
	}, attemptLog)
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "log_levels",
		Description: "Emits one message of every level, with a logger name, structured data and metadata.",
	}, logAllLevels)
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "test_tool_with_progress",
		Description: "Tests tool that reports progress notifications",
	}, reportProgress)
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "flood_progress",
		Description: "Reports progress count times as fast as it can.",
	}, floodProgress)
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "test_streaming_elicitation",
		Description: "Streams progress notifications while a call is in flight; used to verify response streams carry only notifications, never independent JSON-RPC requests (SEP-2575)",
	}, always(func() *mcp.CallToolResult {
		return text("stream observed: result frames only, no top-level requests")
	}))
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "test_reconnection",
		Description: "Tests SSE stream disconnection and client reconnection (SEP-1699). Server will close the stream mid-call and send the result after client reconnects.",
	}, closeStream)
}

func logThrice(ctx context.Context, req *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
	for _, message := range []string{"Tool execution started", "Tool processing data", "Tool execution completed"} {
		if err := req.Session.Log(ctx, &mcp.LoggingMessageParams{Level: "info", Data: message}); err != nil {
			return nil, nil, err
		}
	}
	return text("Tool with logging executed successfully"), nil, nil
}

func attemptLog(ctx context.Context, req *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
	if err := req.Session.Log(ctx, &mcp.LoggingMessageParams{Level: "info", Data: "test_logging_tool executed"}); err != nil {
		return nil, nil, err
	}
	return text("Log attempted; framework gates on _meta.../logLevel."), nil, nil
}

func logAllLevels(ctx context.Context, req *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
	for i, level := range logLevels {
		if err := req.Session.Log(ctx, &mcp.LoggingMessageParams{
			Meta:   mcp.Meta{"com.example/number": i},
			Level:  level,
			Logger: "everything",
			Data:   map[string]any{"level": level, "number": i},
		}); err != nil {
			return nil, nil, err
		}
	}
	return text(fmt.Sprintf("%d levels", len(logLevels))), nil, nil
}

// reportProgress returns the token as text, as the conformance suite wants it.
func reportProgress(ctx context.Context, req *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
	token := req.Params.GetProgressToken()
	if token == nil {
		return text("no progress token"), nil, nil
	}
	for _, progress := range []float64{0, 50, 100} {
		if err := req.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{
			ProgressToken: token,
			Progress:      progress,
			Total:         100,
			Message:       fmt.Sprintf("Completed step %.0f of 100", progress),
		}); err != nil {
			return nil, nil, err
		}
	}
	if s, ok := token.(string); ok {
		return text(s), nil, nil
	}
	raw, err := json.Marshal(token) // fmt would print a large number with an exponent
	if err != nil {
		return nil, nil, err
	}
	return text(string(raw)), nil, nil
}

type floodInput struct {
	Count int `json:"count" jsonschema:"how many notifications to send"`
}

func floodProgress(ctx context.Context, req *mcp.CallToolRequest, in floodInput) (*mcp.CallToolResult, any, error) {
	token := req.Params.GetProgressToken()
	switch {
	case token == nil:
		return text("no progress token"), nil, nil
	case in.Count < 0 || in.Count > maxFlood:
		return nil, nil, fmt.Errorf("count must be 0 to %d", maxFlood)
	}
	for i := range in.Count {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if err := req.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{
			ProgressToken: token,
			Progress:      float64(i + 1),
		}); err != nil {
			return nil, nil, err
		}
	}
	return text(fmt.Sprintf("%d notifications", in.Count)), nil, nil
}

// closeStream asks the SDK's HTTP transport to drop its stream. Other transports have
// nothing to drop, and the tool just answers.
func closeStream(_ context.Context, req *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
	if req.Extra != nil && req.Extra.CloseSSEStream != nil {
		req.Extra.CloseSSEStream(mcp.CloseSSEStreamArgs{})
	}
	return text("Reconnection test completed successfully. " +
		"If you received this, the client properly reconnected after stream closure."), nil, nil
}
