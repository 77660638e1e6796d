// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { all, repeatable } from "./repeat.js";

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

/** authInterceptor puts the provider's token on every RPC, and tries once more after a challenge. */
export function authInterceptor(provider: AuthProvider): Interceptor {
  return (next) => async (req) => {
    const request = await repeatable(req);
    for (let again = !request; ; again = true) {
      const token = await provider.token();
      if (token) req.header.set("Authorization", `Bearer ${token}`);
      else req.header.delete("Authorization");
      try {
        const res = await next(request?.() ?? req);
        // Streams fail while they are read; but the challenge is a header, so that a refused
        // one is known by it.
        if (res.stream && !again && res.header.has("www-authenticate")) await all(res.message);
        return res;
      } catch (reason) {
        const challenge = challengeOf(reason);
        if (again || !challenge || !(await provider.challenged(challenge, token))) throw reason;
      }
    }
  };
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
  for (const m of bearer.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/gi)) {
    found[m[1]!.toLowerCase()] ??= m[2]!.replace(/\\(.)/g, "$1");
  }
  return {
    ...(found["error"] && { error: found["error"] }),
    ...(found["scope"] && { scope: found["scope"] }),
    ...(found["resource_metadata"] && { resourceMetadata: found["resource_metadata"] }),
  };
}
