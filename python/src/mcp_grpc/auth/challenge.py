# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Challenges: what tells a caller which token to get (RFC 6750 §3, RFC 9728 §5.1, SPEC.md §14.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from mcp_grpc.auth.error import Metadata
from mcp_grpc.auth.scope import challenge_scopes

HEADER = "www-authenticate"
INFO_DOMAIN = "mcpconnect"
"""Domain of the google.rpc.ErrorInfo that refusals carry."""

INVALID_REQUEST = "invalid_request"
INVALID_TOKEN = "invalid_token"  # noqa: S105 - a code of RFC 6750
INSUFFICIENT_SCOPE = "insufficient_scope"
_MISSING = "CREDENTIALS_MISSING"
_STATUS_DETAILS = "grpc-status-details-bin"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a caller is told to get.

    Attributes:
        error: Code of RFC 6750 §3.1; empty if the call had no credentials.
        scopes: All that the operation needs.
        resource_metadata: URL of the metadata that names the authorization server (RFC 9728); empty if
            the server has none.
    """

    error: str = ""
    scopes: tuple[str, ...] = ()
    resource_metadata: str = ""

    def header(self) -> str:
        """The value of ``www-authenticate``. Every challenge for a token comes from here."""
        scope = challenge_scopes(self.scopes)
        pairs = (("error", self.error), ("scope", scope), ("resource_metadata", self.resource_metadata))
        # Values have no quotes and backslashes: scopes and URLs are checked when they are configured.
        params = ", ".join(f'{name}="{value}"' for name, value in pairs if value)
        return f"Bearer {params}" if params else "Bearer"

    def info(self) -> error_details_pb2.ErrorInfo:
        """The same as a detail of an RPC's error, for clients that do not see headers."""
        metadata = {"scope": challenge_scopes(self.scopes), "resource_metadata": self.resource_metadata}
        return error_details_pb2.ErrorInfo(
            reason=self.error.upper() or _MISSING,
            domain=INFO_DOMAIN,
            metadata={name: value for name, value in metadata.items() if value},
        )


_PARAM = re.compile(r'([A-Za-z0-9!#$%&\'*+.^_`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))')
_SCHEME = re.compile(r"(?:^|,)\s*([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?=\s+[^\s=]+\s*=|\s*(?:,|$))")


def parse_challenge(header: str) -> Challenge | None:
    """Reads the challenge for a Bearer token out of a ``www-authenticate`` (RFC 9110 §11.6.1).

    Several challenges may stand in one header. It gives None if none is for a token, and the first
    of those that are.
    """
    masked = re.sub(r'"(?:[^"\\]|\\.)*"', lambda m: '"' + "x" * (len(m.group()) - 2) + '"', header[:8192])
    starts = list(_SCHEME.finditer(masked))
    for i, start in enumerate(starts):
        if start.group(1).lower() != "bearer":
            continue
        end = starts[i + 1].start() if i + 1 < len(starts) else len(header)
        params: dict[str, str] = {}
        for name, quoted, token in _PARAM.findall(header[start.end() : end]):
            params.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) or token)
        return Challenge(
            params.get("error", ""), tuple(params.get("scope", "").split()), params.get("resource_metadata", "")
        )
    return None


def read_challenge(
    initial_metadata: Iterable[tuple[str, str | bytes]] | None,
    trailing_metadata: Iterable[tuple[str, str | bytes]] | None = None,
    details: Iterable[Message] = (),
) -> Challenge | None:
    """The challenge of a refused call: that of its response headers, or else that of its error's details.

    Args:
        initial_metadata: Response headers of the call.
        trailing_metadata: Its trailers, where the details stand.
        details: Details of an error that came in another way, of a frame for example.
    """
    for name, value in initial_metadata or ():
        if name == HEADER and isinstance(value, str) and (found := parse_challenge(value)) is not None:
            return found
    for detail in [*_details(trailing_metadata or ()), *details]:
        if (found := _challenge_of_detail(detail)) is not None:
            return found
    return None


def _details(trailing_metadata: Iterable[tuple[str, str | bytes]]) -> list[Message]:
    status = status_pb2.Status()
    for name, value in trailing_metadata:
        if name == _STATUS_DETAILS and isinstance(value, bytes):
            try:
                status.ParseFromString(value)
            except DecodeError:
                return []  # of who knows whom: a client can only go without
    return list(status.details)


def _challenge_of_detail(detail: Message) -> Challenge | None:
    info = error_details_pb2.ErrorInfo()
    try:
        if isinstance(detail, any_pb2.Any):
            detail.Unpack(info)
        elif isinstance(detail, error_details_pb2.ErrorInfo):
            info = detail
    except DecodeError:
        return None
    if info.domain != INFO_DOMAIN:
        return None
    error = "" if info.reason == _MISSING else info.reason.lower()
    return Challenge(error, tuple(info.metadata.get("scope", "").split()), info.metadata.get("resource_metadata", ""))


def status_details(code: grpc.StatusCode, message: str, *details: Message) -> Metadata:
    """Trailing metadata with ``details``, protobuf messages, for an RPC that fails with ``code`` (SPEC.md §11.1)."""
    status = status_pb2.Status(code=code.value[0], message=message)
    for detail in details:
        status.details.add().Pack(detail)
    return ((_STATUS_DETAILS, status.SerializeToString()),)
