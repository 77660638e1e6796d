// Copyright 2026 The mcpconnect Authors
// SPDX-License-Identifier: Apache-2.0

// An OpenID provider for tests, on loopback: people who open its pages are logged in as ann, and agree
// to everything. The arguments are its port, 0 for a free one, the resource that tokens are for, and
// the id of its key. It prints its issuer when it is ready.

import { createServer } from 'node:http'
import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { Provider } from 'oidc-provider'

const [port, resource, kid] = process.argv.slice(2)
const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
const key = { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256' }

const server = createServer()
await new Promise((done) => server.listen(Number(port), '127.0.0.1', done))
const issuer = `http://127.0.0.1:${server.address().port}`

const scopes = 'read write'
const tokens = (accessTokenFormat) => ({
  scope: scopes,
  audience: resource,
  accessTokenTTL: 600,
  accessTokenFormat,
  ...(accessTokenFormat === 'jwt' ? { jwt: { sign: { alg: 'ES256' } } } : {}),
})

const provider = new Provider(issuer, {
  jwks: { keys: [key] },
  cookies: { keys: ['of a test'] },
  scopes: ['openid', 'offline_access'],
  // Opaque tokens for the resource server that introspects them.
  clients: [{ client_id: 'resource-server', client_secret: 'secret', grant_types: [], response_types: [], redirect_uris: [] }],
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  pkce: { required: () => true },
  clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post'],
  features: {
    devInteractions: { enabled: false },
    registration: { enabled: true },
    clientIdMetadataDocument: { enabled: true, ack: 'draft-02' },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_ctx, indicator) => tokens(indicator.endsWith('/opaque') ? 'opaque' : 'jwt'),
    },
  },
  // Client ID metadata documents are on this machine, too, which the provider would not look at.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
})

// agree is a person who logs in and agrees.
async function agree(req, res) {
  const { params, prompt, session, grantId } = await provider.interactionDetails(req, res)
  if (!session) {
    return provider.interactionFinished(req, res, { login: { accountId: 'ann' } }, { mergeWithLastSubmission: false })
  }
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
  const { missingOIDCScope = [], missingResourceScopes = {} } = prompt.details
  grant.addOIDCScope(missingOIDCScope.join(' '))
  for (const [indicator, missing] of Object.entries(missingResourceScopes)) {
    grant.addResourceScope(indicator, missing.join(' '))
  }
  return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true })
}

const oidc = provider.callback()
server.on('request', (req, res) => {
  if (req.url.startsWith('/interaction/')) {
    agree(req, res).catch((err) => {
      res.statusCode = 500
      res.end(String(err))
    })
  } else {
    oidc(req, res)
  }
})
console.log(issuer)
