// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package vectors describes the test vectors in testdata/vectors: what each implementation
// of SPEC.md must make of the same input. This implementation wrote them; its test checks
// that it still says the same, and with -update writes them anew. SPEC.md §5.6 says how
// others use them.
package vectors

// A Message is JSON and the message of a type that is its twin.
type Message struct {
	// Type is the full name, for example "mcp.v1.Tool"; "mcp.v1.Envelope" for a JSON-RPC message.
	Type string `json:"type"`
	// Encoding is that of free-form JSON: 1 for a Struct where it is exact, 2 for text.
	Encoding int32 `json:"encoding"`
	// JSON is the text, in base64 if it is not UTF-8.
	JSON       string `json:"json,omitempty"`
	JSONBase64 []byte `json:"jsonBase64,omitempty"`
	// Protobuf is the message.
	Protobuf []byte `json:"protobuf"`
	// Error is why there is none: "not JSON", "invalid request" or "malformed".
	Error string `json:"error,omitempty"`
}

// A Writing is a message and its twin, where FromJSON would give another message for that twin,
// or the message has none.
type Writing struct {
	Type     string `json:"type"`
	Protobuf []byte `json:"protobuf"`
	JSON     string `json:"json,omitempty"`
	// Error is as in Message, or "both twins".
	Error string `json:"error,omitempty"`
}

// A Check is a message from a client, and what the limits of SPEC.md §12 say to it.
type Check struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Protobuf []byte `json:"protobuf"`
	// Error is empty, or as in Writing, or "limit".
	Error string `json:"error,omitempty"`
}

// A Failure is a JSON-RPC error and what a gRPC client sees of it (SPEC.md §11).
type Failure struct {
	// JSON is the error object.
	JSON string `json:"json"`
	// Code is the number of the gRPC status.
	Code uint32 `json:"code"`
	// Status is the google.rpc.Status of grpc-status-details-bin.
	Status []byte `json:"status"`
	// Frame is the FrameError of a call of a stream.
	Frame []byte `json:"frame"`
}

// A Header is a value and how it stands in a header (SPEC.md §7.2).
type Header struct {
	Value  string `json:"value"`
	Header string `json:"header"`
	// Error says that a receiver cannot decode the header.
	Error bool `json:"error,omitempty"`
}

// A Request is a typed request, the same in an envelope, and its metadata (SPEC.md §7.1).
type Request struct {
	RPC      string            `json:"rpc"`
	Type     string            `json:"type"`
	Typed    []byte            `json:"typed"`
	Envelope []byte            `json:"envelope"`
	JSON     string            `json:"json"`
	Metadata map[string]string `json:"metadata"`
}
