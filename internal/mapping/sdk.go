// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mapping

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	segmentio "github.com/segmentio/encoding/json"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/mcpconnect/mcpconnect/internal/raw"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// DecodeSDK reads JSON text into a value of the Go SDK as the SDK itself does: with
// the same parser, and with member names matched exactly. encoding/json would accept
// "Name" for "name", and a proxy that routes by the body would see another tool than
// the server.
func DecodeSDK(data []byte, v any) error {
	_, err := segmentio.Parse(data, v, segmentio.DontMatchCaseInsensitiveStructFields)
	return err
}

// EncodeSDK writes a value of the Go SDK as JSON text.
func EncodeSDK(v any) ([]byte, error) {
	switch v := v.(type) {
	case *raw.Result:
		return v.JSON, nil
	case *raw.Notification:
		return v.JSON, nil
	}
	return json.Marshal(v)
}

// SDKMeta gives the `_meta` of a request as the SDK has it. clientInfo and
// capabilities stand for the fields of the same name, so that the caller can decode
// them once for many requests; nil leaves them out.
func SDKMeta(m *mcpv1.RequestMeta, clientInfo, capabilities any) (mcp.Meta, error) {
	if m == nil {
		return nil, nil
	}
	meta := mcp.Meta{}
	extra, err := JSONText(m.GetExtra(), m.GetExtraJson())
	if err != nil {
		return nil, fmt.Errorf("meta.extra: %w", err)
	}
	if extra != nil {
		if err := DecodeSDK(extra, &meta); err != nil {
			return nil, fmt.Errorf("meta.extra_json: %w", err)
		}
		if meta == nil { // extra_json was null
			meta = mcp.Meta{}
		}
	}
	setString(meta, mcp.MetaKeyProtocolVersion, m.ProtocolVersion)
	setString(meta, mcp.MetaKeyLogLevel, m.LogLevel)
	setString(meta, "traceparent", m.Traceparent)
	setString(meta, "tracestate", m.Tracestate)
	setString(meta, "baggage", m.Baggage)
	if clientInfo != nil {
		meta[mcp.MetaKeyClientInfo] = clientInfo
	}
	if capabilities != nil {
		meta[mcp.MetaKeyClientCapabilities] = capabilities
	}
	if token := SDKProgressToken(m.GetProgressToken()); token != nil {
		meta["progressToken"] = token
	}
	if len(meta) == 0 {
		return nil, nil
	}
	return meta, nil
}

func setString(m mcp.Meta, key string, v *string) {
	if v != nil {
		m[key] = *v
	}
}

// maxExactInt is the largest integer up to which every integer is a float64.
const maxExactInt = 1 << 53

// SDKProgressToken gives a progress token as the SDK has it after decoding JSON: a
// string, or a float64. An integer that no float64 holds stays an int64, so that it
// comes back unchanged.
func SDKProgressToken(t *mcpv1.ProgressToken) any {
	switch k := t.GetKind().(type) {
	case *mcpv1.ProgressToken_StringValue:
		return k.StringValue
	case *mcpv1.ProgressToken_IntValue:
		if k.IntValue > maxExactInt || k.IntValue < -maxExactInt {
			return k.IntValue
		}
		return float64(k.IntValue)
	}
	return nil
}

// progressToken is the inverse of SDKProgressToken; nil for what is no token.
func progressToken(v any) *mcpv1.ProgressToken {
	integer := func(i int64) *mcpv1.ProgressToken {
		return &mcpv1.ProgressToken{Kind: &mcpv1.ProgressToken_IntValue{IntValue: i}}
	}
	switch v := v.(type) {
	case string:
		return &mcpv1.ProgressToken{Kind: &mcpv1.ProgressToken_StringValue{StringValue: v}}
	case float64:
		if v == float64(int64(v)) {
			return integer(int64(v))
		}
	case int64:
		return integer(v)
	case int:
		return integer(int64(v))
	case int32:
		return integer(int64(v))
	}
	return nil
}

// viaJSON converts an SDK value to its message by way of JSON: the plain road for
// everything that is not worth a short cut.
func viaJSON(v any, m proto.Message, enc mcpv1.JsonEncoding) error {
	text, err := EncodeSDK(v)
	if err != nil {
		return err
	}
	return FromJSON(text, m, enc)
}

// toSDKviaJSON converts a message to an SDK value by way of JSON.
func toSDKviaJSON(m proto.Message, v any) error {
	text, err := ToJSON(m)
	if err != nil {
		return err
	}
	return DecodeSDK(text, v)
}

// FreeText gives a free-form value of the SDK as exact JSON text, nil for none. It may be a
// part of v.
func FreeText(v any) ([]byte, error) {
	_, text, err := free(v, mcpv1.JsonEncoding_JSON_ENCODING_BYTES)
	return text, err
}

// free splits a free-form value of the SDK into the two fields of its message.
func free(v any, enc mcpv1.JsonEncoding) (*structpb.Struct, []byte, error) {
	if v == nil {
		return nil, nil, nil
	}
	text, ok := v.(json.RawMessage)
	if !ok {
		var err error
		if text, err = json.Marshal(v); err != nil {
			return nil, nil, err
		}
	}
	if len(text) == 0 {
		return nil, nil, nil
	}
	return Twins(text, enc)
}

// ServerMeta is the `_meta` that every modern result carries: the server's name,
// encoded once for both encodings.
type ServerMeta struct {
	info       any
	asStruct   *mcpv1.Meta
	asBytes    *mcpv1.Meta
	memberText json.RawMessage
	encoded    []byte // asBytes
}

// NewServerMeta encodes impl for results. A nil impl gives results without it.
func NewServerMeta(impl *mcp.Implementation) (*ServerMeta, error) {
	if impl == nil {
		return nil, nil
	}
	s := &ServerMeta{info: impl}
	all := map[string]any{mcp.MetaKeyServerInfo: impl}
	var err error
	if s.memberText, err = json.Marshal(impl); err != nil {
		return nil, fmt.Errorf("server info: %w", err)
	}
	if s.asStruct, err = sdkMeta(all, mcpv1.JsonEncoding_JSON_ENCODING_STRUCT); err != nil {
		return nil, fmt.Errorf("server info: %w", err)
	}
	if s.asBytes, err = sdkMeta(all, mcpv1.JsonEncoding_JSON_ENCODING_BYTES); err != nil {
		return nil, fmt.Errorf("server info: %w", err)
	}
	if s.encoded, err = proto.Marshal(s.asBytes); err != nil {
		return nil, fmt.Errorf("server info: %w", err)
	}
	return s, nil
}

// With gives meta with the server's name in it, unless it has one. It does not change
// meta, which a handler may share between calls. On a nil ServerMeta it gives meta.
func (s *ServerMeta) With(meta map[string]any) map[string]any {
	if s == nil {
		return meta
	}
	if _, ok := meta[mcp.MetaKeyServerInfo]; ok {
		return meta
	}
	out := make(map[string]any, len(meta)+1)
	maps.Copy(out, meta)
	out[mcp.MetaKeyServerInfo] = s.info
	return out
}

// message gives the Meta of a result whose own `_meta` is meta.
func (s *ServerMeta) message(meta map[string]any, enc mcpv1.JsonEncoding) (*mcpv1.Meta, error) {
	if s == nil || len(meta) > 0 {
		return sdkMeta(s.With(meta), enc)
	}
	if enc == mcpv1.JsonEncoding_JSON_ENCODING_BYTES {
		return s.asBytes, nil
	}
	return s.asStruct, nil
}

// Encoded gives the encoded Meta of a result without `_meta` of its own, with exact JSON
// text; nil for none.
func (s *ServerMeta) Encoded() []byte {
	if s == nil {
		return nil
	}
	return s.encoded
}

func sdkMeta(meta map[string]any, enc mcpv1.JsonEncoding) (*mcpv1.Meta, error) {
	if len(meta) == 0 {
		return nil, nil
	}
	s, text, err := free(meta, enc)
	if err != nil {
		return nil, fmt.Errorf("_meta: %w", err)
	}
	return &mcpv1.Meta{Values: s, ValuesJson: text}, nil
}
