// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package mapping converts between the three forms in which one MCP message exists here:
// the protobuf messages of mcp.v1, their JSON twins, and the types of the Go SDK.
//
//	           FromJSON              SDKParams, SDKResult
//	JSON text ----------> mcp.v1 ------------------------> go-sdk
//	          <----------        <------------------------
//	            ToJSON              FromSDKParams, FromSDKResult
//
// # The promise
//
// What [FromJSON] accepts, [ToJSON] gives back: the same JSON value, to the last digit of
// every number, with absent, empty and null kept apart. What a message cannot hold is an
// error, never a silent loss. Only insignificant things may change: white space, the order
// of members, the spelling of strings and of numbers that have a field.
//
// # The rules
//
// A message is a JSON object; a field is a member with the field's JSON name. A pair x
// (Struct) and x_json (bytes) is one member of any JSON value. Members without a field,
// and members whose value their field cannot hold exactly, stand in extra_json as they
// were. A message that cannot hold its object moves as a whole to the extra_json of its
// parent. Shapes that differ from this (content blocks, completion, input requests, ...)
// have code of their own, in content.go, input.go, completion.go and shape.go. SPEC.md
// has the tables.
//
// # Concurrency
//
// All functions may be called concurrently. They keep no reference to JSON text passed
// in, except where their comment says so, and do not change their arguments.
package mapping
