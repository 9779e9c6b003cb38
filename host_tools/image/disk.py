"""Disk images out of folders, without mounting anything."""

import os
from pathlib import Path

from host_tools.image import command


def ext4(image: Path, size_mb: int, label: str, folder: Path | None = None) -> None:
    """Write a sparse image of an ext4 file system, empty or with what is in `folder`. Raises `ImageError`."""
    with image.open("wb") as file:
        os.ftruncate(file.fileno(), size_mb * 1024 * 1024)
    words: list[str | Path] = ["mkfs.ext4", "-q", "-F", "-L", label]
    if folder is not None:
        words += ["-d", folder]
    command.run([*words, image], 300)
