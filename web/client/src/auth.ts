// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { Code, ConnectError, type Interceptor, type StreamResponse } from "@connectrpc/connect";
import { errorData } from "./errors.js";
import type { Envelope } from "./gen/mcp/v1/envelope_pb.js";
import { repeatable, type Request } from "./repeat.js";

/** What a server says when it refuses a credential (SPEC.md §14.3, RFC 6750, RFC 9728). */
export interface Challenge {
  /** 401: none, bad or expired. 403: more scopes are needed. */
  status: 401 | 403;
  /** For example "invalid_token" or "insufficient_scope". */
  error?: string;
  /** All scopes that the call needs, separated by spaces. */
  scope?: string;
  /** Where the server's protected resource metadata is. */
  resourceMetadata?: string;
}

/** Gives credentials to calls. The class OAuth of "@mcpconnect/client/oauth" is one. */
export interface AuthProvider {
  /** The access token for the next call; undefined for none. */
  token(): Promise<string | undefined>;
  /**
   * Called when the server refused `token`. True if it is worth to try once more: a new
   * token was had. A provider that sends the user to a login page never returns.
   */
  challenged(challenge: Challenge, token: string | undefined): Promise<boolean>;
}

type Next = Parameters<Interceptor>[0];

/**
 * authInterceptor puts the provider's token on every RPC, and tries once more after a challenge. It waits for
 * the provider no longer than the call has time. In clear it sends tokens to this machine only.
 */
export function authInterceptor(provider: AuthProvider): Interceptor {
  return (next) => async (req) => {
    const request = await repeatable(req);
    for (let again = false; ; again = true) {
      const token = await unlessAborted(provider.token(), req.signal);
      if (token) {
        if (!isSafe(req.url)) throw new ConnectError(`a token would go in clear to ${req.url}`, Code.FailedPrecondition);
        req.header.set("Authorization", `Bearer ${token}`);
      } else req.header.delete("Authorization");
      if (!request) return onlyOnce(next, req, provider, token);
      let challenge: Challenge | undefined;
      try {
        const res = await next(request());
        if (!res.stream || again || !mayBeRefused(req, res)) return res;
        const { first, message } = await begun(res.message);
        challenge = stepUpOf(first);
        if (!challenge || !(await unlessAborted(provider.challenged(challenge, token), req.signal))) return { ...res, message };
      } catch (reason) {
        challenge = challengeOf(reason);
        if (again || !challenge || !(await unlessAborted(provider.challenged(challenge, token), req.signal))) throw reason;
      }
    }
  };
}

const renewed = new WeakSet<ConnectError>();

/** isRenewed tells whether a stream of requests was refused, and another one may have better credentials. */
export function isRenewed(reason: unknown): boolean {
  return reason instanceof ConnectError && renewed.has(reason);
}

/** onlyOnce opens a stream of requests, which cannot be sent twice: whoever has done that may open another. */
async function onlyOnce(next: Next, req: Request, provider: AuthProvider, token: string | undefined): ReturnType<Next> {
  async function judged(reason: unknown): Promise<ConnectError> {
    const error = ConnectError.from(reason);
    const challenge = challengeOf(error);
    if (challenge && (await unlessAborted(provider.challenged(challenge, token), req.signal))) renewed.add(error);
    return error;
  }
  async function* all<T>(messages: AsyncIterable<T>) {
    try {
      yield* messages;
    } catch (reason) {
      throw await judged(reason);
    }
  }
  try {
    const res = await next(req);
    return res.stream ? { ...res, message: all(res.message) } : res;
  } catch (reason) {
    throw await judged(reason);
  }
}

/**
 * mayBeRefused tells whether the first message of a stream is waited for. Streams fail while they are
 * read; but the challenge is a header, so that a refused one is known by it. A call by Send is answered.
 */
function mayBeRefused(req: Request, res: StreamResponse): boolean {
  return res.header.has("www-authenticate") || (req.method.name === "Send" && req.header.has("Mcp-Method"));
}

/** stepUpOf reads the challenge in the answer to a call in an envelope (SPEC.md §14.4). */
function stepUpOf(message: unknown): Challenge | undefined {
  const { kind } = (message ?? {}) as Partial<Envelope>;
  if (kind?.case !== "response" || kind.value.outcome.case !== "error") return undefined;
  const { reason, scope, resource_metadata } = (errorData(kind.value.outcome.value) ?? {}) as Record<string, unknown>;
  if (reason !== "insufficient_scope" || typeof scope !== "string") return undefined;
  return { status: 403, error: reason, scope, ...(typeof resource_metadata === "string" && { resourceMetadata: resource_metadata }) };
}

/** unlessAborted is the promise, as long as signal does not abort. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => reject(signal.reason);
    if (signal.aborted) end();
    signal.addEventListener("abort", end);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", end));
  });
}

/** begun waits until the stream's first message is there, or the stream has failed. */
async function begun<T>(messages: AsyncIterable<T>): Promise<{ first: T | undefined; message: AsyncIterable<T> }> {
  const rest = messages[Symbol.asyncIterator]();
  const first = await rest.next();
  async function* all() {
    for (let n = first; !n.done; n = await rest.next()) yield n.value;
  }
  return { first: first.done ? undefined : first.value, message: all() };
}

/** isSafe tells whether nobody on the way to a URL can read along: it is https, or on this machine. */
export function isSafe(url: string): boolean {
  const { protocol, hostname } = new URL(url, globalThis.location?.href);
  return protocol === "https:" || (protocol === "http:" && isLoopback(hostname));
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}

/** challengeOf reads the challenge of a failed RPC; undefined if it failed for another reason. */
export function challengeOf(reason: unknown): Challenge | undefined {
  const err = ConnectError.from(reason);
  const header = err.metadata.get("www-authenticate") ?? "";
  if (err.code === Code.Unauthenticated) return { status: 401, ...parseChallenge(header) };
  if (err.code === Code.PermissionDenied && header) return { status: 403, ...parseChallenge(header) };
  return undefined;
}

/** parseChallenge reads the parameters of the first Bearer challenge. */
export function parseChallenge(header: string): Omit<Challenge, "status"> {
  const found: Record<string, string> = {};
  const bearer = /(?:^|[\s,])Bearer\s+(.*)/i.exec(header)?.[1] ?? "";
  for (const m of bearer.matchAll(/([a-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))/gi)) {
    found[m[1]!.toLowerCase()] ??= m[3] ?? m[2]!.replace(/\\(.)/g, "$1");
  }
  return {
    ...(found["error"] && { error: found["error"] }),
    ...(found["scope"] && { scope: found["scope"] }),
    ...(found["resource_metadata"] && { resourceMetadata: found["resource_metadata"] }),
  };
}
