// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package tools holds what all contenders serve: the same tools and one resource, on a
// server of the Go SDK, and a way to run them without any transport.
package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/mcpconnect"
)

// A Registration says how the tools get onto the server.
type Registration string

const (
	// Low is the SDK's low-level Server.AddTool: the tool decodes its own arguments.
	Low Registration = "Server.AddTool"
	// SDK is the SDK's generic mcp.AddTool.
	SDK Registration = "mcp.AddTool"
	// Ours is mcpconnect.AddTool.
	Ours Registration = "mcpconnect.AddTool"
)

// Registrations are all that there are.
var Registrations = []Registration{Low, SDK, Ours}

// Names of what is served.
const (
	Add      = "add"           // a+b as text
	Sum      = "sum"           // a+b as structured content, and its JSON as text
	Text     = "text"          // TextBytes of text
	Progress = "progress"      // Steps progress notifications, then "done"
	BlobURI  = "bench:///blob" // BlobBytes of random bytes
)

// Sizes of what is served.
const (
	TextBytes = 64 << 10
	BlobBytes = 1 << 20
	Steps     = 20
	// Few is the number of tools on a server that has nothing but those above.
	Few = 4
	// Many is the number of tools of the list case.
	Many = 1000
	// Page is the number of tools on a page, the SDK's default.
	Page = 1000
)

// Pair is what add and sum take.
type Pair struct {
	A int64 `json:"a"`
	B int64 `json:"b"`
}

// Total is what sum gives.
type Total struct {
	Sum int64 `json:"sum"`
}

// Nothing is for tools without arguments.
type Nothing struct{}

// PairSchema is the input schema of add and sum, as the SDK infers it.
const PairSchema = `{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"required":["a","b"],"additionalProperties":false}`

// TotalSchema is the output schema of sum.
const TotalSchema = `{"type":"object","properties":{"sum":{"type":"integer"}},"required":["sum"],"additionalProperties":false}`

// EmptySchema is the input schema of tools without arguments.
const EmptySchema = `{"type":"object","additionalProperties":false}`

// LongText is words, neither random nor a single repeated letter: what compresses it finds
// about as much as in prose.
var LongText = longText()

// Blob is random.
var Blob = blob()

func longText() string {
	words := strings.Fields("the quick brown fox jumps over a lazy dog while seven wizards from Görlitz quietly measure how many calls fit between two clock ticks")
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same text in every process
	var b strings.Builder
	for b.Len() < TextBytes {
		b.WriteString(words[random.IntN(len(words))])
		b.WriteByte(' ')
	}
	text := []byte(b.String()[:TextBytes])
	text[TextBytes-1] = '.' // not half an ö
	text[TextBytes-2] = '.'
	return string(text)
}

func blob() []byte {
	random := rand.NewChaCha8([32]byte{1})
	data := make([]byte, BlobBytes)
	_, _ = random.Read(data) // never fails
	return data
}

// NewServer gives a server of the SDK with n tools, Few at least.
func NewServer(how Registration, n int) *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "bench", Version: "1"}, &mcp.ServerOptions{PageSize: Page})
	addAll(s, how, n)
	return s
}

func addAll(s *mcp.Server, how Registration, n int) {
	switch how {
	case SDK:
		generic(s, mcp.AddTool, mcp.AddTool, mcp.AddTool)
	case Ours:
		generic(s, mcpconnect.AddTool, mcpconnect.AddTool, mcpconnect.AddTool)
	default:
		low(s)
	}
	for i := Few; i < n; i++ {
		s.AddTool(&mcp.Tool{Name: FillerName(i), Description: FillerDescription(i), InputSchema: json.RawMessage(FillerSchema)}, lowText)
	}
	s.AddResource(&mcp.Resource{Name: "blob", URI: BlobURI, MIMEType: "application/octet-stream"},
		func(context.Context, *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
			return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{URI: BlobURI, MIMEType: "application/octet-stream", Blob: Blob}}}, nil
		})
}

// FillerName is the name of tool i of a long list.
func FillerName(i int) string { return fmt.Sprintf("tool_%04d", i) }

// FillerDescription is what that tool says of itself.
func FillerDescription(i int) string {
	return fmt.Sprintf("Tool number %d of a long list: it looks something up by its query, and gives the best results as text.", i)
}

// FillerSchema is its input schema: a tool of middling size.
const FillerSchema = `{"type":"object","properties":{"query":{"type":"string","description":"What to look for"},` +
	`"limit":{"type":"integer","minimum":1,"maximum":100,"default":10},"tags":{"type":"array","items":{"type":"string"}}},"required":["query"]}`

type adder[In, Out any] func(*mcp.Server, *mcp.Tool, mcp.ToolHandlerFor[In, Out])

// generic adds the tools by a function with schema inference; Go has no generic function
// values, hence one for each pair of types.
func generic(s *mcp.Server, add adder[Pair, any], sum adder[Pair, Total], rest adder[Nothing, any]) {
	add(s, &mcp.Tool{Name: Add}, func(_ context.Context, _ *mcp.CallToolRequest, p Pair) (*mcp.CallToolResult, any, error) {
		return textResult(strconv.FormatInt(p.A+p.B, 10)), nil, nil
	})
	sum(s, &mcp.Tool{Name: Sum}, func(_ context.Context, _ *mcp.CallToolRequest, p Pair) (*mcp.CallToolResult, Total, error) {
		return nil, Total{Sum: p.A + p.B}, nil
	})
	rest(s, &mcp.Tool{Name: Text}, func(context.Context, *mcp.CallToolRequest, Nothing) (*mcp.CallToolResult, any, error) {
		return textResult(LongText), nil, nil
	})
	rest(s, &mcp.Tool{Name: Progress}, func(ctx context.Context, r *mcp.CallToolRequest, _ Nothing) (*mcp.CallToolResult, any, error) {
		res, err := progress(ctx, r)
		return res, nil, err
	})
}

func low(s *mcp.Server) {
	s.AddTool(&mcp.Tool{Name: Add, InputSchema: json.RawMessage(PairSchema)}, func(_ context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		var p Pair
		if err := json.Unmarshal(r.Params.Arguments, &p); err != nil {
			return nil, err
		}
		return textResult(strconv.FormatInt(p.A+p.B, 10)), nil
	})
	s.AddTool(&mcp.Tool{Name: Sum, InputSchema: json.RawMessage(PairSchema), OutputSchema: json.RawMessage(TotalSchema)},
		func(_ context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			var p Pair
			if err := json.Unmarshal(r.Params.Arguments, &p); err != nil {
				return nil, err
			}
			text, err := json.Marshal(Total{Sum: p.A + p.B})
			if err != nil {
				return nil, err
			}
			res := textResult(string(text))
			res.StructuredContent = json.RawMessage(text)
			return res, nil
		})
	s.AddTool(&mcp.Tool{Name: Text, InputSchema: json.RawMessage(EmptySchema)}, lowText)
	s.AddTool(&mcp.Tool{Name: Progress, InputSchema: json.RawMessage(EmptySchema)}, progress)
}

func lowText(context.Context, *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	return textResult(LongText), nil
}

func textResult(text string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}
}

func progress(ctx context.Context, r *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	token := r.Params.GetProgressToken()
	for i := range Steps {
		p := &mcp.ProgressNotificationParams{ProgressToken: token, Progress: float64(i + 1), Total: Steps}
		if err := r.Session.NotifyProgress(ctx, p); err != nil {
			return nil, err
		}
	}
	return textResult("done"), nil
}
