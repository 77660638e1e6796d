# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Who calls, and what they may do (SPEC.md §14).

On the server an :class:`Authenticator` recognises one kind of credential, and a :class:`Guard` asks all that it has,
before the body of a request is read::

    RPC ─▶ Guard ─▶ Bearer ───────▶ StaticTokens, JWTVerifier, Introspection
                 ├▶ APIKeys, APIKeyFile
                 ├▶ Certificates   (of the connection)
                 └▶ UnixPeers      (of the connection, through a PeerSocket)

A wrong credential is refused even if another one on the same request is good, and two credentials of the request
are refused always: what a request may do must not depend on the order in which they are read. A client certificate
or Unix peer may come with a token: then the token says who calls, and ``Principal.connection`` by whom.

A refused caller sees a status, a challenge in the response header ``www-authenticate`` that says where tokens are to
be had (RFC 6750, RFC 9728), and nothing else; the reason is for the log. When nobody can say whether a credential is
good, as when an issuer's keys cannot be fetched, the status is UNAVAILABLE: clients keep their credentials.

Handlers find the caller by :func:`current_principal`, and never see a credential. A :class:`Policy` decides what the
caller may do, by the decoded body.

On the client a :class:`ClientAuth` is what calls show, and :func:`channel` sees to it that it goes to the right
server only.
"""

from mcp_grpc.auth.access import authorize, visible
from mcp_grpc.auth.api_key import APIKeyFile, APIKeyRecord, APIKeys, new_api_key, record_api_key
from mcp_grpc.auth.authenticator import Authenticator
from mcp_grpc.auth.bearer import Bearer, TokenVerifier
from mcp_grpc.auth.call import Call
from mcp_grpc.auth.certificate import Certificates
from mcp_grpc.auth.challenge import Challenge, parse_challenge, read_challenge
from mcp_grpc.auth.channel import ClientTLS, Target, channel
from mcp_grpc.auth.client_auth import APIKey, BearerToken, ClientAuth
from mcp_grpc.auth.client_credentials import ClientCredentials
from mcp_grpc.auth.denial import AccessDenied, Denial, InsufficientScope, challenge_of, is_denial, step_up
from mcp_grpc.auth.discovery import add_discovery
from mcp_grpc.auth.error import (
    AuthUnavailableError,
    CredentialError,
    InvalidCredentialError,
    MalformedCredentialError,
    Refusal,
)
from mcp_grpc.auth.guard import Guard
from mcp_grpc.auth.introspection import Introspection
from mcp_grpc.auth.jwt_issuer import Issuer
from mcp_grpc.auth.jwt_verifier import JWTVerifier
from mcp_grpc.auth.origin import OriginInterceptor
from mcp_grpc.auth.peer_socket import PeerSocket
from mcp_grpc.auth.policy import Action, Authorizer, AuthorizerError, Policy, Rule
from mcp_grpc.auth.principal import Grant, Grants, Principal, current_principal
from mcp_grpc.auth.resource_discovery import resource_of
from mcp_grpc.auth.resource_metadata import ResourceMetadata
from mcp_grpc.auth.server_credentials import server_credentials
from mcp_grpc.auth.static import StaticTokens
from mcp_grpc.auth.unix_peer import UnixPeers

__all__ = [
    "APIKey",
    "APIKeyFile",
    "APIKeyRecord",
    "APIKeys",
    "AccessDenied",
    "Action",
    "AuthUnavailableError",
    "Authenticator",
    "Authorizer",
    "AuthorizerError",
    "Bearer",
    "BearerToken",
    "Call",
    "Certificates",
    "Challenge",
    "ClientAuth",
    "ClientCredentials",
    "ClientTLS",
    "CredentialError",
    "Denial",
    "Grant",
    "Grants",
    "Guard",
    "InsufficientScope",
    "Introspection",
    "InvalidCredentialError",
    "Issuer",
    "JWTVerifier",
    "MalformedCredentialError",
    "OriginInterceptor",
    "PeerSocket",
    "Policy",
    "Principal",
    "Refusal",
    "ResourceMetadata",
    "Rule",
    "StaticTokens",
    "Target",
    "TokenVerifier",
    "UnixPeers",
    "add_discovery",
    "authorize",
    "challenge_of",
    "channel",
    "current_principal",
    "is_denial",
    "new_api_key",
    "parse_challenge",
    "read_challenge",
    "record_api_key",
    "resource_of",
    "server_credentials",
    "step_up",
    "visible",
]
