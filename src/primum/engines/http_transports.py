"""How a request travels: aiohttp to any server, a lean keep-alive connection to a server on this machine.

A local inference server answers short questions faster than a general client can ask them: there the client is the bottleneck, and plain HTTP
without proxies, TLS, cookies or redirects is all that is needed. httptools parses the replies (docs/decisions/0003).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol
from urllib.parse import urlsplit

import httptools

from primum.engines.loopback import is_loopback

if TYPE_CHECKING:
    import aiohttp

_JSON: Final = "application/json"


class Reply(NamedTuple):
    """A whole reply.

    Attributes:
        status: HTTP status code.
        body: The body's bytes.
        retry_after: The Retry-After header, or None.
    """

    status: int
    body: bytes
    retry_after: str | None = None


class BrokenTransport(Exception):
    """No whole reply came: no connection, a broken one, or none in time. The reason is safe to show (a class name)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Transport(Protocol):
    """Carries bodies to one URL."""

    async def post(self, body: bytes) -> Reply:
        """Send ``body`` and wait for the whole reply; redirects are not followed.

        Raises:
            BrokenTransport: No whole reply came.
        """
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


def open_transport(url: str, *, token: str | None, connections: int, timeout_s: float) -> Transport:
    """The lean transport for plain HTTP on this machine, aiohttp for everything else."""
    parts = urlsplit(url)
    if parts.scheme == "http" and is_loopback(parts.hostname or ""):
        return LoopbackTransport(url, token=token, timeout_s=timeout_s)
    return AiohttpTransport(url, token=token, connections=connections, timeout_s=timeout_s)


class AiohttpTransport:
    """One aiohttp session: TLS, proxies from the environment, IPv4 and IPv6."""

    def __init__(self, url: str, *, token: str | None, connections: int, timeout_s: float) -> None:
        self._url, self._token, self._connections, self._timeout_s = url, token, connections, timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def post(self, body: bytes) -> Reply:
        """See :class:`Transport`."""
        import aiohttp

        session = self._session = self._session or self._open()
        try:
            async with session.post(self._url, data=body, allow_redirects=False) as reply:
                return Reply(reply.status, await reply.read(), reply.headers.get("Retry-After"))
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError) as error:
            raise BrokenTransport(type(error).__name__) from error

    def _open(self) -> aiohttp.ClientSession:
        import aiohttp

        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections),
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            headers={"Content-Type": _JSON, **({"Authorization": f"Bearer {self._token}"} if self._token else {})},
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=not is_loopback(urlsplit(self._url).hostname or ""),  # a loopback server must never go through the user's proxy
        )

    async def close(self) -> None:
        """See :class:`Transport`."""
        if self._session is not None:
            await self._session.close()
            self._session = None


class LoopbackTransport:
    """Keep-alive connections to a plain-HTTP server on this machine; as many as there are posts at once."""

    def __init__(self, url: str, *, token: str | None, timeout_s: float) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._timeout_s = parts.hostname or "localhost", parts.port or 80, timeout_s
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"POST {target} HTTP/1.1", f"Host: {parts.netloc}", f"Content-Type: {_JSON}", "Accept-Encoding: identity"]
        if token:
            lines.append(f"Authorization: Bearer {token}")
        self._head = ("\r\n".join(lines) + "\r\nContent-Length: ").encode("latin-1")
        self._idle: list[_Connection] = []

    async def post(self, body: bytes) -> Reply:
        """See :class:`Transport`."""
        connection: _Connection | None = None
        try:
            async with asyncio.timeout(self._timeout_s):
                connection = self._take_idle() or await self._connect()
                reply = await connection.ask(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))
        except BaseException as error:
            # Half a reply may be on its way: a connection that failed, timed out or was cancelled is never used again.
            if connection is not None:
                connection.close()
            if isinstance(error, OSError | TimeoutError):
                raise BrokenTransport(type(error).__name__) from error
            raise
        if connection.reusable:
            self._idle.append(connection)
        else:
            connection.close()
        return reply

    def _take_idle(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable:
                return connection
        return None

    async def _connect(self) -> _Connection:
        _, connection = await asyncio.get_running_loop().create_connection(_Connection, self._host, self._port)
        return connection

    async def close(self) -> None:
        """See :class:`Transport`."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()


class _Connection(asyncio.Protocol):
    """One connection with at most one request under way."""

    def __init__(self) -> None:
        self.reusable = True
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[Reply] | None = None
        self._body: list[bytes] = []
        self._retry_after: str | None = None
        self._sized = False

    def ask(self, payload: bytes) -> asyncio.Future[Reply]:
        """Send one request; the future holds its reply."""
        assert self._transport is not None  # noqa: S101 - set before create_connection returns
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(payload)
        return self._answer

    def close(self) -> None:
        """Drop the connection."""
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    # asyncio.Protocol
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._fail(BrokenTransport("HttpParserError"))

    def connection_lost(self, exc: Exception | None) -> None:
        self.reusable = False
        if exc is None and self._awaited() and self._body and not self._sized:
            self._complete()  # a body without a length ends where the connection ends (RFC 9112, 6.3)
        self._fail(BrokenTransport(type(exc).__name__ if exc is not None else "ServerDisconnected"))

    # httptools
    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in (b"content-length", b"transfer-encoding"):
            self._sized = True
        elif name == b"retry-after":
            self._retry_after = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        self.reusable = self.reusable and self._awaited() and self._parser.should_keep_alive()
        self._complete()

    def _awaited(self) -> bool:
        return self._answer is not None and not self._answer.done()

    def _complete(self) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Reply(self._parser.get_status_code(), b"".join(self._body), self._retry_after))
        self._body, self._retry_after, self._sized = [], None, False

    def _fail(self, error: BrokenTransport) -> None:
        self.reusable = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
