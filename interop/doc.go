// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package interop has no code of its own: its tests reach the handler of mcpconnect with
// clients that nobody here wrote. They are plain grpc-go stubs, grpcurl, buf curl and curl,
// and a program that knows the inherited subset of mcp.v1 and nothing else. They also run the
// README, as it stands.
//
// It is a module of its own, so that grpc-go does not get into the go.sum of users.
package interop
