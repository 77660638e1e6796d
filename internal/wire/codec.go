// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package wire reads and writes the envelopes of Connect streams as bytes.
//
// A stream carries thousands of small calls, and building the messages of each of them only
// to take them apart again costs as much as the call: an envelope, a frame, a request, each
// with a oneof, which the protobuf runtime handles by reflection. So streams take their
// messages as bytes ([Codec]), split batches ([Elements]), and read the most common frames in
// place ([ToolCall], [Reply]). Whatever is not exactly of the common form is left to the
// protobuf runtime: what a message means is written down in one place only.
package wire

import (
	"bytes"
	"fmt"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// Codec is the codec for protobuf of a Connect stream. It leaves the envelopes that it reads
// encoded, for [Raw] to give, and does all else as connect's own codec. It is safe for
// concurrent use.
type Codec struct{}

var _ connect.Codec = Codec{}

// Name is that of connect's codec, which it replaces.
func (Codec) Name() string { return "proto" }

// IsBinary is for connect.
func (Codec) IsBinary() bool { return true }

// Marshal encodes a message.
func (c Codec) Marshal(m any) ([]byte, error) { return c.MarshalAppend(nil, m) }

// MarshalAppend encodes a message behind dst. connect looks for it, to use its buffers.
func (Codec) MarshalAppend(dst []byte, m any) ([]byte, error) {
	message, ok := m.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("wire: %T is not a protobuf message", m)
	}
	return proto.MarshalOptions{}.MarshalAppend(dst, message)
}

// Unmarshal decodes a message, or keeps it as it is if it is an envelope. data is copied:
// connect uses its buffer again.
func (Codec) Unmarshal(data []byte, m any) error {
	switch m := m.(type) {
	case *mcpv1.Envelope:
		m.ProtoReflect().SetUnknown(bytes.Clone(data))
		return nil
	case proto.Message:
		return proto.Unmarshal(data, m)
	}
	return fmt.Errorf("wire: %T is not a protobuf message", m)
}

// Encoded gives an envelope that is encoded as the bytes given, which must be the encoding of
// one. Any protobuf codec writes it.
func Encoded(raw []byte) *mcpv1.Envelope {
	e := &mcpv1.Envelope{}
	e.ProtoReflect().SetUnknown(raw)
	return e
}

// Raw gives the encoding of an envelope that [Codec] has read or [Encoded] made, and false for
// one whose fields are set.
func Raw(e *mcpv1.Envelope) ([]byte, bool) {
	if e.Kind != nil || len(e.Batch) > 0 || e.Method != "" || e.EventId != "" {
		return nil, false
	}
	return e.ProtoReflect().GetUnknown(), true
}

// Decode gives the envelope that raw encodes. The error has the code that connect has for a
// message that it cannot read.
func Decode(raw []byte) (*mcpv1.Envelope, error) {
	e := &mcpv1.Envelope{}
	if err := proto.Unmarshal(raw, e); err != nil {
		return nil, malformed(err)
	}
	return e, nil
}

func malformed(err error) error {
	return connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("unmarshal message: %w", err))
}
