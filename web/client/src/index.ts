// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

export { authInterceptor, challengeOf, parseChallenge, type AuthProvider, type Challenge } from "./auth.js";
export { McpClient, PROTOCOL_VERSION, type Arguments, type CallEvent, type CallSettings, type ClientOptions, type Outcome, type RoundSettings, type StreamSettings } from "./client.js";
export { errorData, McpError } from "./errors.js";
export { listenShared, type SharedListenOptions } from "./shared.js";
export { connectTransport, grpcWebTransport, webTransport, type WebOptions, type WebProtocol } from "./transport.js";
export { inputSchema, jsonText, structuredContent, textOf } from "./values.js";
