// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { ConnectError, type Interceptor, type Transport } from "@connectrpc/connect";
import { defaultMaxMessageBytes } from "./limit.js";
import { pause } from "./pause.js";
import { repeatable } from "./repeat.js";
import { maxMoves, movePause } from "./stream.js";
import { interceptors, type WebOptions } from "./transport.js";

export interface NodeOptions extends Omit<WebOptions, "fetch"> {
  /** Default: "grpc". */
  protocol?: "grpc" | "grpc-web" | "connect";
  /** Default: "2". Over "1.1" there is no bidirectional stream, and no gRPC. */
  httpVersion?: "1.1" | "2";
  /**
   * Over HTTP/2, how many ms a server may be silent before it is pinged. If it does not answer that within as many,
   * and 5 s at most, its connection is given up, and calls on it fail. Default: 15 s (SPEC.md §12).
   */
  pingAfterMs?: number;
}

/**
 * nodeTransport speaks over HTTP/2 from Node, bidirectional streams included. Calls that a
 * server has refused to look at, because it goes, are made again.
 */
export function nodeTransport(url: string, options: NodeOptions = {}): Transport {
  const protocol = options.protocol ?? "grpc";
  const pingIntervalMs = options.pingAfterMs ?? 15_000;
  const common = {
    baseUrl: url.replace(/\/$/, ""),
    interceptors: [...interceptors(options), whereRefused],
    readMaxBytes: options.maxMessageBytes ?? defaultMaxMessageBytes,
    pingIntervalMs,
    pingTimeoutMs: Math.min(pingIntervalMs, 5_000),
  };
  if (protocol === "grpc") return createGrpcTransport(common);
  const httpVersion = options.httpVersion ?? "2";
  if (protocol === "grpc-web") return createGrpcWebTransport({ ...common, httpVersion });
  return createConnectTransport({ ...common, httpVersion, useBinaryFormat: true });
}

const whereRefused: Interceptor = (next) => async (req) => {
  const request = await repeatable(req);
  for (let moves = 0; ; moves++) {
    try {
      return await next(request?.() ?? req);
    } catch (reason) {
      if (!request || moves === maxMoves || !isRefused(reason)) throw reason;
      await pause(movePause << moves, req.signal);
    }
  }
};

/**
 * isRefused tells whether a call was not looked at (RFC 9113 §8.7). Node and connect-node say so
 * by these texts alone. What a server says has no cause, and is hardly the second one.
 */
function isRefused(reason: unknown): boolean {
  const { cause, rawMessage } = ConnectError.from(reason);
  if (cause !== undefined) return rawMessage === "Stream closed with error code NGHTTP2_REFUSED_STREAM";
  return rawMessage === "http/2 stream closed with error code REFUSED_STREAM (0x7)";
}

export { StreamTransport } from "./stream.js";
