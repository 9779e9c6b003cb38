"""`doorward`, `doorctl` and `door-sim` as a person types them: from any folder, whatever lies in it."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from conftest import ROOT

COMMANDS = {
    "doorward": ["--board", "no.toml", "--check"],
    "door-sim": ["serve", "--board", "no.toml"],
    "doorctl": ["board", "show", "no.toml"],
}

#: Modules of the drivers, and of Python itself: whoever imports one from the current folder leaves a file.
STRANGERS = ("gpiod", "serial", "json", "sitecustomize")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of which `make setup` has only the commands to make, and this one's own packages."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("firmware", "hal", "sim", "host_tools", "board_configs"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "Makefile", folder)
    venv = folder / ".venv"
    run([sys.executable, "-m", "venv", "--without-pip", "--symlinks", str(venv)], folder)
    paths = {"base": str(venv), "platbase": str(venv)}
    site = Path(sysconfig.get_path("purelib", vars=paths))
    (site / "theirs.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    (venv / "stamp-venv").touch()
    made = run(["make", ".venv/stamp-commands"], folder)
    assert made.returncode == 0, made.stderr
    return folder


def run(words: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    # As a shell has it where somebody wrote PYTHONPATH=$PYTHONPATH:... : an empty place is the current one.
    surroundings = {"PATH": "/usr/bin:/bin", "PYTHONPATH": ":/nowhere"}
    return subprocess.run(
        words,
        cwd=folder,
        env=surroundings,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with modules in it that say that they ran."""
    for name in STRANGERS:
        text = f"open({str(tmp_path / 'ran')!r}, 'a').write({name!r})\n"
        (tmp_path / f"{name}.py").write_text(text)
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_a_typed_command_imports_nothing_from_the_current_folder(
    command: str, project: Path, folder: Path
) -> None:
    done = run([str(project / ".venv/bin" / command), *COMMANDS[command]], folder)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "no.toml: " in done.stderr
    assert not (folder / "ran").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_of_the_project_that_it_was_made_for(
    command: str, project: Path, folder: Path
) -> None:
    for name in ("firmware", "sim", "host_tools"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("raise SystemExit('another')\n")
    told = run([str(project / ".venv/bin" / command), "--help"], folder)
    assert (told.returncode, told.stderr) == (0, "")
