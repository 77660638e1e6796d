// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"strconv"
	"strings"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// Types of what a completion refers to.
const (
	refPrompt   = "ref/prompt"
	refResource = "ref/resource"
)

// completeRequest reads params of completion/complete. The objects ref and argument are
// spread over the message; one that it cannot hold goes to extra_json.
func (r reader) completeRequest(ms []member, m *mcpv1.CompleteRequest) error {
	if raw, rest := take(ms, "ref"); raw != nil && completionRef(raw, m) {
		ms = rest
	}
	if raw, rest := take(ms, "argument"); raw != nil && completionArgument(raw, m) {
		ms = rest
	}
	return r.fields(ms, m.ProtoReflect())
}

func completionRef(raw []byte, m *mcpv1.CompleteRequest) bool {
	ms, err := members(raw)
	if err != nil {
		return false
	}
	typ, ms := takeString(ms, "type")
	if typ == nil || *typ != refPrompt && *typ != refResource {
		return false
	}
	m.RefType = typ
	m.Ref, ms = takeString(ms, refKey(*typ))
	if m.RefTitle, ms = takeString(ms, "title"); len(ms) > 0 {
		m.RefExtraJson = join(ms)
	}
	return true
}

func refKey(typ string) string {
	if typ == refResource {
		return "uri"
	}
	return "name"
}

func completionArgument(raw []byte, m *mcpv1.CompleteRequest) bool {
	ms, err := members(raw)
	if err != nil || len(ms) == 0 { // an empty object would look like an absent one
		return false
	}
	m.ArgumentName, ms = takeString(ms, "name")
	if m.Value, ms = takeString(ms, "value"); len(ms) > 0 {
		m.ArgumentExtraJson = join(ms)
	}
	return true
}

func (w *writer) completeRequest(m *mcpv1.CompleteRequest) error {
	o, err := w.beginMessage(m.ProtoReflect())
	if err != nil {
		return err
	}
	if m.Ref != nil || m.RefType != nil || m.RefTitle != nil || len(m.RefExtraJson) > 0 {
		if err := o.completionRef(m); err != nil {
			return err
		}
	}
	if m.ArgumentName != nil || m.Value != nil || len(m.ArgumentExtraJson) > 0 {
		if err := o.completionArgument(m); err != nil {
			return err
		}
	}
	if err := o.fields(m.ProtoReflect()); err != nil {
		return err
	}
	o.end()
	return nil
}

func (o *objectWriter) completionRef(m *mcpv1.CompleteRequest) error {
	typ := m.GetRefType()
	if m.RefType == nil {
		// A peer that knows only the inherited fields does not say.
		if typ = refPrompt; strings.Contains(m.GetRef(), "://") {
			typ = refResource
		}
	}
	return o.strings("ref", "ref_extra_json", m.RefExtraJson, []stringMember{
		{"type", &typ}, {refKey(typ), m.Ref}, {"title", m.RefTitle},
	})
}

func (o *objectWriter) completionArgument(m *mcpv1.CompleteRequest) error {
	return o.strings("argument", "argument_extra_json", m.ArgumentExtraJson, []stringMember{
		{"name", m.ArgumentName}, {"value", m.Value},
	})
}

type stringMember struct {
	key   string
	value *string // nil if absent
}

// strings writes the member key, an object of strings and of what extraField holds.
func (o *objectWriter) strings(key, extraField string, extraJSON []byte, ms []stringMember) error {
	extra, err := extraMembers(extraJSON)
	if err != nil {
		return at(extraField, err)
	}
	if err := o.key(key); err != nil {
		return err
	}
	sub := o.begin(extra)
	for _, m := range ms {
		if err := sub.optional(m.key, m.value); err != nil {
			return err
		}
	}
	sub.end()
	return nil
}

// completeResponse reads a result of completion/complete, whose object completion is
// spread over the message.
func (r reader) completeResponse(ms []member, m *mcpv1.CompleteResponse) error {
	raw, rest := take(ms, "completion")
	if raw == nil {
		return malformed("member %q is missing", "completion")
	}
	if r.completion(raw, m) {
		ms = rest
	}
	return r.fields(ms, m.ProtoReflect())
}

func (r reader) completion(raw []byte, m *mcpv1.CompleteResponse) bool {
	ms, err := members(raw)
	if err != nil || find(ms, "values") == nil {
		return false
	}
	var extra []member
	for _, mb := range ms {
		if !completionMember(mb, m) {
			extra = append(extra, mb)
		}
	}
	if len(extra) > 0 {
		m.CompletionExtraJson = join(extra)
	}
	return true
}

func completionMember(mb member, m *mcpv1.CompleteResponse) bool {
	switch mb.key {
	case "values":
		values, ok := exactStrings(mb.value)
		m.Values = values
		return ok
	case "total":
		i, ok := exactInt(mb.value)
		if total := uint32(i); ok && int64(total) == i {
			m.Total = &total
			return true
		}
	case "hasMore":
		if b := mb.value[0] == 't'; b || mb.value[0] == 'f' {
			m.HasMore = &b
			return true
		}
	}
	return false
}

func exactStrings(raw []byte) ([]string, bool) {
	elems, ok := elements(raw)
	if !ok {
		return nil, false
	}
	values := make([]string, len(elems))
	for i, raw := range elems {
		if values[i], ok = exactString(raw); !ok {
			return nil, false
		}
	}
	return values, true
}

func (w *writer) completeResponse(m *mcpv1.CompleteResponse) error {
	o, err := w.beginMessage(m.ProtoReflect())
	if err != nil {
		return err
	}
	unset := len(m.GetValues()) == 0 && m.Total == nil && m.HasMore == nil && len(m.CompletionExtraJson) == 0
	if !unset || !o.held("completion") {
		if err := o.completion(m); err != nil {
			return err
		}
	}
	if err := o.fields(m.ProtoReflect()); err != nil {
		return err
	}
	o.end()
	return nil
}

func (o *objectWriter) completion(m *mcpv1.CompleteResponse) error {
	extra, err := extraMembers(m.GetCompletionExtraJson())
	if err != nil {
		return at("completion_extra_json", err)
	}
	if err := o.key("completion"); err != nil {
		return err
	}
	sub := o.begin(extra)
	if len(m.GetValues()) > 0 || !sub.held("values") {
		if err := sub.completionValues(m.GetValues()); err != nil {
			return err
		}
	}
	if m.Total != nil {
		if err := sub.key("total"); err != nil {
			return err
		}
		sub.buf = strconv.AppendUint(sub.buf, uint64(m.GetTotal()), 10)
	}
	if m.HasMore != nil {
		if err := sub.key("hasMore"); err != nil {
			return err
		}
		sub.bool(m.GetHasMore())
	}
	sub.end()
	return nil
}

func (o *objectWriter) completionValues(values []string) error {
	if err := o.key("values"); err != nil {
		return err
	}
	o.buf = append(o.buf, '[')
	for i, value := range values {
		if i > 0 {
			o.buf = append(o.buf, ',')
		}
		if err := o.string(value); err != nil {
			return at("values", atIndex(i, err))
		}
	}
	o.buf = append(o.buf, ']')
	return nil
}
