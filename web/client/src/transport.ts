// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { Code, ConnectError, type Interceptor, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { authInterceptor, type AuthProvider, isSafe } from "./auth.js";
import { defaultMaxMessageBytes, limited } from "./limit.js";

/** The protocols that a browser can speak. */
export type WebProtocol = "connect" | "grpc-web";

export interface WebOptions {
  /** Gives credentials to every RPC. Default: none. */
  auth?: AuthProvider;
  /** Headers on every RPC. Default: none. */
  headers?: HeadersInit;
  /** Lets `headers` send credentials in clear to other machines: where something else encrypts. Default: such calls fail. */
  insecureCredentials?: boolean;
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

/** The headers that hold some. */
const credentials = ["Authorization", "X-Mcp-Api-Key", "Cookie", "Proxy-Authorization"];

/** interceptors gives those that the options ask for. */
export function interceptors(options: Pick<WebOptions, "auth" | "headers" | "insecureCredentials" | "interceptors">): Interceptor[] {
  const list = [...(options.interceptors ?? [])];
  if (options.headers) {
    const fixed = new Headers(options.headers);
    const secret = options.insecureCredentials ? undefined : credentials.find((name) => fixed.has(name));
    list.push((next) => async (req) => {
      if (secret && !isSafe(req.url)) throw new ConnectError(`the header ${secret} would go in clear to ${req.url}`, Code.FailedPrecondition);
      fixed.forEach((value, key) => req.header.set(key, value));
      return next(req);
    });
  }
  if (options.auth) list.push(authInterceptor(options.auth));
  return list;
}
