// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of Envelope, JsonRpcRequest and JsonRpcResponse.
const (
	fieldMethod      protowire.Number = 1
	fieldRequest     protowire.Number = 3
	fieldResponse    protowire.Number = 4
	fieldID          protowire.Number = 1
	fieldParamsJSON  protowire.Number = 3
	fieldRequestInt  protowire.Number = 4
	fieldResultJSON  protowire.Number = 4
	fieldResponseInt protowire.Number = 5
)

// An ID is the id of a JSON-RPC request: a string, or an integer.
type ID struct {
	Text   string
	Number int64
	IsText bool
}

// A Request is an envelope with a JSON-RPC request whose params are text. Its slices are parts
// of what was parsed.
type Request struct {
	ID     ID
	Method []byte // in UTF-8
	Params []byte // JSON text, not checked
}

// Parse reads the encoding of an envelope. It tells whether that is a Request, and nothing but
// one; if not, r has no meaning.
func (r *Request) Parse(envelope []byte) bool {
	*r = Request{}
	var request []byte
	for len(envelope) > 0 {
		number, kind, n := protowire.ConsumeTag(envelope)
		if n < 0 || kind != protowire.BytesType {
			return false
		}
		value, m := protowire.ConsumeBytes(envelope[n:])
		if m < 0 {
			return false
		}
		envelope = envelope[n+m:]
		switch {
		case number == fieldMethod && r.Method == nil && utf8.Valid(value):
			r.Method = value
		case number == fieldRequest && request == nil:
			request = value
		default:
			return false
		}
	}
	return r.Method != nil && request != nil && r.parseRequest(request)
}

func (r *Request) parseRequest(b []byte) bool {
	ids := 0
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return false
		}
		b = b[n:]
		switch {
		case number == fieldID && kind == protowire.BytesType:
			var id []byte
			id, n = protowire.ConsumeBytes(b)
			if n < 0 || !utf8.Valid(id) {
				return false
			}
			r.ID = ID{Text: string(id), IsText: true}
			ids++
		case number == fieldRequestInt && kind == protowire.VarintType:
			var id uint64
			id, n = protowire.ConsumeVarint(b)
			r.ID = ID{Number: int64(id)}
			ids++
		case number == fieldParamsJSON && kind == protowire.BytesType && r.Params == nil:
			r.Params, n = protowire.ConsumeBytes(b)
		default:
			return false
		}
		if n < 0 {
			return false
		}
		b = b[n:]
	}
	return ids == 1
}

// A Response is an envelope with the result of a request.
type Response struct {
	ID     ID
	Result []byte // JSON text
}

// Size is how many bytes Append appends.
func (r *Response) Size() int { return sizeBytes(r.size()) }

func (r *Response) size() int {
	if r.ID.IsText {
		return sizeBytes(len(r.ID.Text)) + sizeBytes(len(r.Result))
	}
	return 1 + protowire.SizeVarint(uint64(r.ID.Number)) + sizeBytes(len(r.Result))
}

// Append appends the encoding of the envelope.
func (r *Response) Append(b []byte) []byte {
	b = appendPrefix(b, fieldResponse, r.size())
	if r.ID.IsText {
		b = append(appendPrefix(b, fieldID, len(r.ID.Text)), r.ID.Text...)
	} else {
		b = protowire.AppendTag(b, fieldResponseInt, protowire.VarintType)
		b = protowire.AppendVarint(b, uint64(r.ID.Number))
	}
	return append(appendPrefix(b, fieldResultJSON, len(r.Result)), r.Result...)
}
