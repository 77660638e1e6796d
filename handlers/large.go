// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/mcpconnect/mcpconnect/internal/wire"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// A client that gets a message over its limit fails more than the call that it is about: on a
// Connect stream it ends the stream, since it has not read whose answer it is. So what is over
// our own limit, which is that of our clients by default, does not go out (SPEC.md §12).

// errTooLarge takes the place of what is over the limit.
func (s *Server) errTooLarge() *rpcError {
	return exhausted("the message is larger than the limit of %d bytes", s.cfg.MaxMessageBytes)
}

// isOverLimit tells whether a message is over the limit, in protobuf. connect knows what it comes
// to in JSON, but not what it is before it is compressed.
func (s *Server) isOverLimit(m proto.Message) bool {
	return s.cfg.MaxMessageBytes >= 0 && proto.Size(m) > s.cfg.MaxMessageBytes
}

// isTooLarge tells whether a message is over the limit of an envelope stream.
func (x *exchange) isTooLarge(e *mcpv1.Envelope) bool {
	limit := x.srv.cfg.MaxMessageBytes
	if limit < 0 || x.strict { // HTTP has no messages
		return false
	}
	size := proto.Size(e)
	if size > limit/8 && size <= limit && !isBinary(x.header) { // an escape in JSON has six bytes
		if text, err := protojson.Marshal(e); err == nil {
			size = len(text)
		}
	}
	return size > limit
}

// tooLarge gives the error that answers the request which e is too large an answer to.
func (x *exchange) tooLarge(e *mcpv1.Envelope) *mcpv1.Envelope {
	if raw, ok := wire.Raw(e); ok {
		var err error
		if e, err = wire.Decode(raw); err != nil {
			return errorEnvelope(nil, errInternal, x.encoding())
		}
	}
	if r := e.GetReply(); r != nil {
		return &mcpv1.Envelope{Kind: &mcpv1.Envelope_Reply{Reply: frameError(r.GetCallId(), x.srv.errTooLarge())}}
	}
	failed := errorEnvelope(nil, x.srv.errTooLarge(), x.encoding())
	failed.GetResponse().Id, failed.GetResponse().IntId = e.GetResponse().Id, e.GetResponse().IntId
	return failed
}
