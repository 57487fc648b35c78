"""``kill -9``, Ctrl-C and a second process, on the real command in a real process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.loopback_server import LoopbackServer, completion, serve

ITEMS = 80


def command(server: LoopbackServer, out: Path, *, concurrency: int = 4) -> list[str]:
    uri = f"openai:m@{server.url}?concurrency={concurrency}"
    return [
        sys.executable,
        "-m",
        "primum.cli.main",
        "eval",
        "primum-requests",
        "-l",
        "en",
        "-m",
        uri,
        "--limit",
        str(ITEMS),
        "--out",
        str(out),
        "--json",
    ]


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "PRIMUM_HOME": str(home), "PYTHONWARNINGS": "error::RuntimeWarning"}


def wait_for(server: LoopbackServer, count: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while len(server.bodies) < count:
        assert process.poll() is None, process.stderr.read().decode() if process.stderr else ""
        assert time.monotonic() < deadline
        time.sleep(0.002)


def asked(server: LoopbackServer) -> Counter[str]:
    return Counter(body["messages"][-1]["content"] for body in server.bodies)


def answer(body: dict[str, Any], number: int) -> bytes:
    """The same question always gets the same answer; every third one is refused."""
    text = body["messages"][-1]["content"]
    return completion("I can't help with that." if len(text) % 3 == 0 else "Here is how: first, do it.")


def finish(arguments: list[str], home: Path) -> dict[str, Any]:
    done = subprocess.run(arguments, env=environment(home), capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kill_after", [1, 25, 70])
def test_kill_9_then_the_same_command(tmp_path: Path, kill_after: int) -> None:
    with serve(answer) as calm:
        whole = finish(command(calm, tmp_path / "whole"), tmp_path)
    with serve(answer, delay_s=0.02) as server:
        out = tmp_path / "killed"
        process = subprocess.Popen(command(server, out), env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_for(server, kill_after, process)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        journalled = (out / "journal.jsonl").read_bytes().count(b"\n") if (out / "journal.jsonl").exists() else 0
        before = len(server.bodies)
        resumed = finish(command(server, out), tmp_path)
        counts = asked(server)
    # What had been journalled is not asked again; what was in flight when the process died had no answer, and is.
    assert len(server.bodies) - before == ITEMS - journalled
    assert len(counts) == ITEMS
    assert max(counts.values()) <= 2
    assert sum(counts.values()) <= ITEMS + 4
    for part in ("estimates", "prompts_sha256", "items", "samples", "choice"):
        assert resumed[part] == whole[part]


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_answered_and_says_so(tmp_path: Path) -> None:
    with serve(answer, delay_s=0.02) as server:
        out = tmp_path / "run"
        process = subprocess.Popen(command(server, out), env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_for(server, 20, process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 130
        assert b"resume" in errors
        assert b"Traceback" not in errors
        assert (out / "journal.jsonl").read_bytes().count(b"\n") >= 10
        assert finish(command(server, out), tmp_path)["samples"] == ITEMS


@pytest.mark.slow
def test_a_second_process_on_the_same_run_is_refused(tmp_path: Path) -> None:
    with serve(answer, delay_s=0.1) as server:
        out = tmp_path / "run"
        first = subprocess.Popen(command(server, out), env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_for(server, 5, first)
        second = subprocess.run(command(server, out), env=environment(tmp_path), capture_output=True, timeout=60, check=False)
        assert second.returncode == 3
        assert b"another process" in second.stderr
        _, errors = first.communicate(timeout=120)
        assert first.returncode == 0, errors.decode()


@pytest.mark.slow
def test_a_full_disk_stops_the_run_and_the_same_command_finishes_it(tmp_path: Path) -> None:
    """A file-size limit stands for the full disk: the kernel refuses the write at some byte inside a line."""
    limit = "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000));"
    start = f"{limit} from primum.cli.main import main; main()"
    with serve(answer) as server:
        arguments = command(server, tmp_path / "run")
        full = subprocess.run([sys.executable, "-c", start, *arguments[3:]], env=environment(tmp_path), capture_output=True, timeout=60, check=False)
        assert full.returncode == 3, full.stderr.decode()
        assert b"free some space" in full.stderr
        assert b"Traceback" not in full.stderr
        before = len(server.bodies)
        assert before < ITEMS
        assert finish(arguments, tmp_path)["samples"] == ITEMS
        assert len(server.bodies) <= ITEMS + 5
