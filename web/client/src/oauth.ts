// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import * as oauth from "oauth4webapi";
import { type AuthProvider, type Challenge, isSafe } from "./auth.js";

export interface OAuthOptions {
  /** The server's resource identifier: its URL with the prefix and nothing behind it. */
  resource: string;
  /** This app, as the authorization server knows it: a public client. */
  clientId: string;
  /** Where the authorization server sends the user back to, on this page's origin. */
  redirectUri: string;
  /** Scopes that are always asked for, "offline_access" for a refresh token. Default: none. */
  scopes?: string[];
  /** The authorization server. Default: what the server's metadata says (RFC 9728). */
  issuer?: string;
  /** Keeps what a login needs while the user is away. Default: sessionStorage. */
  storage?: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  /** Leads the user to the login, and is done when he may be back. Default: location.assign, and the page ends. */
  navigate?: (url: string) => void | Promise<void>;
}

interface Pending {
  issuer: string;
  verifier: string;
  state: string;
  back: string;
  scope: string;
}

interface Tokens {
  /** Who gave them: nobody else may see the refresh token. */
  server: oauth.AuthorizationServer;
  access: string;
  refresh: string | undefined;
  ends: number;
}

const pendingKey = "mcpconnect:login";
const patience = 30_000; // ms for an answer of the authorization server
const soon = 10_000; // ms after a login in which a refusal means that another one would not help

/**
 * OAuth logs users in by the authorization code flow with PKCE, and gives calls their access
 * tokens. Tokens stay in memory; a reload logs in again, which the authorization server
 * usually does without asking. An access token that has ended or is refused is replaced by
 * the refresh token, if there is one; a missing scope, and what else the server refuses, by
 * a login that asks for the scopes had before and the new ones together (step-up). Where
 * another login would come to the same, the call fails.
 *
 *     const auth = new OAuth({ resource: "https://mcp.example.com", clientId: "app", redirectUri: location.origin + "/callback" });
 *     // on the page at redirectUri: history.replaceState(null, "", await auth.finishLogin())
 *     const client = new McpClient(connectTransport("https://mcp.example.com", { auth }));
 */
export class OAuth implements AuthProvider {
  readonly #o: OAuthOptions;
  readonly #client: oauth.Client;
  #server: Promise<oauth.AuthorizationServer> | undefined;
  /** Where a challenge has said that the server's metadata is. */
  #metadata: string | undefined;
  #tokens: Tokens | undefined;
  #scopes: Set<string>;
  /** The login that the tokens are of: until when it is a new one, and what it has asked for. */
  #login: { newUntil: number; scopes: Set<string> } | undefined;
  // What calls that are refused together wait for, once for all of them.
  #refreshing: Promise<boolean> | undefined;
  #loggingIn: Promise<void> | undefined;

  constructor(options: OAuthOptions) {
    this.#o = options;
    this.#client = { client_id: options.clientId };
    this.#scopes = new Set(options.scopes ?? []);
  }

  /** Implements AuthProvider. */
  async token(): Promise<string | undefined> {
    if (this.#refreshing || (this.#tokens && Date.now() >= this.#tokens.ends)) await this.#refresh();
    return this.#tokens?.access;
  }

  /** Implements AuthProvider. */
  async challenged(challenge: Challenge, token: string | undefined): Promise<boolean> {
    if (this.#tokens && this.#tokens.access !== token) return true; // another call was faster
    if (challenge.resourceMetadata && challenge.resourceMetadata !== this.#metadata) {
      this.#metadata = challenge.resourceMetadata;
      this.#server = undefined;
    }
    const scopes = (challenge.scope ?? "").split(" ").filter(Boolean);
    for (const s of scopes) this.#scopes.add(s);
    if (challenge.status === 401 && token && (await this.#refresh())) return true;
    if (token && this.#isVain(challenge.status, scopes)) return false;
    await (this.#loggingIn ??= this.login().finally(() => (this.#loggingIn = undefined)));
    return this.#tokens !== undefined && this.#tokens.access !== token;
  }

  /** Whether another login would come to the same: an authorization server that does not ask would lead to and fro for ever. */
  #isVain(status: 401 | 403, scopes: string[]): boolean {
    if (!this.#login) return false;
    return status === 403 ? scopes.every((s) => this.#login!.scopes.has(s)) : Date.now() < this.#login.newUntil;
  }

  /** Leads the user to the login; `back` is where finishLogin says that the user came from. */
  async login(back: string = globalThis.location?.href ?? ""): Promise<void> {
    const as = await this.#discover();
    if (!as.authorization_endpoint) throw new Error(`${as.issuer}: it has no authorization endpoint`);
    if (!isSafe(as.authorization_endpoint)) throw new Error(`${as.issuer}: its authorization endpoint is neither https nor on this machine`);
    if (!as.code_challenge_methods_supported?.includes("S256")) throw new Error(`${as.issuer}: it does not say that it supports PKCE with S256`);
    const verifier = oauth.generateRandomCodeVerifier();
    const pending: Pending = { issuer: as.issuer, verifier, state: oauth.generateRandomState(), back, scope: [...this.#scopes].join(" ") };
    this.#storage.setItem(pendingKey, JSON.stringify(pending));
    const url = new URL(as.authorization_endpoint);
    const query: Record<string, string> = {
      client_id: this.#o.clientId,
      redirect_uri: this.#o.redirectUri,
      response_type: "code",
      state: pending.state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      resource: this.#o.resource, // RFC 8707
      ...(pending.scope && { scope: pending.scope }),
      ...(this.#scopes.has("offline_access") && { prompt: "consent" }),
    };
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
    await (this.#o.navigate ?? leave)(url.href);
  }

  /**
   * Takes what the authorization server sent the user back with, and gives the `back` of the
   * login. It fails if state or issuer are not those of the login that began here (RFC 9207),
   * or the user did not agree.
   */
  async finishLogin(url: string = location.href): Promise<string> {
    const stored = this.#storage.getItem(pendingKey);
    if (!stored) throw new Error("no login has begun here");
    this.#storage.removeItem(pendingKey); // a code is good for one try
    const pending = JSON.parse(stored) as Pending;
    // The one that the user was sent to, whatever the metadata says by now: no other may get the code (RFC 9700 §4.4).
    const as = await authorizationServer(pending.issuer);
    const params = oauth.validateAuthResponse(as, this.#client, new URL(url), pending.state);
    const res = await oauth.authorizationCodeGrantRequest(as, this.#client, oauth.None(), params, this.#o.redirectUri, pending.verifier, {
      ...options(as.token_endpoint),
      additionalParameters: { resource: this.#o.resource },
    });
    const scopes = pending.scope.split(" ").filter(Boolean);
    for (const s of scopes) this.#scopes.add(s);
    const now = Date.now();
    this.#tokens = tokensOf(as, await oauth.processAuthorizationCodeResponse(as, this.#client, res));
    this.#login = { newUntil: now + Math.min(soon, (this.#tokens.ends - now) / 2), scopes: new Set(scopes) };
    return pending.back;
  }

  /** Forgets the tokens. */
  logout(): void {
    this.#tokens = undefined;
    this.#login = undefined;
  }

  /** One refresh for all calls that were refused together; false if there is none to be had. */
  #refresh(): Promise<boolean> {
    return (this.#refreshing ??= this.#tryRefresh().finally(() => (this.#refreshing = undefined)));
  }

  async #tryRefresh(): Promise<boolean> {
    const old = this.#tokens;
    let tokens: Tokens | undefined;
    if (old?.refresh) {
      const as = old.server;
      try {
        const res = await oauth.refreshTokenGrantRequest(as, this.#client, oauth.None(), old.refresh, {
          ...options(as.token_endpoint),
          additionalParameters: { resource: this.#o.resource },
        });
        tokens = tokensOf(as, await oauth.processRefreshTokenResponse(as, this.#client, res), old.refresh);
      } catch (reason) {
        // What the authorization server refuses has ended: log in. For anything else the next call tries again.
        if (!(reason instanceof oauth.ResponseBodyError) || reason.status >= 500) throw reason;
      }
    }
    if (this.#tokens === old) this.#tokens = tokens; // there was no logout meanwhile
    return this.#tokens !== undefined;
  }

  #discover(): Promise<oauth.AuthorizationServer> {
    return (this.#server ??= this.#find().catch((reason: unknown) => {
      this.#server = undefined;
      throw reason;
    }));
  }

  async #find(): Promise<oauth.AuthorizationServer> {
    if (this.#o.issuer) return authorizationServer(this.#o.issuer);
    const resource = new URL(this.#o.resource);
    const metadata = await oauth.processResourceDiscoveryResponse(resource, await this.#resourceMetadata(resource));
    const issuer = metadata.authorization_servers?.[0];
    if (!issuer) throw new Error(`${this.#o.resource}: its metadata names no authorization server`);
    return authorizationServer(issuer);
  }

  #resourceMetadata(resource: URL): Promise<Response> {
    const at = this.#metadata;
    if (at === undefined) return oauth.resourceDiscoveryRequest(resource, options(resource.href));
    if (!isSafe(at)) throw new Error(`${this.#o.resource}: its metadata is at ${at}, which is neither https nor on this machine`);
    return fetch(at, { headers: { Accept: "application/json" }, redirect: "error", credentials: "omit", signal: AbortSignal.timeout(patience) });
  }

  get #storage() {
    return this.#o.storage ?? sessionStorage;
  }
}

async function authorizationServer(issuer: string): Promise<oauth.AuthorizationServer> {
  const url = new URL(issuer);
  const oauth2 = await oauth.discoveryRequest(url, { algorithm: "oauth2", ...options(issuer) });
  const found = oauth2.ok ? oauth2 : await oauth.discoveryRequest(url, { algorithm: "oidc", ...options(issuer) });
  return oauth.processDiscoveryResponse(url, found);
}

/** options are those of all requests to url. Plain HTTP is for this machine. */
function options(url: string | undefined) {
  return { [oauth.allowInsecureRequests]: url !== undefined && isSafe(url), signal: () => AbortSignal.timeout(patience) };
}

function tokensOf(server: oauth.AuthorizationServer, res: oauth.TokenEndpointResponse, refresh?: string): Tokens {
  return {
    server,
    access: res.access_token,
    refresh: res.refresh_token ?? refresh,
    ends: res.expires_in === undefined ? Infinity : Date.now() + res.expires_in * 1000,
  };
}

/** leave goes to another page. It is done only if the user comes back to this one, as it was. */
function leave(url: string): Promise<void> {
  return new Promise((back) => {
    addEventListener("pageshow", () => back(), { once: true });
    location.assign(url);
  });
}
