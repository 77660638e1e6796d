// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import type { Interceptor, Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { authInterceptor, type AuthProvider } from "./auth.js";
import { defaultMaxMessageBytes, limited } from "./limit.js";

/** The protocols that a browser can speak. */
export type WebProtocol = "connect" | "grpc-web";

export interface WebOptions {
  /** Gives credentials to every RPC. Default: none. */
  auth?: AuthProvider;
  /** Headers on every RPC. Default: none. */
  headers?: HeadersInit;
  /** Makes the HTTP requests. Default: the global fetch. */
  fetch?: typeof globalThis.fetch;
  /** The largest message that is taken from the server, in bytes. Default: 4 MiB. */
  maxMessageBytes?: number;
  /** Outermost first; they see what a call sends without the credentials. Default: none. */
  interceptors?: Interceptor[];
}

/**
 * connectTransport speaks Connect with protobuf to the server at url: scheme and host, and
 * the path under which the handler is mounted. It works in browsers and in Node.
 */
export function connectTransport(url: string, options: WebOptions = {}): Transport {
  return createConnectTransport({ ...settings(url, options), useBinaryFormat: true, useHttpGet: false });
}

/** grpcWebTransport speaks gRPC-Web with protobuf; otherwise it is like connectTransport. */
export function grpcWebTransport(url: string, options: WebOptions = {}): Transport {
  return createGrpcWebTransport(settings(url, options));
}

/** webTransport is one of the two, by name: for a switch on a page. It bundles both. */
export function webTransport(url: string, protocol: WebProtocol, options: WebOptions = {}): Transport {
  return protocol === "connect" ? connectTransport(url, options) : grpcWebTransport(url, options);
}

function settings(url: string, options: WebOptions) {
  return {
    baseUrl: url.replace(/\/$/, ""),
    interceptors: interceptors(options),
    fetch: limited(options.fetch ?? ((...request) => globalThis.fetch(...request)), options.maxMessageBytes ?? defaultMaxMessageBytes),
  };
}

/** interceptors gives those that the options ask for. */
export function interceptors(options: Pick<WebOptions, "auth" | "headers" | "interceptors">): Interceptor[] {
  const list = [...(options.interceptors ?? [])];
  if (options.headers) {
    const fixed = new Headers(options.headers);
    list.push((next) => (req) => {
      fixed.forEach((value, key) => req.header.set(key, value));
      return next(req);
    });
  }
  if (options.auth) list.push(authInterceptor(options.auth));
  return list;
}
