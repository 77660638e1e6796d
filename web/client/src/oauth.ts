// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import * as oauth from "oauth4webapi";
import type { AuthProvider, Challenge } from "./auth.js";

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
  verifier: string;
  state: string;
  back: string;
  scope: string;
}

const pendingKey = "mcpconnect:login";

/**
 * OAuth logs users in by the authorization code flow with PKCE, and gives calls their access
 * tokens. Tokens stay in memory; a reload logs in again, which the authorization server
 * usually does without asking. An access token that has ended or is refused is replaced by
 * the refresh token, if there is one; a missing scope, and what else the server refuses, by
 * a login that asks for the scopes had before and the new ones together (step-up).
 *
 *     const auth = new OAuth({ resource: "https://mcp.example.com", clientId: "app", redirectUri: location.origin + "/callback" });
 *     // on the page at redirectUri: history.replaceState(null, "", await auth.finishLogin())
 *     const client = new McpClient(connectTransport("https://mcp.example.com", { auth }));
 */
export class OAuth implements AuthProvider {
  readonly #o: OAuthOptions;
  readonly #client: oauth.Client;
  #server: Promise<oauth.AuthorizationServer> | undefined;
  #tokens: { access: string; refresh: string | undefined; ends: number } | undefined;
  #scopes: Set<string>;
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
    for (const s of challenge.scope?.split(" ") ?? []) if (s) this.#scopes.add(s);
    if (challenge.status === 401 && token && (await this.#refresh())) return true;
    await (this.#loggingIn ??= this.login().finally(() => (this.#loggingIn = undefined)));
    return this.#tokens !== undefined && this.#tokens.access !== token;
  }

  /** Leads the user to the login; `back` is where finishLogin says that the user came from. */
  async login(back: string = globalThis.location?.href ?? ""): Promise<void> {
    const as = await this.#discover();
    if (!as.authorization_endpoint) throw new Error(`${as.issuer}: it has no authorization endpoint`);
    if (as.code_challenge_methods_supported && !as.code_challenge_methods_supported.includes("S256")) throw new Error(`${as.issuer}: it does not support PKCE with S256`);
    const verifier = oauth.generateRandomCodeVerifier();
    const pending: Pending = { verifier, state: oauth.generateRandomState(), back, scope: [...this.#scopes].join(" ") };
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
    const as = await this.#discover();
    const params = oauth.validateAuthResponse(as, this.#client, new URL(url), pending.state);
    const res = await oauth.authorizationCodeGrantRequest(as, this.#client, oauth.None(), params, this.#o.redirectUri, pending.verifier, {
      ...this.#insecure,
      additionalParameters: { resource: this.#o.resource },
    });
    for (const s of pending.scope.split(" ")) if (s) this.#scopes.add(s);
    this.#keep(await oauth.processAuthorizationCodeResponse(as, this.#client, res));
    return pending.back;
  }

  /** Forgets the tokens. */
  logout(): void {
    this.#tokens = undefined;
  }

  /** One refresh for all calls that were refused together; false if there is none to be had. */
  #refresh(): Promise<boolean> {
    return (this.#refreshing ??= this.#tryRefresh().finally(() => (this.#refreshing = undefined)));
  }

  async #tryRefresh(): Promise<boolean> {
    const refresh = this.#tokens?.refresh;
    this.#tokens = undefined;
    if (!refresh) return false;
    const as = await this.#discover();
    try {
      const res = await oauth.refreshTokenGrantRequest(as, this.#client, oauth.None(), refresh, {
        ...this.#insecure,
        additionalParameters: { resource: this.#o.resource },
      });
      this.#keep(await oauth.processRefreshTokenResponse(as, this.#client, res), refresh);
      return true;
    } catch (reason) {
      if (reason instanceof oauth.ResponseBodyError) return false; // it has ended: log in
      throw reason;
    }
  }

  #keep(res: oauth.TokenEndpointResponse, refresh?: string): void {
    this.#tokens = {
      access: res.access_token,
      refresh: res.refresh_token ?? refresh,
      ends: res.expires_in === undefined ? Infinity : Date.now() + res.expires_in * 1000,
    };
  }

  #discover(): Promise<oauth.AuthorizationServer> {
    return (this.#server ??= this.#find().catch((reason: unknown) => {
      this.#server = undefined;
      throw reason;
    }));
  }

  async #find(): Promise<oauth.AuthorizationServer> {
    let issuer = this.#o.issuer;
    if (!issuer) {
      const resource = new URL(this.#o.resource);
      const res = await oauth.resourceDiscoveryRequest(resource, this.#insecure);
      const metadata = await oauth.processResourceDiscoveryResponse(resource, res);
      issuer = metadata.authorization_servers?.[0];
      if (!issuer) throw new Error(`${this.#o.resource}: its metadata names no authorization server`);
    }
    const url = new URL(issuer);
    const oauth2 = await oauth.discoveryRequest(url, { algorithm: "oauth2", ...this.#insecure });
    const found = oauth2.ok ? oauth2 : await oauth.discoveryRequest(url, { algorithm: "oidc", ...this.#insecure });
    return oauth.processDiscoveryResponse(url, found);
  }

  /** Plain HTTP is for this machine. */
  get #insecure() {
    const local = ["localhost", "127.0.0.1", "[::1]"].includes(new URL(this.#o.resource).hostname);
    return { [oauth.allowInsecureRequests]: local };
  }

  get #storage() {
    return this.#o.storage ?? sessionStorage;
  }
}

/** leave goes to another page. It is done only if the user comes back to this one, as it was. */
function leave(url: string): Promise<void> {
  return new Promise((back) => {
    addEventListener("pageshow", () => back(), { once: true });
    location.assign(url);
  });
}
