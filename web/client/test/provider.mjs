// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import { createServer } from "node:http";
import Provider from "oidc-provider";

/**
 * provider runs an OpenID provider that has forms for its users, any of whom can log in. Its
 * client "page" is sent back to redirectUri; access tokens end after lifetime seconds.
 */
export async function provider(redirectUri, lifetime) {
  const server = createServer((req, res) => op.callback()(req, res));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const op = new Provider(issuer, {
    clients: [{ client_id: "page", application_type: "native", token_endpoint_auth_method: "none", redirect_uris: [redirectUri], grant_types: ["authorization_code", "refresh_token"] }],
    clientBasedCORS: (_, origin) => redirectUri.startsWith(`${origin}/`),
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    pkce: { required: () => true },
    scopes: ["offline_access", "write"],
    ttl: { AccessToken: lifetime, Grant: 600, Session: 600, RefreshToken: 600, Interaction: 600, IdToken: 600 },
    issueRefreshToken: (_, client, code) => client.grantTypeAllowed("refresh_token") && code.scopes.has("offline_access"),
    features: {
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({ scope: "write", audience: resource, accessTokenFormat: "jwt", jwt: { sign: { alg: "RS256" } } }),
        useGrantedResource: () => true,
      },
    },
  });
  return {
    issuer,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
