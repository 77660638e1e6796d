// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"slices"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/authn"
)

const (
	shelfURI = "pantry://shelf"
	maxName  = 40  // bytes
	maxItems = 100 // what a shelf holds
)

type item struct {
	Name   string `json:"name"`
	Amount int    `json:"amount"`
}

// shelf is the app's data. Its pages and its tools use the same.
type shelf struct {
	mu      sync.Mutex
	items   []item
	changed func() // set once, before it is used
}

func newShelf() *shelf {
	return &shelf{items: []item{{"Flour", 2}, {"Lentils", 5}, {"Olive oil", 1}}, changed: func() {}}
}

func (s *shelf) list() []item {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.items)
}

// add is false if the shelf is full.
func (s *shelf) add(name string, amount int) bool {
	if !s.put(name, amount) {
		return false
	}
	s.changed()
	return true
}

func (s *shelf) put(name string, amount int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.IndexFunc(s.items, func(i item) bool { return i.Name == name }); i >= 0 {
		s.items[i].Amount += amount
		return true
	}
	if len(s.items) >= maxItems {
		return false
	}
	s.items = append(s.items, item{name, amount})
	return true
}

// newServer is all that MCP adds to the app: a server of the SDK over the same shelf.
func newServer(s *shelf) *mcp.Server {
	noop := func(context.Context, *mcp.SubscribeRequest) error { return nil }
	server := mcp.NewServer(&mcp.Implementation{Name: "pantry", Title: "Pantry", Version: "v1.0.0"}, &mcp.ServerOptions{
		SubscribeHandler:   noop,
		UnsubscribeHandler: func(context.Context, *mcp.UnsubscribeRequest) error { return nil },
	})
	s.changed = func() {
		_ = server.ResourceUpdated(context.Background(), &mcp.ResourceUpdatedNotificationParams{URI: shelfURI}) // the SDK logs what fails
	}
	mcp.AddTool(server, &mcp.Tool{Name: "add_item", Title: "Put on the shelf", Description: "Puts an item on the shelf, or more of one that is there."}, s.addTool)
	mcp.AddTool(server, &mcp.Tool{Name: "take_stock", Title: "Take stock", Description: "Counts the shelf in steps and tells how far it has come. Can be cancelled."}, s.stockTool)
	mcp.AddTool(server, &mcp.Tool{Name: "label", Title: "Print a label", Description: "Draws a striped label for an item, as a picture."}, labelTool)
	mcp.AddTool(server, &mcp.Tool{Name: "whoami", Title: "Who am I?", Description: "Tells as whom the page calls."}, whoTool)
	mcp.AddTool(server, &mcp.Tool{Name: "last_count", Title: "How did the last count end?", Description: "Tells how the last call of take_stock ended."}, s.lastTool)
	server.AddResource(&mcp.Resource{URI: shelfURI, Name: "shelf", Title: "The shelf", MIMEType: "application/json"}, s.read)
	return server
}

func (s *shelf) read(_ context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	list, err := json.Marshal(s.list())
	if err != nil {
		return nil, err
	}
	return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{URI: req.Params.URI, MIMEType: "application/json", Text: string(list)}}}, nil
}

type addInput struct {
	Name   string `json:"name" jsonschema:"what it is"`
	Amount int    `json:"amount,omitempty" jsonschema:"how many, 1 if left out"`
}

func (s *shelf) addTool(_ context.Context, _ *mcp.CallToolRequest, in addInput) (*mcp.CallToolResult, any, error) {
	if in.Name == "" || len(in.Name) > maxName {
		return nil, nil, fmt.Errorf("name: give 1 to %d bytes", maxName)
	}
	if !s.add(in.Name, max(in.Amount, 1)) {
		return nil, nil, fmt.Errorf("the shelf is full: it holds %d items", maxItems)
	}
	return words("On the shelf: " + in.Name), nil, nil
}

type stockInput struct {
	Steps int `json:"steps" jsonschema:"in how many steps, 1 to 100"`
	Pause int `json:"pause_ms,omitempty" jsonschema:"milliseconds between two steps, 250 if left out"`
}

// lastCount says how the last call of take_stock ended.
var lastCount = struct {
	sync.Mutex

	outcome string
}{outcome: "never called"}

func (s *shelf) stockTool(ctx context.Context, req *mcp.CallToolRequest, in stockInput) (*mcp.CallToolResult, any, error) {
	if in.Steps < 1 || in.Steps > 100 || in.Pause < 0 || in.Pause > 10_000 {
		return nil, nil, errors.New("give 1 to 100 steps, and a pause of at most 10000 ms")
	}
	if in.Pause == 0 {
		in.Pause = 250
	}
	ticker := time.NewTicker(time.Duration(in.Pause) * time.Millisecond)
	defer ticker.Stop()
	for step := 1; step <= in.Steps; step++ {
		select {
		case <-ctx.Done():
			noteCount("cancelled")
			return nil, nil, ctx.Err()
		case <-ticker.C:
		}
		if token := req.Params.GetProgressToken(); token != nil {
			if err := req.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{
				ProgressToken: token, Progress: float64(step), Total: float64(in.Steps), Message: fmt.Sprintf("Step %d of %d", step, in.Steps),
			}); err != nil {
				noteCount("cancelled")
				return nil, nil, err
			}
		}
	}
	noteCount("done")
	return words(fmt.Sprintf("%d items counted", len(s.list()))), nil, nil
}

func noteCount(outcome string) {
	lastCount.Lock()
	defer lastCount.Unlock()
	lastCount.outcome = outcome
}

func (*shelf) lastTool(context.Context, *mcp.CallToolRequest, any) (*mcp.CallToolResult, any, error) {
	lastCount.Lock()
	defer lastCount.Unlock()
	return words(lastCount.outcome), nil, nil
}

func whoTool(ctx context.Context, _ *mcp.CallToolRequest, _ any) (*mcp.CallToolResult, any, error) {
	return words(authn.FromContext(ctx).Subject), nil, nil
}

type labelInput struct {
	Name string `json:"name" jsonschema:"whose label it is"`
}

// labelTool draws stripes whose widths are the letters of the name.
func labelTool(_ context.Context, _ *mcp.CallToolRequest, in labelInput) (*mcp.CallToolResult, any, error) {
	if in.Name == "" || len(in.Name) > maxName {
		return nil, nil, fmt.Errorf("name: give 1 to %d bytes", maxName)
	}
	const height, margin = 96, 12
	width := 2 * margin
	for _, b := range []byte(in.Name) {
		width += 4 + int(b%13)
	}
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = 0xff
	}
	ink, x := color.RGBA{R: 0x1d, G: 0x5c, B: 0x3f, A: 0xff}, margin
	for _, b := range []byte(in.Name) {
		for dx := range 2 + int(b%13) {
			for y := margin; y < height-margin; y++ {
				img.SetRGBA(x+dx, y, ink)
			}
		}
		x += 4 + int(b%13)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return nil, nil, err
	}
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.ImageContent{Data: out.Bytes(), MIMEType: "image/png"}}}, nil, nil
}

func words(s string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: s}}}
}
