// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package everything

import (
	"encoding/base64"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// The smallest files that are valid, as the official conformance servers send them.
const (
	pngBase64 = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==" // 1×1, red
	wavBase64 = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="                                     // no samples
)

const (
	mimePNG  = "image/png"
	mimeWAV  = "audio/wav"
	mimeText = "text/plain"
	mimeJSON = "application/json"
)

func pngBytes() []byte { return decode(pngBase64) }
func wavBytes() []byte { return decode(wavBase64) }

func decode(s string) []byte {
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		panic("everything: " + err.Error()) // a constant of this file is broken
	}
	return data
}

func image() *mcp.ImageContent { return &mcp.ImageContent{Data: pngBytes(), MIMEType: mimePNG} }
func audio() *mcp.AudioContent { return &mcp.AudioContent{Data: wavBytes(), MIMEType: mimeWAV} }

// embedded returns a text resource as content.
func embedded(uri, text string) *mcp.EmbeddedResource {
	return &mcp.EmbeddedResource{Resource: &mcp.ResourceContents{URI: uri, MIMEType: mimeText, Text: text}}
}

func icons() []mcp.Icon {
	return []mcp.Icon{{
		Source:   "data:image/png;base64," + pngBase64,
		MIMEType: mimePNG,
		Sizes:    []string{"1x1"},
		Theme:    mcp.IconThemeLight,
	}}
}

// annotations returns annotations that use every field.
func annotations() *mcp.Annotations {
	return &mcp.Annotations{
		Audience:     []mcp.Role{"user", "assistant"},
		Priority:     0.25,
		LastModified: "2026-07-28T12:00:00Z",
	}
}

// meta returns metadata with a value of every JSON type.
func meta() mcp.Meta {
	return mcp.Meta{
		"com.example/string": "text",
		"com.example/number": 1.5,
		"com.example/bool":   true,
		"com.example/null":   nil,
		"com.example/list":   []any{1, "two", []any{}},
		"com.example/object": map[string]any{"a": map[string]any{}},
	}
}
