// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"google.golang.org/protobuf/proto"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// sdkContent converts a block of content. Text and binary blocks, which make up most
// results, skip JSON: base64 alone would cost more than all the rest.
func sdkContent(c mcp.Content, enc mcpv1.JsonEncoding) (*mcpv1.Content, error) {
	switch c := c.(type) {
	case *mcp.TextContent:
		t := &mcpv1.TextContent{Text: &c.Text}
		var err error
		if t.Annotations, t.Meta, err = decorations(c.Annotations, c.Meta, enc); err != nil {
			return nil, err
		}
		return &mcpv1.Content{Kind: &mcpv1.Content_Text{Text: t}}, nil
	case *mcp.ImageContent:
		return blob("image", c.Data, c.MIMEType, c.Annotations, c.Meta, enc)
	case *mcp.AudioContent:
		return blob("audio", c.Data, c.MIMEType, c.Annotations, c.Meta, enc)
	case *mcp.EmbeddedResource:
		return embedded(c, enc)
	case nil:
		return nil, fmt.Errorf("content is nil")
	}
	return contentViaJSON(c, enc)
}

func blob(typ string, data []byte, mimeType string, a *mcp.Annotations, meta mcp.Meta, enc mcpv1.JsonEncoding) (*mcpv1.Content, error) {
	if data == nil {
		data = []byte{} // `data` is required
	}
	b := &mcpv1.BlobContent{Type: &typ, Data: data, MimeType: &mimeType}
	var err error
	if b.Annotations, b.Meta, err = decorations(a, meta, enc); err != nil {
		return nil, err
	}
	return &mcpv1.Content{Kind: &mcpv1.Content_Blob{Blob: b}}, nil
}

func embedded(c *mcp.EmbeddedResource, enc mcpv1.JsonEncoding) (*mcpv1.Content, error) {
	if c.Resource == nil {
		return contentViaJSON(c, enc)
	}
	r, err := sdkResourceContents(c.Resource, enc)
	if err != nil {
		return nil, err
	}
	e := &mcpv1.EmbeddedResource{Resource: r}
	if e.Annotations, e.Meta, err = decorations(c.Annotations, c.Meta, enc); err != nil {
		return nil, err
	}
	return &mcpv1.Content{Kind: &mcpv1.Content_Resource{Resource: e}}, nil
}

// sdkResourceContents converts the contents of a resource. The SDK tells text from
// binary by Blob being nil.
func sdkResourceContents(c *mcp.ResourceContents, enc mcpv1.JsonEncoding) (*mcpv1.Content, error) {
	if c == nil {
		return nil, fmt.Errorf("resource contents are nil")
	}
	meta, err := sdkMeta(c.Meta, enc)
	if err != nil {
		return nil, err
	}
	var mimeType *string
	if c.MIMEType != "" {
		mimeType = &c.MIMEType
	}
	if c.Blob != nil {
		b := &mcpv1.BlobContent{Uri: &c.URI, MimeType: mimeType, Data: c.Blob, Meta: meta}
		if c.Text == "" {
			return &mcpv1.Content{Kind: &mcpv1.Content_Blob{Blob: b}}, nil
		}
		return contentsViaJSON(c, enc) // both text and blob: malformed, but not ours to drop
	}
	t := &mcpv1.TextContent{Uri: &c.URI, MimeType: mimeType, Text: &c.Text, Meta: meta}
	return &mcpv1.Content{Kind: &mcpv1.Content_Text{Text: t}}, nil
}

func decorations(a *mcp.Annotations, meta mcp.Meta, enc mcpv1.JsonEncoding) (*mcpv1.Annotations, *mcpv1.Meta, error) {
	m, err := sdkMeta(meta, enc)
	if err != nil || a == nil {
		return nil, m, err
	}
	var out mcpv1.Annotations
	if err := viaJSON(a, &out, enc); err != nil {
		return nil, nil, fmt.Errorf("annotations: %w", err)
	}
	return &out, m, nil
}

// contentViaJSON converts a block through the one-block result that holds it: content
// is a shape of its own, with no message for a bare block.
func contentViaJSON(c mcp.Content, enc mcpv1.JsonEncoding) (*mcpv1.Content, error) {
	var m mcpv1.CallToolResult
	if err := viaJSON(struct {
		Content []mcp.Content `json:"content"`
	}{[]mcp.Content{c}}, &m, enc); err != nil {
		return nil, err
	}
	if len(m.Content) != 1 {
		return nil, fmt.Errorf("content of type %T has no wire form", c)
	}
	return m.Content[0], nil
}

func contentsViaJSON(c *mcp.ResourceContents, enc mcpv1.JsonEncoding) (*mcpv1.Content, error) {
	var m mcpv1.ReadResourceResponse
	if err := viaJSON(struct {
		Contents []*mcp.ResourceContents `json:"contents"`
	}{[]*mcp.ResourceContents{c}}, &m, enc); err != nil {
		return nil, err
	}
	if len(m.Contents) != 1 {
		return nil, fmt.Errorf("resource contents have no wire form")
	}
	return m.Contents[0], nil
}

// toSDKContent is the inverse of sdkContent.
func toSDKContent(c *mcpv1.Content) (mcp.Content, error) {
	if t := c.GetText(); t != nil && t.Annotations == nil && t.Meta == nil && len(t.ExtraJson) == 0 {
		return &mcp.TextContent{Text: t.GetText()}, nil
	}
	if b := c.GetBlob(); b != nil && b.Annotations == nil && b.Meta == nil && len(b.ExtraJson) == 0 {
		switch b.GetType() {
		case "image":
			return &mcp.ImageContent{Data: b.GetData(), MIMEType: b.GetMimeType()}, nil
		case "audio":
			return &mcp.AudioContent{Data: b.GetData(), MIMEType: b.GetMimeType()}, nil
		}
	}
	// A block of content as such has no SDK decoder; a result that holds it has.
	var r mcp.CallToolResult
	if err := toSDKviaJSON(&mcpv1.CallToolResult{Content: []*mcpv1.Content{c}}, &r); err != nil {
		return nil, err
	}
	if len(r.Content) != 1 {
		return nil, fmt.Errorf("content block got lost")
	}
	return r.Content[0], nil
}

// completeCallToolResult has the SDK's private mark of a complete result, which only
// decoding can set; results are made from copies of it.
var completeCallToolResult = func() (r mcp.CallToolResult) {
	if err := r.UnmarshalJSON([]byte(`{"content":[],"resultType":"complete"}`)); err != nil {
		panic("mapping: " + err.Error()) //nolint:forbidigo // of a constant: cannot fail
	}
	return r
}()

// TextResult gives a tool's result whose content is texts.
func TextResult(texts []string, resultType string) *mcp.CallToolResult {
	if len(texts) == 1 {
		return oneText(texts[0], resultType)
	}
	r := &mcp.CallToolResult{}
	if resultType == ResultComplete {
		*r = completeCallToolResult
	}
	blocks := make([]mcp.TextContent, len(texts))
	r.Content = make([]mcp.Content, len(texts))
	for i, text := range texts {
		blocks[i].Text = text
		r.Content[i] = &blocks[i]
	}
	return r
}

// oneText is TextResult for the result that nearly all are, in one piece of memory.
func oneText(text, resultType string) *mcp.CallToolResult {
	r := &struct {
		result  mcp.CallToolResult
		content [1]mcp.Content
		block   mcp.TextContent
	}{}
	if resultType == ResultComplete {
		r.result = completeCallToolResult
	}
	r.block.Text = text
	r.content[0] = &r.block
	r.result.Content = r.content[:]
	return &r.result
}

// SDKResultMeta converts the `_meta` of a result.
func SDKResultMeta(m *mcpv1.Meta) (mcp.Meta, error) { return toSDKMeta(m) }

// SDKCallToolResult converts a tool's result to the SDK's.
func SDKCallToolResult(m *mcpv1.CallToolResult) (*mcp.CallToolResult, error) {
	if len(m.ExtraJson) > 0 {
		var r mcp.CallToolResult
		return &r, toSDKviaJSON(m, &r)
	}
	var r mcp.CallToolResult
	if m.GetResultType() == ResultComplete {
		r = completeCallToolResult
	}
	r.Content = make([]mcp.Content, len(m.Content))
	for i, c := range m.Content {
		var err error
		if r.Content[i], err = toSDKContent(c); err != nil {
			return nil, fmt.Errorf("content[%d]: %w", i, err)
		}
	}
	text, err := JSONText(m.StructuredContent, m.StructuredContentJson)
	if err != nil {
		return nil, fmt.Errorf("structured_content: %w", err)
	}
	if text != nil {
		if r.StructuredContent, err = DecodeAny(text); err != nil {
			return nil, fmt.Errorf("structured_content: %w", err)
		}
	}
	r.IsError = m.GetIsError()
	r.Meta, err = toSDKMeta(m.Meta)
	return &r, err
}

func toSDKMeta(m *mcpv1.Meta) (mcp.Meta, error) {
	if m == nil {
		return nil, nil
	}
	text, err := JSONText(m.Values, m.ValuesJson)
	if err != nil || text == nil {
		return nil, err
	}
	v, err := DecodeAny(text)
	if meta, ok := v.(map[string]any); ok && err == nil {
		return meta, nil
	}
	var meta mcp.Meta
	if err := DecodeSDK(text, &meta); err != nil {
		return nil, fmt.Errorf("meta: %w", err)
	}
	return meta, nil
}

// SDKResult converts the response message of a typed RPC to the SDK's result.
func SDKResult(m proto.Message, res mcp.Result) error { return toSDKviaJSON(m, res) }

// SDKProgress converts progress of a call to the SDK's notification.
func SDKProgress(m *mcpv1.CallToolProgress) *mcp.ProgressNotificationParams {
	p := &mcp.ProgressNotificationParams{
		ProgressToken: SDKProgressToken(m.GetProgressToken()),
		Message:       m.GetMessage(),
		Progress:      m.GetProgress(),
		Total:         m.GetTotal(),
	}
	if m.Progress == nil { // a server that knows the inherited fields only
		p.Progress, p.Total = float64(m.GetPercentage()), 100
	}
	if meta, err := toSDKMeta(m.Meta); err == nil {
		p.Meta = meta
	}
	return p
}

// SDKLog converts a log message to the SDK's notification.
func SDKLog(m *mcpv1.LogMessage) (*mcp.LoggingMessageParams, error) {
	var p mcp.LoggingMessageParams
	return &p, toSDKviaJSON(m, &p)
}
