// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import type { Transport } from "@connectrpc/connect";
import { interceptors, type WebOptions } from "./transport.js";

export interface NodeOptions extends Omit<WebOptions, "fetch"> {
  /** Default: "grpc". */
  protocol?: "grpc" | "grpc-web" | "connect";
  /** Default: "2". Over "1.1" there is no bidirectional stream, and no gRPC. */
  httpVersion?: "1.1" | "2";
}

/** nodeTransport speaks over HTTP/2 from Node, bidirectional streams included. */
export function nodeTransport(url: string, options: NodeOptions = {}): Transport {
  const protocol = options.protocol ?? "grpc";
  const common = { baseUrl: url.replace(/\/$/, ""), interceptors: interceptors(options) };
  if (protocol === "grpc") return createGrpcTransport(common);
  const httpVersion = options.httpVersion ?? "2";
  if (protocol === "grpc-web") return createGrpcWebTransport({ ...common, httpVersion });
  return createConnectTransport({ ...common, httpVersion, useBinaryFormat: true });
}
export { StreamTransport } from "./stream.js";
