// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"fmt"
	"reflect"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/proto"

	"github.com/mcpconnect/mcpconnect/internal/raw"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// ResultOptions say how a result is written.
type ResultOptions struct {
	// Encoding of free-form values, as the request asked.
	Encoding mcpv1.JsonEncoding
	// Modern is true for a request of 2026-07-28 or later: its result has a resultType,
	// and the server's name in `_meta`.
	Modern bool
	// Server is the name for modern results; nil for none.
	Server *ServerMeta
}

func (o ResultOptions) meta(meta map[string]any) (*mcpv1.Meta, error) {
	if !o.Modern {
		return sdkMeta(meta, o.Encoding)
	}
	return o.Server.message(meta, o.Encoding)
}

const (
	// ResultComplete is the resultType of a final result.
	ResultComplete      = "complete"
	resultInputRequired = "input_required"
	resultTask          = "task"
)

// Annotate gives a result of the SDK as a modern peer must see it: complete, and with
// the server's name in `_meta`. It works on a copy of what it changes, since a handler
// may give one result to many calls.
func (o ResultOptions) Annotate(res mcp.Result) mcp.Result {
	if !o.Modern {
		return res
	}
	switch r := res.(type) {
	case *raw.Result:
		return r // it says itself what it is, and who gave it
	case *mcp.CallToolResult:
		c := *r
		c.Meta = o.Server.With(r.Meta)
		return &c
	case *mcp.GetPromptResult:
		c := *r
		c.Meta = o.Server.With(r.Meta)
		return &c
	case *mcp.ReadResourceResult:
		c := *r
		c.Meta = o.Server.With(r.Meta)
		return &c
	case *mcp.ListToolsResult:
		c := *r
		c.ResultType, c.Meta = ResultComplete, o.Server.With(r.Meta)
		return &c
	case *mcp.ListPromptsResult:
		c := *r
		c.ResultType, c.Meta = ResultComplete, o.Server.With(r.Meta)
		return &c
	case *mcp.ListResourcesResult:
		c := *r
		c.ResultType, c.Meta = ResultComplete, o.Server.With(r.Meta)
		return &c
	case *mcp.ListResourceTemplatesResult:
		c := *r
		c.ResultType, c.Meta = ResultComplete, o.Server.With(r.Meta)
		return &c
	case *mcp.CompleteResult:
		c := *r
		c.ResultType, c.Meta = ResultComplete, o.Server.With(r.Meta)
		return &c
	case *mcp.DiscoverResult:
		c := *r
		c.ResultType, c.Meta = ResultComplete, o.Server.With(r.Meta)
		return &c
	}
	return o.annotateForeign(res)
}

// annotateForeign is Annotate for a type that a middleware brought. It says itself what
// kind of result it is.
func (o ResultOptions) annotateForeign(res mcp.Result) mcp.Result {
	v := reflect.ValueOf(res)
	if o.Server == nil || v.Kind() != reflect.Pointer || v.IsNil() {
		return res
	}
	c := reflect.New(v.Type().Elem())
	c.Elem().Set(v.Elem())
	r := c.Interface().(mcp.Result) //nolint:errcheck // it has the type of res
	r.SetMeta(o.Server.With(r.GetMeta()))
	return r
}

// FromSDKResult converts a result of the SDK, or of a middleware's own type, to the
// response message of its RPC.
func FromSDKResult(res mcp.Result, m proto.Message, o ResultOptions) error {
	if r, ok := res.(*mcp.ReadResourceResult); ok && !r.NeedsInput() {
		if m, ok := m.(*mcpv1.ReadResourceResponse); ok {
			return readResourceResponse(r, m, o)
		}
	}
	return viaJSON(o.Annotate(res), m, o.Encoding)
}

// ToolOutcome converts what `tools/call` gave to one of *mcpv1.CallToolResult,
// *mcpv1.InputRequired and *mcpv1.Task.
func ToolOutcome(res mcp.Result, o ResultOptions) (proto.Message, error) {
	if r, ok := res.(*mcp.CallToolResult); ok && !r.NeedsInput() && r.InputRequests == nil && r.RequestState == "" {
		return callToolResult(r, o)
	}
	var m mcpv1.InvokeToolResponse
	if err := viaJSON(o.Annotate(res), &m, o.Encoding); err != nil {
		return nil, err
	}
	switch k := m.Outcome.(type) {
	case *mcpv1.InvokeToolResponse_Result:
		return k.Result, nil
	case *mcpv1.InvokeToolResponse_InputRequired:
		return k.InputRequired, nil
	case *mcpv1.InvokeToolResponse_Task:
		return k.Task, nil
	}
	return nil, fmt.Errorf("mapping: tool result of type %T has no outcome", res)
}

func callToolResult(r *mcp.CallToolResult, o ResultOptions) (*mcpv1.CallToolResult, error) {
	m := &mcpv1.CallToolResult{Content: make([]*mcpv1.Content, len(r.Content))}
	var err error
	for i, c := range r.Content {
		if m.Content[i], err = sdkContent(c, o.Encoding); err != nil {
			return nil, fmt.Errorf("content[%d]: %w", i, err)
		}
	}
	if m.StructuredContent, m.StructuredContentJson, err = free(r.StructuredContent, o.Encoding); err != nil {
		return nil, fmt.Errorf("structuredContent: %w", err)
	}
	if r.IsError {
		m.IsError = new(true)
	}
	if o.Modern {
		m.ResultType = complete
	}
	m.Meta, err = o.meta(r.Meta)
	return m, err
}

// complete is shared by all results: messages are not written to once they are sent.
var complete = new(ResultComplete)

func readResourceResponse(r *mcp.ReadResourceResult, m *mcpv1.ReadResourceResponse, o ResultOptions) error {
	var err error
	m.Contents = make([]*mcpv1.Content, len(r.Contents))
	for i, c := range r.Contents {
		if m.Contents[i], err = sdkResourceContents(c, o.Encoding); err != nil {
			return fmt.Errorf("contents[%d]: %w", i, err)
		}
	}
	m.TtlMs = new(int64(r.TTLMs))
	m.CacheScope = new(r.CacheScope)
	if o.Modern {
		m.ResultType = complete
	}
	m.Meta, err = o.meta(r.Meta)
	return err
}

// Progress converts a progress notification.
func Progress(p *mcp.ProgressNotificationParams, enc mcpv1.JsonEncoding) (*mcpv1.CallToolProgress, error) {
	m := &mcpv1.CallToolProgress{Progress: new(p.Progress), ProgressToken: progressToken(p.ProgressToken)}
	if p.Message != "" {
		m.Message = new(p.Message)
	}
	if p.Total != 0 {
		m.Total = new(p.Total)
	}
	m.Percentage = percentage(p.Progress, p.Total)
	var err error
	m.Meta, err = sdkMeta(p.Meta, enc)
	return m, err
}

// percentage is progress as a share of total: 0 to 100, and 0 if the total is unknown.
func percentage(progress, total float64) uint32 {
	if !(total > 0 && progress > 0) { // NaN compares false
		return 0
	}
	return uint32(min(progress/total, 1) * 100)
}

// RawProgress is Progress for one that says what its JSON does.
func RawProgress(n *raw.Notification, enc mcpv1.JsonEncoding) (*mcpv1.CallToolProgress, error) {
	var m mcpv1.CallToolProgress
	if err := viaJSON(n, &m, enc); err != nil {
		return nil, err
	}
	m.Percentage = percentage(m.GetProgress(), m.GetTotal())
	return &m, nil
}

// Log converts a log message: *mcp.LoggingMessageParams, or a *raw.Notification of one.
func Log(p mcp.Params, enc mcpv1.JsonEncoding) (*mcpv1.LogMessage, error) {
	var m mcpv1.LogMessage
	if err := viaJSON(p, &m, enc); err != nil {
		return nil, err
	}
	return &m, nil
}
