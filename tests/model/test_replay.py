"""The same steps give the same decisions on CPython and MicroPython, byte for byte."""

import hashlib
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
import walk

ROOT = Path(__file__).parents[2]
STORY = "tests/model/replay.py"
MICROPYTHON = Path(sys.prefix) / "bin" / "micropython"
WALKS = 40


def _micropython() -> str:
    """The interpreter. Where it could be installed its absence is a failure."""
    if MICROPYTHON.exists():
        return str(MICROPYTHON)
    if sys.platform == "linux" and platform.machine() == "x86_64":
        pytest.fail(f"{MICROPYTHON} is missing; expected make setup to have installed it")
    pytest.skip("NOT RUN ON MICROPYTHON: micropython is built for x86-64 Linux only")


def _begin(path: Path, *interpreter: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [*interpreter, STORY, str(path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "MICROPYPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _end(begun: "subprocess.Popen[bytes]") -> list[str]:
    out, err = begun.communicate(timeout=1200)
    assert begun.returncode == 0, err.decode() or out.decode()[-2000:]
    return out.decode().splitlines()


def _sha256(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_20000_recorded_steps_are_decided_alike_on_micropython_byte_for_byte(
    tmp_path: Path,
) -> None:
    path = tmp_path / "steps.jsonl"
    steps: list[walk.Step] = []
    for seed in range(WALKS):
        steps += [[], *walk.record(1000 + seed)]
    path.write_text("".join(json.dumps(step) + "\n" for step in steps))
    done = [step for step in steps if step]
    assert len(done) >= 20_000
    begun = [_begin(path, _micropython(), "-X", "heapsize=64m"), _begin(path, sys.executable)]
    micropython, cpython = [_end(one) for one in begun]
    assert len(cpython) == len(done)
    for step, here, there in zip(done, cpython, micropython):
        assert here == there, f"{step}\nCPython:     {here}\nMicroPython: {there}"
    assert _sha256(micropython) == _sha256(cpython)
    granted = sum("access.granted" in line for line in cpython)
    assert granted > 500, "too few of the steps decide anything"
