"""The portable code and its unit tests, on MicroPython."""

import ast
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.prefix) / "bin"


def _portable_tests() -> list[Path]:
    files = sorted((ROOT / "tests/unit").glob("test_*.py"))
    files += sorted((ROOT / "tests/contract").glob("test_*.py"))
    return [file for file in files if file.read_text().startswith("# portable\n")]


def _portable_code() -> list[Path]:
    files = [ROOT / "hal/ports.py", ROOT / "hal/errors.py", ROOT / "hal/__init__.py"]
    files += [ROOT / "hal/opening.py", ROOT / "hal/backends/machine_pins.py"]
    for folder in ("firmware/access", "firmware/wire", "firmware/runtime", "hal/drivers"):
        files += sorted((ROOT / folder).glob("**/*.py"))
    return files


def _program(name: str) -> str:
    """The interpreter or compiler. Where it could be installed its absence is a failure."""
    program = BIN / name
    if program.exists():
        return str(program)
    if sys.platform == "linux" and platform.machine() == "x86_64":
        pytest.fail(f"{program} is missing; expected make setup to have installed it")
    pytest.skip(f"NOT RUN ON MICROPYTHON: {name} is built for x86-64 Linux only")


def _names(files: list[Path]) -> list[str]:
    return [str(file.relative_to(ROOT)) for file in files]


@pytest.mark.parametrize("name", _names(_portable_tests()))
def test_a_portable_file_passes_every_test_on_micropython(name: str) -> None:
    functions = [
        node.name
        for node in ast.parse((ROOT / name).read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    run = subprocess.run(
        [_program("micropython"), "-X", "heapsize=32m", "tests/run_portable.py", name],
        cwd=ROOT,
        env={"MICROPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    said = run.stdout + run.stderr
    totals = re.findall(r"^(\d+) passed, (\d+) failed$", run.stdout, re.MULTILINE)
    assert totals == [(str(len(functions)), "0")], said
    assert run.returncode == 0, said


def test_there_are_portable_tests_to_run() -> None:
    assert _portable_tests()


def test_every_portable_file_compiles_for_micropython(tmp_path: Path) -> None:
    compiler = _program("mpy-cross")
    for file in _portable_code():
        run = subprocess.run(
            [compiler, "-o", str(tmp_path / "out.mpy"), str(file)], capture_output=True, text=True
        )
        assert run.returncode == 0, f"{file.relative_to(ROOT)}: {run.stderr}"


def test_the_portable_runner_reports_a_failing_test_and_a_broken_file(tmp_path: Path) -> None:
    failing = tmp_path / "test_failing.py"
    failing.write_text(
        "def test_a() -> None:\n    pass\n\ndef test_b() -> None:\n    assert 1 == 2\n"
    )
    broken = tmp_path / "test_broken.py"
    broken.write_text("import no_such_module\n")
    for interpreter in (sys.executable, _program("micropython")):
        run = subprocess.run(
            [interpreter, "tests/run_portable.py", str(failing), str(broken)],
            cwd=ROOT,
            env={"MICROPYPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert run.stdout.splitlines()[-1] == "1 passed, 2 failed", run.stdout
        assert run.returncode == 1
