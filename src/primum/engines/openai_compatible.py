"""Any server that speaks the OpenAI chat-completions protocol (vLLM, SGLang, llama.cpp, Ollama, hosted APIs).

``openai:MODEL@BASE_URL?concurrency=32&rpm=600&tpm=90000&timeout=120&key_env=OPENAI_API_KEY&price_in=0.15&price_out=0.6``
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn
from urllib.parse import urlsplit

import orjson
from pydantic import SecretStr

from primum.config import Settings
from primum.engines.http_transports import BrokenTransport, Reply, Transport, open_transport
from primum.engines.loopback import is_loopback, require_reachable
from primum.engines.opening import parse_rest, positive_float, positive_int
from primum.engines.rate import RateBudget
from primum.errors import EngineAuthError, EngineError, EngineRequestError, EngineResponseError, EngineTransientError, UsageError
from primum.retry import RetryPolicy, TransientFault, with_retries
from primum.schema.provenance import EngineIdentity
from primum.schema.response import Fault, FinishReason, Request, Response, Usage

_RETRIED = frozenset({408, 409, 429})
_FINISH: dict[str, FinishReason] = {"length": "length", "content_filter": "content_filter"}
_UNREACHED_GRACE_S = 3.0


@dataclass(frozen=True, slots=True)
class ServerSpec:
    """How to reach one server.

    Attributes:
        model: The model's name on the server.
        base_url: Ends before ``/chat/completions``.
        key: Bearer token; None sends none.
        concurrency: Requests in flight.
        rpm: Requests per minute, or None.
        tpm: Tokens per minute, or None.
        timeout_s: Seconds for one whole request.
        price_in: US dollars per million prompt tokens, or None.
        price_out: US dollars per million completion tokens, or None.
        policy: Retries for transient faults.
    """

    model: str
    base_url: str
    key: SecretStr | None = None
    concurrency: int = 32
    rpm: int | None = None
    tpm: int | None = None
    timeout_s: float = 120.0
    price_in: float | None = None
    price_out: float | None = None
    policy: RetryPolicy = RetryPolicy()


class OpenAICompatibleEngine:
    """Bounded concurrency over keep-alive connections; one response per request, in the order they finish."""

    def __init__(self, server: ServerSpec) -> None:
        self._server = server
        self._budget = RateBudget(rpm=server.rpm, tpm=server.tpm)
        self._rng = random.Random(0)
        self._transport: Transport | None = None
        self._reached = False
        self._first_failure = 0.0
        host = urlsplit(server.base_url).hostname or ""
        self.identity = EngineIdentity(
            uri=f"openai:{server.model}@{server.base_url}", model=server.model, backend="openai-compatible", remote=not is_loopback(host)
        )

    async def generate(self, requests: Iterable[Request]) -> AsyncIterator[Response]:
        """Yield responses as they finish.

        Raises:
            EngineAuthError: The server refused the key.
            EngineRequestError: The server refused the very first requests (no such model, malformed request).
            EngineTransientError: The server cannot be reached at all.
        """
        self._open()
        source = iter(requests)
        done: asyncio.Queue[Response | EngineError | None] = asyncio.Queue(maxsize=2 * self._server.concurrency)
        workers = [asyncio.create_task(self._work(source, done)) for _ in range(self._server.concurrency)]
        running = len(workers)
        try:
            while running:
                outcome = await done.get()
                if outcome is None:
                    running -= 1
                elif isinstance(outcome, EngineError):
                    raise outcome
                else:
                    yield outcome
        finally:
            for worker in workers:
                worker.cancel()
            # A fault of the request iterator itself (a bad row in the user's file) must surface, not vanish with its worker.
            for result in await asyncio.gather(*workers, return_exceptions=True):
                if isinstance(result, Exception):
                    raise result

    async def close(self) -> None:
        """Close the connections."""
        if self._transport is not None:
            await self._transport.close()
            self._transport = None

    def _open(self) -> None:
        if self._transport is None:
            server = self._server
            self._transport = open_transport(
                server.base_url.rstrip("/") + "/chat/completions",
                token=server.key.get_secret_value() if server.key is not None else None,
                connections=server.concurrency,
                timeout_s=server.timeout_s,
            )

    async def _work(self, source: Iterator[Request], done: asyncio.Queue[Response | EngineError | None]) -> None:
        try:
            for request in source:
                await done.put(await self._answer(request))
                # Let the answer be journalled before the next request leaves: what is journalled is never asked again.
                await asyncio.sleep(0)
        except (EngineAuthError, EngineRequestError, EngineTransientError) as error:
            await done.put(error)
        finally:
            # put_nowait would fail on a full queue; a cancelled worker has no reader left and must not block.
            if not asyncio.current_task().cancelling():  # type: ignore[union-attr]
                await done.put(None)

    async def _answer(self, request: Request) -> Response:
        body = _body(request, self._server.model)
        started = time.perf_counter()
        try:
            payload = await with_retries(lambda: self._post(body, request.sampling.max_tokens), self._server.policy, self._rng)
            return _parse(payload, request, self._server, started=started)
        except EngineTransientError as error:
            if not self._reached:
                raise
            return _failed(request, "transient", error.message)
        except EngineResponseError as error:
            return _failed(request, "response", error.message)
        except EngineRequestError as error:
            if not self._reached:
                raise
            return _failed(request, "request", error.message)

    async def _post(self, body: bytes, max_tokens: int) -> bytes:
        await self._budget.acquire(body_bytes=len(body), max_tokens=max_tokens)
        assert self._transport is not None  # noqa: S101 - set by generate before any worker starts
        try:
            reply = await self._transport.post(body)
        except BrokenTransport as error:
            self._give_up_if_never_reached(error.reason)
            raise TransientFault(error.reason) from error
        if reply.status == 200:
            self._reached = True
            return reply.body
        self._refuse(reply)

    def _give_up_if_never_reached(self, reason: str) -> None:
        """Do not spend a whole retry budget per item on a server that was never there."""
        if self._reached:
            return
        now = time.monotonic()
        self._first_failure = self._first_failure or now
        if now - self._first_failure >= _UNREACHED_GRACE_S:
            raise EngineTransientError(f"no answer from {self._server.base_url}: {reason}", remedy="is the server running, and the URL right?")

    def _refuse(self, reply: Reply) -> NoReturn:
        status, address = reply.status, self._server.base_url
        if status in _RETRIED or status >= 500:
            if status == 429:
                # A server that throttles is reached: its patience, not its address, is what we lack.
                self._reached = True
            wait = retry_after_seconds(reply.retry_after)
            if wait is not None:
                self._budget.pause(min(wait, self._server.policy.cap_s))
            raise TransientFault(f"HTTP {status}", retry_after=wait)
        if status in (401, 403):
            raise EngineAuthError(f"{address} refused the key (HTTP {status})", remedy="set the environment variable named by key_env to a valid key")
        if 300 <= status < 400:
            # Following would take the key to an address that nobody named.
            raise EngineRequestError(f"{address} answered with a redirect (HTTP {status})", remedy="give the address that it redirects to")
        raise EngineRequestError(
            f"{address} refused the request (HTTP {status})", remedy=f"does the server have a model named {self._server.model!r}?"
        )


def _body(request: Request, model: str) -> bytes:
    sampling = request.sampling
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
    }
    if sampling.temperature > 0:
        body["top_p"] = sampling.top_p
        body["seed"] = sampling.seed
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    return orjson.dumps(body)


def _parse(payload: bytes, request: Request, server: ServerSpec, *, started: float) -> Response:
    """Read a chat completion.

    Raises:
        EngineResponseError: The body is not JSON or lacks the answer; its text is never quoted.
    """
    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise EngineResponseError(f"body of {len(payload)} bytes is not JSON") from error
    try:
        choice = document["choices"][0]
        text = choice["message"].get("content") or ""
        spent = document.get("usage") or {}
        usage = _usage(int(spent.get("prompt_tokens") or 0), int(spent.get("completion_tokens") or 0), server)
        finish = _FINISH.get(choice.get("finish_reason") or "", "stop")
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise EngineResponseError(f"body of {len(payload)} bytes has no choices[0].message") from error
    if not isinstance(text, str):
        raise EngineResponseError("choices[0].message.content is not text")
    return Response(key=request.key, text=text, finish=finish, usage=usage, latency_s=time.perf_counter() - started)


def _usage(prompt_tokens: int, completion_tokens: int, server: ServerSpec) -> Usage:
    cost = None
    if server.price_in is not None or server.price_out is not None:
        cost = (prompt_tokens * (server.price_in or 0) + completion_tokens * (server.price_out or 0)) / 1e6
    return Usage(prompt_tokens=prompt_tokens, completion_tokens=completion_tokens, cost_usd=cost)


def _failed(request: Request, kind: Any, message: str) -> Response:
    return Response(key=request.key, finish="error", fault=Fault(kind=kind, message=message))


def retry_after_seconds(value: str | None) -> float | None:
    """Seconds named by a Retry-After header: a number or an HTTP date (RFC 9110, 10.2.3); None when absent or unreadable."""
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


_OPTIONS: dict[str, Callable[[str], Any]] = {
    "concurrency": positive_int,
    "rpm": positive_int,
    "tpm": positive_int,
    "timeout": positive_float,
    "retries": positive_int,
    "key_env": str,
    "price_in": float,
    "price_out": float,
}


def _open(rest: str, *, scheme: str, default_url: str) -> OpenAICompatibleEngine:
    target, options = parse_rest(rest, scheme=scheme, known=_OPTIONS)
    model, _, base_url = target.rpartition("@") if "@" in target else (target, "", default_url)
    parts = urlsplit(base_url)
    if not model or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(f"model URI {scheme!r}: needs MODEL@BASE_URL, such as {scheme}:my-model@http://127.0.0.1:8000/v1")
    if parts.username or parts.password:
        raise UsageError(
            f"model URI {scheme!r}: a key in the URL would be stored with the run",
            remedy="put the key into an environment variable and name it with key_env",
        )
    require_reachable(parts.hostname, offline=Settings.from_environment().offline)
    key = os.environ.get(options.get("key_env", "OPENAI_API_KEY"))
    if "key_env" in options and not key:
        raise UsageError(f"environment variable {options['key_env']} is empty", remedy="set it to the server's key")
    default = RetryPolicy()
    return OpenAICompatibleEngine(
        ServerSpec(
            model=model,
            base_url=base_url,
            key=SecretStr(key) if key else None,
            concurrency=options.get("concurrency", 32),
            rpm=options.get("rpm"),
            tpm=options.get("tpm"),
            timeout_s=options.get("timeout", 120.0),
            price_in=options.get("price_in"),
            price_out=options.get("price_out"),
            policy=RetryPolicy(attempts=options.get("retries", default.attempts), base_s=default.base_s, cap_s=default.cap_s),
        )
    )


def open_openai(rest: str) -> OpenAICompatibleEngine:
    """Open ``openai:MODEL[@BASE_URL]``; without a URL, the public API of that name (never in offline mode)."""
    return _open(rest, scheme="openai", default_url=os.environ.get("OPENAI_BASE_URL", "https://api.openai.com/v1"))


def open_vllm(rest: str) -> OpenAICompatibleEngine:
    """Open ``vllm:MODEL[@BASE_URL]``; without a URL, a vLLM server on this machine."""
    return _open(rest, scheme="vllm", default_url="http://127.0.0.1:8000/v1")
