# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""What stands in front of a server: who gets in, and what others get to see."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

import grpc
from mcp import MCPError

from mcp_grpc.auth.authenticator import Authenticator, authenticate
from mcp_grpc.auth.call import Call
from mcp_grpc.auth.challenge import HEADER, INVALID_REQUEST, INVALID_TOKEN, Challenge, status_details
from mcp_grpc.auth.denial import Denial, explain, step_up
from mcp_grpc.auth.discovery import GET_METADATA, add_discovery
from mcp_grpc.auth.error import (
    AbsentCredentialError,
    InvalidCredentialError,
    MalformedCredentialError,
    Metadata,
    Refusal,
)
from mcp_grpc.auth.interceptor import GuardInterceptor
from mcp_grpc.auth.policy import Policy
from mcp_grpc.auth.principal import Principal, current_principal
from mcp_grpc.auth.resource_metadata import ResourceMetadata
from mcp_grpc.auth.unix_peer import UnixPeers

_NO_STORE = ("cache-control", "no-store")
_PUBLIC = frozenset({GET_METADATA, "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"})


class Guard:
    """Lets callers in that one of the authenticators knows, and nobody else (SPEC.md §14.2).

    It decides before the body of a request is read, for every RPC but those of ``AuthDiscovery`` and
    ``grpc.health.v1``.

    Args:
        authenticators: Recognise callers. The credentials of a request are looked at by all of them.
        metadata: What challenges point to. If None they say just the scheme.
        policy: What callers may do. If None, every caller that is known may do everything.
        logger: Is told why callers were refused; never a credential. By default that of this package. Of a
            flood it gets some, and how many more there were.
        body_seconds: Seconds that the one message of a request may take (SPEC.md §12).

    Raises:
        ValueError: there is no authenticator: nobody could get in.
        TypeError: one of them is none.
    """

    def __init__(
        self,
        authenticators: Sequence[Authenticator],
        *,
        metadata: ResourceMetadata | None = None,
        policy: Policy | None = None,
        logger: logging.Logger | None = None,
        body_seconds: float = 30.0,
    ) -> None:
        if not authenticators:
            raise ValueError("there is no authenticator: nobody could get in")
        for given in authenticators:
            if not isinstance(given, Authenticator):
                raise TypeError(f"{type(given).__name__} is no authenticator; put tokens into a Bearer")
        self.authenticators = tuple(authenticators)
        self.metadata = metadata
        self.policy = policy
        self.body_seconds = body_seconds
        schemes = [a.scheme for a in authenticators if a.scheme]
        self._scheme = "Bearer" if "Bearer" in schemes else schemes[0] if schemes else ""
        self._log = _SampledLog(logger or logging.getLogger("mcp_grpc.auth"))
        self._running = False

    @classmethod
    def of(cls, auth: Guard | Authenticator | Sequence[Authenticator] | None) -> Guard | None:
        """The guard that ``auth`` stands for: itself, one of these authenticators, or none."""
        if auth is None or isinstance(auth, Guard):
            return auth
        return cls([auth] if isinstance(auth, Authenticator) else auth)

    @property
    def wants_unix_peers(self) -> bool:
        """Whether a Unix socket has to be served by a :class:`PeerSocket`."""
        return any(isinstance(a, UnixPeers) for a in self.authenticators)

    def interceptor(self) -> grpc.aio.ServerInterceptor:
        """The guard as an interceptor of ``grpc.aio.server``, in front of others. Handlers have to be asynchronous."""
        return GuardInterceptor(self, _PUBLIC)

    def add_to_server(self, server: grpc.aio.Server) -> None:
        """Registers ``mcp.v1.AuthDiscovery`` with the metadata."""
        add_discovery(server, self.metadata)

    async def start(self) -> None:
        """Starts what authenticators do beside calls, such as looking at files. It may be called again."""
        if not self._running:
            self._running = True
            for authenticator in self.authenticators:
                if (start := getattr(authenticator, "start", None)) is not None:
                    await start()

    async def close(self) -> None:
        """Ends that. It may be called again."""
        if self._running:
            self._running = False
            for authenticator in self.authenticators:
                if (close := getattr(authenticator, "close", None)) is not None:
                    await close()

    async def check(self, call: Call) -> Principal:
        """Says who makes ``call``.

        Raises:
            Refusal: nobody that is let in; it has what the caller gets to see.
        """
        try:
            principal = await authenticate(call, self.authenticators)
        except Exception as e:
            self._log.refused(call, e)
            raise self._refusal(e) from None
        if self.policy is not None:
            try:
                self.policy.admit(principal)
            except Denial as e:
                self._log.refused(call, e, principal.id)
                raise self._forbidden(e, principal) from None
        return principal

    def explain(self, error: MCPError) -> MCPError:
        """Gives a refusal of the current caller with where a token is to be had; other errors as they are."""
        return explain(error, self.metadata, current_principal())

    def _challenge(self, error: str) -> Challenge:
        scopes = () if self.policy is None else self.policy.baseline
        return Challenge(error, scopes, "" if self.metadata is None else self.metadata.url)

    def _refusal(self, error: Exception) -> Refusal:
        """The one place that decides what a failed authentication looks like."""
        match error:
            case AbsentCredentialError():
                code, message, oauth = grpc.StatusCode.UNAUTHENTICATED, "credentials are missing", ""
            case MalformedCredentialError():
                text = "credentials are malformed, given twice, or in the wrong place"
                code, message, oauth = grpc.StatusCode.INVALID_ARGUMENT, text, INVALID_REQUEST
            case InvalidCredentialError():
                code, message, oauth = grpc.StatusCode.UNAUTHENTICATED, "credentials are not valid", INVALID_TOKEN
            case _:
                text = "authentication is unavailable: try again later"
                return Refusal(grpc.StatusCode.UNAVAILABLE, text, (_NO_STORE, ("retry-after", "5")), ())
        challenge = self._challenge(oauth)
        headers: Metadata = (_NO_STORE,)
        if self._scheme:
            headers += ((HEADER, challenge.header() if self._scheme == "Bearer" else self._scheme),)
        return Refusal(code, message, headers, status_details(code, message, challenge.info()))

    def _forbidden(self, denial: Denial, principal: Principal) -> Refusal:
        """What a caller without the baseline gets to see."""
        explained = explain(denial, self.metadata, principal)
        headers, infos = step_up(explained.code, explained.data)
        code = grpc.StatusCode.PERMISSION_DENIED
        details = status_details(code, explained.message, *infos)
        return Refusal(code, explained.message, (_NO_STORE, *headers), details)


class _SampledLog:
    """Tells of refusals, without being a way to fill the disk: 20 lines, then one a second."""

    _BURST = 20

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._tokens = float(self._BURST)
        self._filled = time.monotonic()
        self._skipped = 0

    def refused(self, call: Call, error: Exception, who: str = "") -> None:
        """Logs why a call was refused."""
        now = time.monotonic()
        self._tokens = min(self._BURST, self._tokens + now - self._filled)
        self._filled = now
        if self._tokens < 1:
            self._skipped += 1
            return
        self._tokens -= 1
        more, self._skipped = self._skipped, 0
        kind = type(error).__name__
        suffix = f" ({more} more were refused before)" if more else ""
        # Of errors of others the text is not known to be free of secrets.
        known = isinstance(error, AbsentCredentialError | InvalidCredentialError | MalformedCredentialError | Denial)
        reason = str(error) if known or kind == "AuthUnavailableError" else kind
        self._logger.info("request refused: %s%s, from %s%s", f"{who}: " if who else "", reason, call.peer, suffix)
