"""The lean transport against what servers do to connections."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from primum.engines.http_transports import AiohttpTransport, BrokenTransport, LoopbackTransport, Reply, open_transport

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return head + await reader.readexactly(length)


def converse(talk: Talk, posts: int = 1, *, timeout_s: float = 2.0) -> tuple[list[Reply | BrokenTransport], int]:
    """Post ``posts`` bodies in turn to a server that ``talk`` plays; returns what came and how many connections were made."""

    async def run() -> tuple[list[Reply | BrokenTransport], int]:
        connections = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            try:
                await talk(reader, writer)
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        transport = LoopbackTransport(f"http://127.0.0.1:{port}/v1/x?y=1", token="secret", timeout_s=timeout_s)
        found: list[Reply | BrokenTransport] = []
        for number in range(posts):
            try:
                found.append(await transport.post(b'{"n":%d}' % number))
            except BrokenTransport as error:
                found.append(error)
            await asyncio.sleep(0.01)
        await transport.close()
        server.close()
        return found, connections

    return asyncio.run(run())


def always(payload: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await _read_request(reader)
            writer.write(payload)

    return talk


def once(payload: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _read_request(reader)
        writer.write(payload)
        await writer.drain()

    return talk


def test_the_request_is_well_formed() -> None:
    seen: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await _read_request(reader))
        writer.write(OK)

    found, _ = converse(talk)
    head, _, body = seen[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert found == [Reply(200, b"ok")]
    assert lines[0] == b"POST /v1/x?y=1 HTTP/1.1" and b"Authorization: Bearer secret" in lines and body == b'{"n":0}'


def test_a_connection_is_kept_and_used_again() -> None:
    found, connections = converse(always(OK), posts=5)
    assert found == [Reply(200, b"ok")] * 5 and connections == 1


def test_a_connection_that_the_server_closed_is_replaced() -> None:
    found, connections = converse(once(OK), posts=3)
    assert found == [Reply(200, b"ok")] * 3 and connections == 3


def test_connection_close_is_honoured() -> None:
    found, connections = converse(always(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"), posts=2)
    assert found == [Reply(200, b"ok")] * 2 and connections == 2


def test_chunked_bodies_and_status_and_retry_after() -> None:
    payload = b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    found, connections = converse(always(payload), posts=2)
    assert found == [Reply(429, b"abcde", "7")] * 2 and connections == 1


def test_headers_of_one_reply_do_not_leak_into_the_next() -> None:
    replies = iter([b"HTTP/1.1 503 Busy\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n", OK])

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await _read_request(reader)
            writer.write(next(replies))

    assert converse(talk, posts=2)[0] == [Reply(503, b"", "3"), Reply(200, b"ok")]


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    found, _ = converse(once(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}"))
    assert found == [Reply(200, b"{}")]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "ServerDisconnected"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "ServerDisconnected"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok", "ServerDisconnected"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "HttpParserError"),
    ],
)
def test_what_is_no_whole_reply_is_broken(payload: bytes, reason: str) -> None:
    found, _ = converse(once(payload))
    assert isinstance(found[0], BrokenTransport) and found[0].reason == reason


def test_a_server_that_never_answers_is_left_in_time_and_its_connection_dropped() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _read_request(reader)
        await asyncio.sleep(0.5)

    found, connections = converse(talk, posts=2, timeout_s=0.05)
    assert [error.reason for error in found if isinstance(error, BrokenTransport)] == ["TimeoutError"] * 2 and connections == 2


def test_bytes_that_nobody_asked_for_end_the_connection() -> None:
    found, connections = converse(always(OK + OK), posts=3)
    assert found == [Reply(200, b"ok")] * 3 and connections > 1


def test_no_server_is_broken() -> None:
    async def run() -> None:
        await LoopbackTransport("http://127.0.0.1:9/v1", token=None, timeout_s=2.0).post(b"{}")

    with pytest.raises(BrokenTransport) as caught:
        asyncio.run(run())
    assert caught.value.reason == "ConnectionRefusedError"


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://127.0.0.1:8000/v1", LoopbackTransport),
        ("http://localhost/v1", LoopbackTransport),
        ("http://[::1]:8000/v1", LoopbackTransport),
        ("https://127.0.0.1:8000/v1", AiohttpTransport),
        ("http://10.0.0.7:8000/v1", AiohttpTransport),
    ],
)
def test_only_plain_http_on_this_machine_goes_the_lean_way(url: str, kind: type) -> None:
    assert type(open_transport(url, token=None, connections=1, timeout_s=1.0)) is kind


def test_aiohttp_does_the_same() -> None:
    async def run() -> list[Reply]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await _read_request(reader)
            writer.write(b"HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:9/\r\nRetry-After: 2\r\nContent-Length: 2\r\n\r\nno")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        transport = AiohttpTransport(f"http://127.0.0.1:{port}/v1", token="t", connections=1, timeout_s=2.0)
        found = [await transport.post(b"{}")]
        await transport.close()
        nobody = AiohttpTransport("http://127.0.0.1:9/v1", token=None, connections=1, timeout_s=2.0)
        with pytest.raises(BrokenTransport):
            await nobody.post(b"{}")
        await nobody.close()
        server.close()
        return found

    assert asyncio.run(run()) == [Reply(307, b"no", "2")]
