// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	clockURI = "demo://clock"
	logoURI  = "demo://logo"
	logoTTL  = 24 * time.Hour // the logo changes with the program only
)

func (s *Server) addResources() {
	s.mcp.AddResource(&mcp.Resource{
		URI:         clockURI,
		Name:        "clock",
		Title:       "Clock",
		Description: "The server's time in UTC (RFC 3339). Changes every second; subscribe to follow it.",
		MIMEType:    "text/plain",
		Annotations: &mcp.Annotations{Audience: []mcp.Role{"user", "assistant"}, Priority: 0.5},
	}, readClock)
	s.mcp.AddResource(&mcp.Resource{
		URI:         logoURI,
		Name:        "logo",
		Title:       "Logo",
		Description: "A logo, 64×64 pixels: shows how binary content travels.",
		MIMEType:    mimePNG,
		Size:        int64(len(logoPNG())),
		Annotations: &mcp.Annotations{Audience: []mcp.Role{"user"}, Priority: 0.1},
	}, readLogo)
}

func readClock(_ context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{
		URI:      req.Params.URI,
		MIMEType: "text/plain",
		Text:     time.Now().UTC().Format(time.RFC3339),
	}}}, nil
}

func readLogo(_ context.Context, req *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	return &mcp.ReadResourceResult{
		Cacheable: mcp.Cacheable{TTLMs: int(logoTTL.Milliseconds()), CacheScope: "public"},
		Contents: []*mcp.ResourceContents{{
			URI:      req.Params.URI,
			MIMEType: mimePNG,
			Blob:     logoPNG(),
		}},
	}, nil
}

// subscribe refuses what does not exist, so that a typing error does not look like a
// resource that never changes. The SDK keeps the list of subscribers itself.
func subscribe(_ context.Context, req *mcp.SubscribeRequest) error {
	switch req.Params.URI {
	case clockURI, logoURI:
		return nil
	default:
		return mcp.ResourceNotFoundError(req.Params.URI)
	}
}

// unsubscribe accepts anything: to end what never began is no error.
func unsubscribe(context.Context, *mcp.UnsubscribeRequest) error { return nil }
