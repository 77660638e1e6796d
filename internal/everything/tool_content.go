// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package everything

import (
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func (s *Server) addContentTools() {
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "test_simple_text",
		Description: "Tests simple text content response",
	}, always(func() *mcp.CallToolResult { return text("This is a simple text response for testing.") }))
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "test_image_content",
		Description: "Tests image content response",
	}, always(func() *mcp.CallToolResult { return result(image()) }))
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "test_audio_content",
		Description: "Tests audio content response",
	}, always(func() *mcp.CallToolResult { return result(audio()) }))
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "test_embedded_resource",
		Description: "Tests embedded resource content response",
	}, always(func() *mcp.CallToolResult {
		return result(embedded("test://embedded-resource", "This is an embedded resource"))
	}))
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "test_multiple_content_types",
		Description: "Tests response with multiple content types (text, image, resource)",
	}, always(mixedContent))
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "content_all",
		Title:       "All content",
		Description: "Returns every type of content, with every optional member set.",
		Meta:        meta(),
		Annotations: toolAnnotations(),
		Icons:       icons(),
	}, always(allContent))
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "content_none",
		Description: "Returns no content.",
	}, always(func() *mcp.CallToolResult { return &mcp.CallToolResult{} }))
	mcp.AddTool(s.mcp, &mcp.Tool{
		Name:        "content_empty_values",
		Description: "Returns content whose texts and bytes are empty.",
	}, always(emptyContent))
}

func mixedContent() *mcp.CallToolResult {
	return result(
		&mcp.TextContent{Text: "This is text content"},
		image(),
		embedded("test://embedded-in-multiple", "This is an embedded resource"),
	)
}

func allContent() *mcp.CallToolResult {
	size := int64(1) << 40 // more than 32 bits
	return &mcp.CallToolResult{
		Meta: meta(),
		Content: []mcp.Content{
			&mcp.TextContent{Text: "grüß dich, 世界 <&> \u2028 \x00", Annotations: annotations(), Meta: meta()},
			&mcp.ImageContent{Data: pngBytes(), MIMEType: mimePNG, Annotations: annotations(), Meta: meta()},
			&mcp.AudioContent{Data: wavBytes(), MIMEType: mimeWAV, Annotations: annotations(), Meta: meta()},
			&mcp.ResourceLink{
				URI: staticTextURI, Name: "link", Title: "Link", Description: "A link.", MIMEType: mimeText,
				Size: &size, Annotations: annotations(), Meta: meta(), Icons: icons(),
			},
			&mcp.ResourceLink{URI: staticTextURI, Name: "bare link"},
			&mcp.EmbeddedResource{
				Resource:    &mcp.ResourceContents{URI: staticTextURI, MIMEType: mimeText, Text: "text", Meta: meta()},
				Annotations: annotations(), Meta: meta(),
			},
			&mcp.EmbeddedResource{
				Resource: &mcp.ResourceContents{URI: staticBinaryURI, MIMEType: mimePNG, Blob: pngBytes()},
			},
		},
	}
}

func emptyContent() *mcp.CallToolResult {
	return result(
		&mcp.TextContent{},
		&mcp.ImageContent{Data: []byte{}, MIMEType: mimePNG},
		embedded("everything://empty", ""),
		&mcp.EmbeddedResource{Resource: &mcp.ResourceContents{URI: "everything://empty", Blob: []byte{}}},
	)
}

// toolAnnotations returns annotations with no default in them.
func toolAnnotations() *mcp.ToolAnnotations {
	no := false
	return &mcp.ToolAnnotations{
		Title:           "All content (annotated)",
		ReadOnlyHint:    true,
		IdempotentHint:  true,
		DestructiveHint: &no,
		OpenWorldHint:   &no,
	}
}
