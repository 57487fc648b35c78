"""Answers kept across runs, for engines whose weights are pinned by a hash."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import orjson

from primum.errors import EnvironmentFault
from primum.hashing import sha256_of
from primum.schema.provenance import EngineIdentity
from primum.schema.response import Request, Response

_WRITE_EVERY_S = 2.0


def cache_key(identity: EngineIdentity, request: Request) -> str:
    """SHA-256 over what decides an answer: the engine's weights and settings, the messages, the sampling, the choices."""
    return sha256_of(
        {
            "engine": [identity.backend, identity.model, identity.fingerprint, dict(identity.details)],
            "messages": [[message.role, message.content] for message in request.messages],
            "sampling": request.sampling.model_dump(),
            "choices": request.choices,
        }
    )


class ResponseCache:
    """SQLite file of answers.

    Args:
        path: Created when missing; several processes may use it at once.
        identity: The engine whose answers are kept.
    """

    def __init__(self, path: Path, identity: EngineIdentity) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # The pipeline may be driven from a worker thread while the loop runs elsewhere; access is never concurrent.
            self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.execute("CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer BLOB NOT NULL) WITHOUT ROWID")
        except (OSError, sqlite3.Error) as error:
            raise EnvironmentFault(f"{path}: the response cache cannot be opened", remedy="delete the file, or run with --cache off") from error
        self._identity = identity
        self._waiting: dict[str, bytes] = {}
        self._last_write = time.monotonic()

    def get(self, request: Request) -> Response | None:
        """The kept answer to ``request``, or None."""
        key = cache_key(self._identity, request)
        kept = self._waiting.get(key)
        if kept is None:
            row = self._connection.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
            if row is None:
                return None
            kept = row[0]
        return Response.model_validate({**orjson.loads(kept), "key": request.key, "cached": True, "latency_s": 0.0})

    def put(self, request: Request, response: Response) -> None:
        """Keep an answer; faults are never kept."""
        if response.fault is not None or response.cached:
            return
        self._waiting[cache_key(self._identity, request)] = orjson.dumps(response.model_dump(exclude={"key", "cached"}))
        if time.monotonic() - self._last_write > _WRITE_EVERY_S:
            self._write()

    def _write(self) -> None:
        """Write what waits, in one short transaction: a lock held between two answers of a slow model would stop every other process.

        What cannot be written now waits on: the answers themselves are safe in their run's journal.
        """
        self._last_write = time.monotonic()
        if not self._waiting:
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?)", list(self._waiting.items()))
            self._connection.execute("COMMIT")
        except sqlite3.OperationalError:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            return
        self._waiting.clear()

    def close(self) -> None:
        """Write what waits, and close."""
        self._write()
        self._connection.close()
