"""The project as it stands, as a small disk that a guest mounts at /opt/doorward. Made for each run."""

import compileall
import shutil
from pathlib import Path

from emulator import PROJECT_MB

from host_tools.image import disk, system

ROOT = Path(__file__).parents[3]

#: What a run of the project in the guest needs of the repository.
PROJECT = ("firmware", "hal", "host_tools", "board_configs", "docs", "tests/contract", "tests/hil")
_FILES = ("pyproject.toml", "tests/conftest.py")


def write(image: Path) -> None:
    """Write the project as it stands here to a disk that is mounted at /opt/doorward."""
    stage = image.parent / "project"
    shutil.rmtree(stage, ignore_errors=True)
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in PROJECT:
        shutil.copytree(ROOT / name, stage / name, ignore=ignore)
    for name in _FILES:
        shutil.copy2(ROOT / name, stage / name)
    (stage / ".venv").symlink_to("/opt/venv")
    compileall.compile_dir(stage, quiet=1, stripdir=str(stage), prependdir="/opt/doorward")
    system.let_all_read(stage)
    disk.ext4(image, PROJECT_MB, "project", stage)
    shutil.rmtree(stage)
