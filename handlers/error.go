// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"

	"connectrpc.com/connect"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/mcpconnect/mcpconnect/authn"
	"github.com/mcpconnect/mcpconnect/internal/mapping"
	"github.com/mcpconnect/mcpconnect/internal/wire"
	mcpv1 "github.com/mcpconnect/mcpconnect/mcpconnectgen/mcp/v1"
)

// A rpcError is a failure as both forms report it: a Connect code for what stands
// between the peers, and a JSON-RPC error for the MCP client (SPEC.md §11).
type rpcError struct {
	code connect.Code
	wire *jsonrpc.Error
}

func (e *rpcError) Error() string { return e.wire.Message }

func newError(code connect.Code, rpcCode int64, format string, args ...any) *rpcError {
	return &rpcError{code, &jsonrpc.Error{Code: rpcCode, Message: fmt.Sprintf(format, args...)}}
}

func invalidRequest(format string, args ...any) *rpcError {
	return newError(connect.CodeInvalidArgument, jsonrpc.CodeInvalidRequest, format, args...)
}

func invalidParams(format string, args ...any) *rpcError {
	return newError(connect.CodeInvalidArgument, jsonrpc.CodeInvalidParams, format, args...)
}

// malformed reports params, or a part of them, that do not have the shape that MCP gives
// them. Decoders speak of Go types, which mean nothing to the caller.
func malformed(what string, err error) *rpcError {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if wrong.Field == "" {
			return invalidParams("%s: a JSON %s does not belong here", what, wrong.Value)
		}
		return invalidParams("%s: %q must not be a JSON %s", what, wrong.Field, wrong.Value)
	}
	if errors.Is(err, mapping.ErrMalformed) || errors.Is(err, mapping.ErrBothTwins) {
		return invalidParams("%s: %v", what, err)
	}
	return invalidParams("%s: the shape is not the one that MCP gives it", what)
}

func methodNotFound(method string) *rpcError {
	return newError(connect.CodeUnimplemented, jsonrpc.CodeMethodNotFound, "method not found: %q", method)
}

func exhausted(format string, args ...any) *rpcError {
	return newError(connect.CodeResourceExhausted, jsonrpc.CodeInvalidRequest, format, args...)
}

// errInternal is all that a caller learns of an error that was not written for it.
var errInternal = newError(connect.CodeInternal, jsonrpc.CodeInternalError, "internal error")

// errDraining ends streams when the server goes.
var errDraining = newError(connect.CodeUnavailable, jsonrpc.CodeInternalError, "server is shutting down; connect again")

// errDrained ends a stream on which all is answered that was taken (SPEC.md §10.4).
var errDrained = &rpcError{connect.CodeUnavailable, &jsonrpc.Error{
	Code:    jsonrpc.CodeInternalError,
	Message: "server is shutting down, and has done nothing that it has not answered; connect again",
	Data:    json.RawMessage(wire.DrainedData),
}}

// jsonError reports free-form JSON of a request that is none, or breaks a limit or a rule.
func jsonError(err error) *rpcError {
	switch {
	case errors.Is(err, mapping.ErrDepth), errors.Is(err, mapping.ErrNodes):
		return exhausted("%v", err)
	case errors.Is(err, mapping.ErrSyntax):
		return newError(connect.CodeInvalidArgument, jsonrpc.CodeParseError, "%v", err)
	}
	return invalidParams("%v", err)
}

// envelopeError is jsonError for an envelope, of which both twins make no valid message.
func envelopeError(err error) *rpcError {
	if errors.Is(err, mapping.ErrBothTwins) {
		return invalidRequest("%v", err)
	}
	return jsonError(err)
}

// toRPCError decides what the peer learns of err. Errors that carry a JSON-RPC error
// were written for it and pass unchanged; the text of all others stays in the log.
func (s *Server) toRPCError(ctx context.Context, method string, err error) *rpcError {
	if e, ok := errors.AsType[*rpcError](err); ok {
		return e
	}
	if ctx.Err() != nil {
		return ended(context.Cause(ctx)) // whatever a handler makes of it is noise
	}
	if wire, ok := errors.AsType[*jsonrpc.Error](err); ok {
		if authn.IsDenial(wire) {
			return &rpcError{connect.CodePermissionDenied, s.cfg.Metadata.Explain(authn.FromContext(ctx), wire)}
		}
		return fromWire(wire, err)
	}
	if errors.Is(err, notHandled()) {
		return methodNotFound(method)
	}
	s.log.ErrorContext(ctx, "handler failed", "method", method, "error", err)
	return errInternal
}

// ended tells why a call was ended from outside.
func ended(cause error) *rpcError {
	if e, ok := errors.AsType[*rpcError](cause); ok {
		return e
	}
	if errors.Is(cause, authn.ErrCredentialEnded) {
		return errCredentialEnded
	}
	if errors.Is(cause, http.ErrServerClosed) { // of mcpconnect.Serve, when the grace period is over
		return errDraining
	}
	if errors.Is(cause, context.DeadlineExceeded) {
		return newError(connect.CodeDeadlineExceeded, jsonrpc.CodeInternalError, "deadline exceeded")
	}
	return newError(connect.CodeCanceled, jsonrpc.CodeInternalError, "canceled")
}

// fromWire keeps code and data of wire, and the text of the error that wraps it.
func fromWire(wire *jsonrpc.Error, outer error) *rpcError {
	e := *wire
	e.Message = outer.Error()
	if e.Code == 0 {
		e.Code = jsonrpc.CodeInternalError
	}
	return &rpcError{connectCode(&e), &e}
}

// connectCode gives the Connect code of a JSON-RPC error (SPEC.md §11).
func connectCode(e *jsonrpc.Error) connect.Code {
	switch e.Code {
	case jsonrpc.CodeMethodNotFound:
		return connect.CodeUnimplemented
	case jsonrpc.CodeInvalidParams:
		if namesUnknownFeature(e.Message) {
			return connect.CodeNotFound
		}
		return connect.CodeInvalidArgument
	case jsonrpc.CodeParseError, jsonrpc.CodeInvalidRequest, mcp.CodeHeaderMismatch:
		return connect.CodeInvalidArgument
	case mcp.CodeMissingRequiredClientCapabilities, mcp.CodeUnsupportedProtocolVersion, mcp.CodeURLElicitationRequired:
		return connect.CodeFailedPrecondition
	case jsonrpc.CodeInternalError:
		return connect.CodeInternal
	case codeResourceNotFoundLegacy:
		return connect.CodeNotFound
	}
	return connect.CodeUnknown
}

// codeResourceNotFoundLegacy is the code of protocol versions up to 2025-11-25.
const codeResourceNotFoundLegacy = -32002

// namesUnknownFeature tells the SDK's errors for an unknown tool, prompt or resource
// from its other -32602 errors. The SDK has no better mark than its text, which
// TestSDKUnknownFeatureTexts pins.
func namesUnknownFeature(message string) bool {
	return strings.HasPrefix(message, "unknown tool ") ||
		strings.HasPrefix(message, "unknown prompt ") ||
		strings.HasPrefix(message, "Resource not found")
}

// connectError gives the error of a failed RPC: code, text, and the JSON-RPC error as
// its detail.
func (e *rpcError) connectError(enc mcpv1.JsonEncoding) *connect.Error {
	err := connect.NewError(e.code, errors.New(e.wire.Message))
	detail, detailErr := connect.NewErrorDetail(e.message(enc))
	if detailErr == nil {
		err.AddDetail(detail)
	}
	return err
}

// message gives the error object of a response.
func (e *rpcError) message(enc mcpv1.JsonEncoding) *mcpv1.JsonRpcError {
	m := &mcpv1.JsonRpcError{Code: int32(e.wire.Code), Message: e.wire.Message}
	if e.wire.Code > math.MaxInt32 || e.wire.Code < math.MinInt32 {
		m.Code = jsonrpc.CodeInternalError
		m.ExtraJson = fmt.Appendf(nil, `{"code":%d}`, e.wire.Code)
	}
	if len(e.wire.Data) > 0 && json.Valid(e.wire.Data) {
		var err error
		if m.Data, m.DataJson, err = mapping.Twins(e.wire.Data, enc); err != nil {
			m.DataJson = e.wire.Data
		}
	}
	return m
}
