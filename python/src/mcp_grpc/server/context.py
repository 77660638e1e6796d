# Copyright 2026 The mcpconnect Authors
# SPDX-License-Identifier: Apache-2.0
"""One request on its way through the user's server: the SDK's ``DispatchContext`` over any of our streams."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

import anyio
from mcp.shared.dispatcher import CallOptions, Outbound
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.message import MessageMetadata
from mcp.shared.transport_context import TransportContext
from mcp_types import RequestId

from mcp_grpc.server.header import Headers

if TYPE_CHECKING:
    from mcp_grpc.server.session import Session

PROGRESS = "notifications/progress"
MESSAGE = "notifications/message"


class Asker(Protocol):
    """A stream that takes the server's requests to the client."""

    @property
    def can_ask(self) -> bool:
        """Whether the client still reads and answers on it."""
        ...

    async def ask(self, request_id: str, method: str, params: Mapping[str, Any] | None) -> None:
        """Send a request."""
        ...

    async def tell(self, method: str, params: Mapping[str, Any] | None) -> None:
        """Send a notification, and wait while the client reads slowly."""
        ...


Tell = Callable[[str, Mapping[str, Any] | None], Awaitable[None]]

_current: ContextVar[CallContext | None] = ContextVar("mcp_grpc_call", default=None)


def current_call() -> CallContext | None:
    """The call whose handler runs here."""
    return _current.get()


class CallContext:
    """The channel of one request: what its handler says goes where its outcome will go.

    Args:
        headers: The metadata of the RPC.
        request_id: The JSON-RPC id, or one that the server chose; none of a notification.
        params: The params, whose ``_meta`` may have a progress token.
        session: The legacy session.
        tell: Takes its notifications; none where there is no place for them.
        asker: Takes its requests; none if its stream cannot.
    """

    message_metadata: MessageMetadata = None

    def __init__(
        self,
        headers: Headers,
        request_id: RequestId | None,
        params: Mapping[str, Any],
        session: Session | None = None,
        tell: Tell | None = None,
        asker: Asker | None = None,
    ) -> None:
        self._request_id = request_id
        self._session = session
        self._tell = tell
        self._asker = asker
        self._token = params.get("_meta", {}).get("progressToken")
        self._over = False
        self._cancel_requested = anyio.Event()
        self._transport = TransportContext(
            kind="grpc", can_send_request=session is not None, headers=headers.as_mapping()
        )
        self.outbound: Outbound = _CallOutbound(self)

    def enter(self) -> None:
        """Make this the current call of the running task."""
        _current.set(self)

    def end(self) -> None:
        """The call is over: what its handler has left behind says nothing more."""
        self._over = True

    def cancel(self) -> None:
        """The client has cancelled the call: nothing more is sent for it."""
        self._over = True
        self._cancel_requested.set()

    @property
    def transport(self) -> TransportContext:
        """See the SDK."""
        return self._transport

    @property
    def can_send_request(self) -> bool:
        """Whether a request to the client would find a way."""
        return not self._over and self._session is not None and self._session.way_for(self._asker) is not None

    @property
    def request_id(self) -> RequestId | None:
        """The id of the request."""
        return self._request_id

    @property
    def cancel_requested(self) -> anyio.Event:
        """Set when the client cancels."""
        return self._cancel_requested

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        """Say something for this request, where there is a place for it."""
        if self._over or self._tell is None or (method == PROGRESS and self._token is None):
            return
        if self._session is not None and not self._session.wants(method, params):
            return
        await self._tell(method, params)

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        """Ask the client something; legacy sessions only.

        Raises:
            NoBackChannelError: No stream is open that could take it (§6.6).
        """
        if self._over or self._session is None:
            raise NoBackChannelError(method)
        return await self._session.ask(method, params, opts, self._asker)

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Report progress, if the client asked for it."""
        if self._token is None:
            return
        params: dict[str, Any] = {"progressToken": self._token, "progress": progress}
        if total is not None:
            params["total"] = total
        if message is not None:
            params["message"] = message
        await self.notify(PROGRESS, params)


class _CallOutbound:
    """What a modern handler says without naming its request: its progress and logs; the rest is nobody's."""

    def __init__(self, call: CallContext) -> None:
        self._call = call

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        if method in {PROGRESS, MESSAGE}:
            await self._call.notify(method, params)

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        raise NoBackChannelError(method)
