// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// Bounds of countdown, so that a visitor's typing error does not occupy the server
// for a year. They are part of the tool's input schema.
const (
	maxCountdownFrom   = 1000
	maxIntervalMS      = 60_000
	defaultIntervalMS  = 1000
	countdownDoneText  = "lift-off"
	countdownStepsLeft = "%d to go"
)

func (s *Server) addTools() {
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "echo",
		Title:       "Echo",
		Description: "Returns the message unchanged, as text.",
		Annotations: harmless("Echo"),
	}, echo)
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "add",
		Title:       "Add two numbers",
		Description: "Adds a and b and returns the sum as structured output.",
		Annotations: harmless("Add two numbers"),
	}, add)
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:  "countdown",
		Title: "Count down",
		Description: "Counts down from a number to zero and reports progress at every step, " +
			"if the call carries a progress token. Stops at once when the call is cancelled.",
		InputSchema: countdownSchema(),
		Annotations: harmless("Count down"),
	}, countdown)
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:  "greet",
		Title: "Greet somebody",
		Description: "Asks for your name by a form and greets you. " +
			"Needs a client that supports form elicitation.",
		Annotations: harmless("Greet somebody"),
	}, s.greet)
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "pixel",
		Title:       "A small picture",
		Description: "Returns an 8×8 PNG, as image content.",
		Annotations: harmless("A small picture"),
	}, pixel)
}

// harmless annotates a tool that reads nothing and changes nothing: all tools here.
func harmless(title string) *mcp.ToolAnnotations {
	no := false
	return &mcp.ToolAnnotations{
		Title:           title,
		ReadOnlyHint:    true,
		IdempotentHint:  true,
		DestructiveHint: &no,
		OpenWorldHint:   &no,
	}
}

type echoInput struct {
	Message string `json:"message" jsonschema:"the text to return"`
}

func echo(_ context.Context, _ *mcp.CallToolRequest, in echoInput) (*mcp.CallToolResult, any, error) {
	return text(in.Message), nil, nil
}

type addInput struct {
	A float64 `json:"a" jsonschema:"the first summand"`
	B float64 `json:"b" jsonschema:"the second summand"`
}

type addOutput struct {
	Sum float64 `json:"sum" jsonschema:"a + b"`
}

// add leaves the content to the SDK, which repeats the structured output as text for
// clients that know nothing else.
func add(_ context.Context, _ *mcp.CallToolRequest, in addInput) (*mcp.CallToolResult, addOutput, error) {
	return nil, addOutput{Sum: in.A + in.B}, nil
}

type countdownInput struct {
	From       int `json:"from" jsonschema:"where to start"`
	IntervalMS int `json:"interval_ms,omitempty" jsonschema:"the time between two steps in milliseconds"`
}

// countdownSchema adds to the inferred schema what struct tags cannot say.
func countdownSchema() *jsonschema.Schema {
	schema, err := jsonschema.For[countdownInput](nil)
	if err != nil {
		panic("demo: countdown: " + err.Error()) // a bug in this file, found by any test
	}
	from, interval := schema.Properties["from"], schema.Properties["interval_ms"]
	from.Minimum, from.Maximum = new(0.0), new(float64(maxCountdownFrom))
	interval.Minimum, interval.Maximum = new(0.0), new(float64(maxIntervalMS))
	interval.Default = json.RawMessage(fmt.Sprint(defaultIntervalMS))
	return schema
}

func countdown(ctx context.Context, req *mcp.CallToolRequest, in countdownInput) (*mcp.CallToolResult, any, error) {
	interval := time.Duration(in.IntervalMS) * time.Millisecond
	timer := time.NewTimer(interval)
	defer timer.Stop()
	for step := 1; step <= in.From; step++ {
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-timer.C:
			timer.Reset(interval)
		}
		if err := reportStep(ctx, req, step, in.From); err != nil {
			return nil, nil, err
		}
	}
	return text(countdownDoneText), nil, nil
}

// reportStep sends nothing unless the caller asked for progress: a notification needs
// the token of its call.
func reportStep(ctx context.Context, req *mcp.CallToolRequest, step, total int) error {
	token := req.Params.GetProgressToken()
	if token == nil {
		return nil
	}
	return req.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{
		ProgressToken: token,
		Progress:      float64(step),
		Total:         float64(total),
		Message:       fmt.Sprintf(countdownStepsLeft, total-step),
	})
}

func pixel(context.Context, *mcp.CallToolRequest, any) (*mcp.CallToolResult, any, error) {
	return &mcp.CallToolResult{Content: []mcp.Content{
		&mcp.ImageContent{Data: pixelPNG(), MIMEType: mimePNG},
	}}, nil, nil
}

func text(s string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: s}}}
}
