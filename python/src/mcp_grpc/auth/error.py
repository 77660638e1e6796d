# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Why a caller is not let in: for logs, and for the caller."""

from __future__ import annotations

import grpc

Metadata = tuple[tuple[str, str | bytes], ...]


class CredentialError(Exception):
    """What an authenticator raises. Its text is for the log, and never reaches the caller."""


class InvalidCredentialError(CredentialError):
    """The credential is wrong, expired, revoked or meant for somebody else: UNAUTHENTICATED."""


class MalformedCredentialError(CredentialError):
    """The request presents credentials in a way that is not allowed: INVALID_ARGUMENT."""


class AuthUnavailableError(CredentialError):
    """The credential cannot be judged now: UNAVAILABLE, and the caller keeps it and tries again.

    Every other error of an authenticator counts as this one: nobody is let in, and nobody throws a good
    credential away.
    """


class AbsentCredentialError(CredentialError):
    """The request has no credential that anybody here knows: UNAUTHENTICATED."""


class Refusal(Exception):
    """What a refused caller gets to see (SPEC.md §14.3).

    Attributes:
        code: Status of the RPC.
        message: Text for the caller; it does not say what was wrong.
        initial_metadata: Response headers, ``www-authenticate`` among them where there is a challenge.
        trailing_metadata: ``grpc-status-details-bin``.
    """

    def __init__(
        self, code: grpc.StatusCode, message: str, initial_metadata: Metadata, trailing_metadata: Metadata
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.initial_metadata = initial_metadata
        self.trailing_metadata = trailing_metadata
