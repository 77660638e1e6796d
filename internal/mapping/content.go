// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// A Content has three shapes in JSON, by where it stands; see contentShape. In each, what
// this code does not know or cannot read is kept as it is in other_json: a peer may be
// newer than this file.

// Types of content blocks.
const (
	typeText         = "text"
	typeImage        = "image"
	typeAudio        = "audio"
	typeResource     = "resource"
	typeResourceLink = "resource_link"
	typeToolUse      = "tool_use"
	typeToolResult   = "tool_result"
)

// block reads a content block, which its type tells.
func (r reader) block(raw []byte, c *mcpv1.Content) {
	if !r.knownBlock(raw, c) {
		c.Kind = &mcpv1.Content_OtherJson{OtherJson: raw}
	}
}

func (r reader) knownBlock(raw []byte, c *mcpv1.Content) bool {
	r, ms, err := r.object(raw)
	if err != nil {
		return false
	}
	typ, ms := takeString(ms, "type")
	if typ == nil {
		return false
	}
	switch *typ {
	case typeText:
		m := new(mcpv1.TextContent)
		c.Kind = &mcpv1.Content_Text{Text: m}
		return r.whole(ms, m, "text")
	case typeImage, typeAudio:
		m := &mcpv1.BlobContent{Type: typ}
		c.Kind = &mcpv1.Content_Blob{Blob: m}
		return r.blob(ms, m, "data")
	case typeResource:
		m := new(mcpv1.EmbeddedResource)
		c.Kind = &mcpv1.Content_Resource{Resource: m}
		return r.whole(ms, m, "resource")
	case typeResourceLink:
		m := new(mcpv1.Resource)
		c.Kind = &mcpv1.Content_ResourceLink{ResourceLink: m}
		return r.whole(ms, m, "uri")
	case typeToolUse:
		m := new(mcpv1.ToolUseContent)
		c.Kind = &mcpv1.Content_ToolUse{ToolUse: m}
		return r.whole(ms, m, "id")
	case typeToolResult:
		m := new(mcpv1.ToolResultContent)
		c.Kind = &mcpv1.Content_ToolResult{ToolResult: m}
		return r.whole(ms, m, "toolUseId")
	}
	return false
}

// whole reads the fields of m. It is false if that fails, or if the essential member is
// there but not what its field can hold: other_json tells the user more than a block that
// lacks its very content.
func (r reader) whole(ms []member, m proto.Message, essential string) bool {
	if r.fields(ms, m.ProtoReflect()) != nil {
		return false
	}
	fd := planOf(m.ProtoReflect().Descriptor()).byName[essential].fd
	return find(ms, essential) == nil || m.ProtoReflect().Has(fd)
}

// blob reads binary data, which stands in the member key.
func (r reader) blob(ms []member, m *mcpv1.BlobContent, key string) bool {
	raw, rest := take(ms, key)
	if raw != nil {
		data, ok := exactBase64(raw)
		if !ok {
			return false
		}
		m.Data = data
	}
	return r.fields(rest, m.ProtoReflect()) == nil
}

// contents reads contents of a resource, which have no type: their text or blob tells.
func (r reader) contents(raw []byte, c *mcpv1.Content) {
	if !r.knownContents(raw, c) {
		c.Kind = &mcpv1.Content_OtherJson{OtherJson: raw}
	}
}

func (r reader) knownContents(raw []byte, c *mcpv1.Content) bool {
	r, ms, err := r.object(raw)
	if err != nil {
		return false
	}
	switch {
	case find(ms, "text") != nil:
		m := new(mcpv1.TextContent)
		c.Kind = &mcpv1.Content_Text{Text: m}
		return r.whole(ms, m, "text")
	case find(ms, "blob") != nil:
		m := new(mcpv1.BlobContent)
		c.Kind = &mcpv1.Content_Blob{Blob: m}
		m.Type, ms = takeString(ms, "type")
		return r.blob(ms, m, "blob")
	}
	return false
}

// bareBlob reads a BlobContent that is not in a Content: a block if it has a type.
func (r reader) bareBlob(ms []member, m *mcpv1.BlobContent) error {
	var rest []member
	if m.Type, rest = takeString(ms, "type"); !r.blob(rest, m, blobKey(m)) {
		return malformed("member %q is not canonical base64", blobKey(m))
	}
	return nil
}

func blobKey(m *mcpv1.BlobContent) string {
	if m.Type != nil {
		return "data"
	}
	return "blob"
}

// promptMessage reads a message of a prompt: a role, and one block.
func (r reader) promptMessage(raw []byte, c *mcpv1.Content) error {
	r, ms, err := r.object(raw)
	if err != nil {
		return err
	}
	content, ms := take(ms, "content")
	if content == nil {
		return malformed("member %q is missing", "content")
	}
	r.block(content, c)
	if c.Role, ms = takeString(ms, "role"); len(ms) > 0 {
		c.MessageExtraJson = join(ms)
	}
	return nil
}

// turn reads a message of a conversation with a model, whose content is a block or an
// array of blocks.
func (r reader) turn(ms []member, m proto.Message, content *[]*mcpv1.Content, isArray *bool) error {
	raw, rest := take(ms, "content")
	if raw == nil {
		return malformed("member %q is missing", "content")
	}
	if blocks, ok := r.turnContent(raw, isArray); ok {
		*content, ms = blocks, rest
	}
	return r.fields(ms, m.ProtoReflect())
}

func (r reader) turnContent(raw []byte, isArray *bool) (content []*mcpv1.Content, ok bool) {
	blocks := [][]byte{raw}
	if raw[0] != '{' {
		if blocks, ok = elements(raw); !ok {
			return nil, false
		}
		*isArray = len(blocks) == 1
	}
	content = make([]*mcpv1.Content, len(blocks))
	for i, raw := range blocks {
		content[i] = new(mcpv1.Content)
		r.block(raw, content[i])
	}
	return content, true
}

func (w *writer) block(c *mcpv1.Content) error {
	if c.GetRole() != "" || len(c.GetMessageExtraJson()) > 0 {
		return malformed("role and message_extra_json belong to messages of prompts only")
	}
	return w.anyBlock(c)
}

func (w *writer) anyBlock(c *mcpv1.Content) error {
	switch k := c.GetKind().(type) {
	case *mcpv1.Content_Text:
		return w.typed("text", typeText, k.Text.ProtoReflect())
	case *mcpv1.Content_Blob:
		return w.blob(k.Blob, "data", blobType(k.Blob))
	case *mcpv1.Content_Resource:
		return w.typed("resource", typeResource, k.Resource.ProtoReflect())
	case *mcpv1.Content_ResourceLink:
		return w.typed("resource_link", typeResourceLink, k.ResourceLink.ProtoReflect())
	case *mcpv1.Content_ToolUse:
		return w.typed("tool_use", typeToolUse, k.ToolUse.ProtoReflect())
	case *mcpv1.Content_ToolResult:
		return w.typed("tool_result", typeToolResult, k.ToolResult.ProtoReflect())
	case *mcpv1.Content_OtherJson:
		return w.other(k.OtherJson)
	}
	return unsetKind("kind")
}

// blobType is the type of a block: a peer that knows only the inherited fields leaves it
// to the media type.
func blobType(m *mcpv1.BlobContent) *string {
	typ := typeImage
	switch {
	case m.GetType() != "":
		typ = m.GetType()
	case strings.HasPrefix(m.GetMimeType(), "audio/"):
		typ = typeAudio
	}
	return &typ
}

// typed writes a block whose type is no field of m.
func (w *writer) typed(field, typ string, m protoreflect.Message) error {
	o, err := w.beginMessage(m)
	if err != nil {
		return at(field, err)
	}
	if err := o.optional("type", &typ); err != nil {
		return at(field, err)
	}
	if err := o.fields(m); err != nil {
		return at(field, err)
	}
	o.end()
	return nil
}

func (w *writer) blob(m *mcpv1.BlobContent, key string, typ *string) error {
	o, err := w.beginMessage(m.ProtoReflect())
	if err != nil {
		return at("blob", err)
	}
	if err := o.optional("type", typ); err != nil {
		return at("blob", err)
	}
	if m != nil && m.Data != nil {
		if err := o.key(key); err != nil {
			return at("blob", err)
		}
		o.base64(m.Data)
	}
	if err := o.fields(m.ProtoReflect()); err != nil {
		return at("blob", err)
	}
	o.end()
	return nil
}

func (w *writer) bareBlob(m *mcpv1.BlobContent) error {
	if m == nil {
		return w.plain(m.ProtoReflect())
	}
	return w.blob(m, blobKey(m), m.Type)
}

func (w *writer) other(text []byte) error {
	if err := w.text(text); err != nil {
		return at("other_json", err)
	}
	return nil
}

func (w *writer) contents(c *mcpv1.Content) error {
	if c.GetRole() != "" || len(c.GetMessageExtraJson()) > 0 {
		return malformed("role and message_extra_json belong to messages of prompts only")
	}
	switch k := c.GetKind().(type) {
	case *mcpv1.Content_Text:
		if err := w.plain(k.Text.ProtoReflect()); err != nil {
			return at("text", err)
		}
		return nil
	case *mcpv1.Content_Blob:
		var typ *string
		if k.Blob != nil {
			typ = k.Blob.Type
		}
		return w.blob(k.Blob, "blob", typ)
	case *mcpv1.Content_OtherJson:
		return w.other(k.OtherJson)
	case nil:
		return unsetKind("kind")
	}
	return malformed("contents of a resource are of kind text, blob or other_json")
}

func (w *writer) promptMessage(c *mcpv1.Content) error {
	extra, err := extraMembers(c.GetMessageExtraJson())
	if err != nil {
		return at("message_extra_json", err)
	}
	o := w.begin(extra)
	if c != nil {
		if err := o.optional("role", c.Role); err != nil {
			return err
		}
	}
	if err := o.key("content"); err != nil {
		return err
	}
	if err := o.anyBlock(c); err != nil {
		return err
	}
	o.end()
	return nil
}

// turn writes a message of a conversation with a model.
func (w *writer) turn(m proto.Message, content []*mcpv1.Content, isArray bool) error {
	o, err := w.beginMessage(m.ProtoReflect())
	if err != nil {
		return err
	}
	if len(content) > 0 || !o.held("content") {
		if err := o.turnContent(content, isArray); err != nil {
			return err
		}
	}
	if err := o.fields(m.ProtoReflect()); err != nil {
		return err
	}
	o.end()
	return nil
}

func (o *objectWriter) turnContent(content []*mcpv1.Content, isArray bool) error {
	if err := o.key("content"); err != nil {
		return err
	}
	if len(content) == 1 && !isArray {
		if err := o.block(content[0]); err != nil {
			return at("content", atIndex(0, err))
		}
		return nil
	}
	o.buf = append(o.buf, '[')
	for i, c := range content {
		if i > 0 {
			o.buf = append(o.buf, ',')
		}
		if err := o.block(c); err != nil {
			return at("content", atIndex(i, err))
		}
	}
	o.buf = append(o.buf, ']')
	return nil
}
