"""A chat server that answers exported questions: a letter that depends on the item alone, in the form that the prompt asks for.

usage: python exchange_server.py PORT_FILE EXPORT.jsonl
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LETTERS = "ABCDEFGH"


def letter_of(identifier: str, options: int) -> str:
    """The letter answered to an item."""
    return LETTERS[zlib.crc32(identifier.encode()) % options]


def answers(export: Path) -> dict[str, tuple[str, int]]:
    """Question text to item id and number of options, longest text first."""
    rows = [json.loads(line) for line in export.read_text(encoding="utf-8").splitlines()]
    return {row["input"]: (row["id"], len(row["choices"])) for row in sorted(rows, key=lambda row: -len(row["input"]))}


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    known: dict[str, tuple[str, int]] = {}

    def do_POST(self) -> None:  # noqa: N802 - the base class's name
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        content = body["messages"][-1]["content"] if "messages" in body else ""
        text = content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
        found = next((item for question, item in self.known.items() if question in text), None)
        letter = letter_of(*found) if found else "?"
        reply = f"ANSWER: {letter}" if "ANSWER: $LETTER" in text else letter
        choice = {"index": 0, "message": {"role": "assistant", "content": reply}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        payload = {"id": "x", "object": "chat.completion", "created": 1, "model": "bench", "choices": [choice], "usage": usage}
        raw = json.dumps(payload).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    Handler.known = answers(Path(sys.argv[2]))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    scratch = Path(sys.argv[1]).with_suffix(".tmp")
    scratch.write_text(str(server.server_address[1]))
    os.replace(scratch, sys.argv[1])
    server.serve_forever()
