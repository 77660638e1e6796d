// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// Package h2spec has h2spec, the conformance suite of HTTP/2 servers, test mcpconnect.Serve.
package h2spec
