// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package mcpconnect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"github.com/mcpconnect/mcpconnect/internal/mapping"
	"github.com/mcpconnect/mcpconnect/internal/wire"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// A callError is a failed RPC: both the JSON-RPC error that MCP speaks of and the code
// of the transport.
type callError struct {
	text string
	wire *jsonrpc.Error
	rpc  *connect.Error
}

// Error gives the server's text.
func (e *callError) Error() string { return e.text }

// Unwrap gives the error of MCP first, then that of the transport.
func (e *callError) Unwrap() []error { return []error{e.wire, e.rpc} }

// Is makes the end of a deadline the same error, whichever side saw it first.
func (e *callError) Is(target error) bool {
	return target == context.DeadlineExceeded && e.rpc.Code() == connect.CodeDeadlineExceeded
}

// newCallError gives the error of a failed RPC (SPEC.md §11).
func newCallError(err error) *callError {
	if e, ok := errors.AsType[*callError](err); ok {
		return e
	}
	rpc, ok := errors.AsType[*connect.Error](err)
	if !ok {
		rpc = connect.NewError(connect.CodeUnknown, err)
	}
	if wire := detailOf(rpc); wire != nil {
		return &callError{text: wire.Message, wire: wire, rpc: rpc}
	}
	return &callError{
		text: rpc.Error(),
		wire: &jsonrpc.Error{Code: jsonrpcCode(rpc.Code()), Message: rpc.Message()},
		rpc:  rpc,
	}
}

// because puts words in front of the text.
func (e *callError) because(words string) *callError {
	wire := *e.wire
	wire.Message = words + ": " + wire.Message
	return &callError{text: words + ": " + e.text, wire: &wire, rpc: e.rpc}
}

// detailOf gives the JSON-RPC error that an RPC failed with, nil if there is none.
func detailOf(err *connect.Error) *jsonrpc.Error {
	for _, detail := range err.Details() {
		value, valueErr := detail.Value()
		if valueErr != nil {
			continue
		}
		if m, ok := value.(*mcpv1.JsonRpcError); ok {
			return wireError(m)
		}
	}
	return nil
}

// wireError gives the error object of a message. One that breaks the rules of its form
// keeps what can be read of it: it is an error all the same.
func wireError(m *mcpv1.JsonRpcError) *jsonrpc.Error {
	var e jsonrpc.Error
	text, err := mapping.ToJSON(m)
	if err == nil {
		err = json.Unmarshal(text, &e)
	}
	if err != nil {
		return &jsonrpc.Error{Code: int64(m.GetCode()), Message: m.GetMessage()}
	}
	return &e
}

// jsonrpcCode gives the JSON-RPC code of a status without detail (SPEC.md §11.3).
func jsonrpcCode(code connect.Code) int64 {
	switch code {
	case connect.CodeInvalidArgument, connect.CodeNotFound:
		return jsonrpc.CodeInvalidParams
	case connect.CodeUnimplemented:
		return jsonrpc.CodeMethodNotFound
	case connect.CodeFailedPrecondition, connect.CodeAlreadyExists, connect.CodeResourceExhausted:
		return jsonrpc.CodeInvalidRequest
	default:
		return jsonrpc.CodeInternalError
	}
}

// isDrained tells whether a stream ended with all answered that the server has taken: calls
// without an answer may be made again (SPEC.md §10.4).
func isDrained(err error) bool {
	rpc, ok := errors.AsType[*connect.Error](err)
	if !ok {
		return false
	}
	e := detailOf(rpc)
	return e != nil && wire.IsDrained(e.Data)
}

const (
	// maxMoves is how often in a row calls go to another stream since theirs was drained.
	maxMoves = 5
	// movePause is how long they wait before, which doubles each time: connections to a server that
	// goes do not end at once.
	movePause = 10 * time.Millisecond
)

// sleepFor waits, and tells whether it has done so to the end.
func sleepFor(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// contextError gives the error of a call that ended before its RPC began.
func contextError(err error) *connect.Error {
	if errors.Is(err, context.DeadlineExceeded) {
		return connect.NewError(connect.CodeDeadlineExceeded, err)
	}
	return connect.NewError(connect.CodeCanceled, err)
}

func unavailable(text string) *callError {
	return newCallError(connect.NewError(connect.CodeUnavailable, errors.New(text)))
}

// rejected is the SDK's mark for a message that could not be sent, on a connection that
// goes on. The SDK compares codes, and exports no name for this one.
var rejected = &jsonrpc.Error{Code: -32005, Message: "rejected by transport"}

// rejection marks err so that the SDK does not give up the connection for it. err comes
// first: its code is the one that the caller sees.
func rejection(err error) error {
	return fmt.Errorf("%w (%w)", err, rejected)
}
