# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0

"""Users of processes that connect through a Unix socket."""

from __future__ import annotations

import os
import re

from mcp_grpc.auth.call import Call
from mcp_grpc.auth.error import InvalidCredentialError
from mcp_grpc.auth.peer_socket import uid_of_peer
from mcp_grpc.auth.principal import UNIX_PEER, Grant, Grants, Principal, lookup

_OVERFLOW_UID = 65534
"""What the kernel shows for users of another namespace that have no id in this one: it may be anybody."""


class UnixPeers:
    """The authenticator for processes that connect through a :class:`PeerSocket`.

    They are known by their user id as "uid:1000": process ids are used again, and a name may be another
    user's in another container. Callers through another Unix socket are refused: gRPC does not show who
    they are.

    Args:
        grants: What the user may do. If None, only the user that runs this process may call.

    Raises:
        ValueError: a name among the grants is not of that form.
    """

    scheme = ""  # a header cannot ask for it

    def __init__(self, grants: Grants | None = None) -> None:
        if grants is None:
            grants = {f"uid:{os.getuid()}": Grant()}
        if not callable(grants) and (wrong := [n for n in grants if re.fullmatch(r"uid:\d+", n) is None]):
            raise ValueError(f"unix peers: {wrong} are no users: write them like uid:1000")
        self._grants = grants

    async def authenticate(self, call: Call) -> Principal | None:
        """See :class:`Authenticator`."""
        kind, _, path = call.peer.partition(":")
        if kind != "unix":
            return None
        uid = uid_of_peer(path)
        if uid is None:
            raise InvalidCredentialError("the peer of the Unix socket is not known: serve it by a PeerSocket")
        if uid == _OVERFLOW_UID:
            raise InvalidCredentialError("the peer of the Unix socket is a user of another namespace")
        name = f"uid:{uid}"
        grant = lookup(self._grants, name)
        if grant is None:
            raise InvalidCredentialError(f"nobody is known as {name}")
        return Principal(grant.subject or name, UNIX_PEER, tenant=grant.tenant, scopes=grant.scopes)
