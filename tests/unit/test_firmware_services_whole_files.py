"""`firmware.services.whole_files`: the old content or the new, never a part of it."""

import errno
import os
from pathlib import Path

import pytest

from firmware.services import whole_files


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_who_may_read_it_is_what_was_asked_for_whatever_the_umask(
    umask: int, tmp_path: Path
) -> None:
    before = os.umask(umask)
    try:
        whole_files.write(tmp_path / "key", b"secret")
        whole_files.write(str(tmp_path / "list"), b"public", mode=0o644)
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"key": 0o600, "list": 0o644}


def test_what_a_cut_left_of_another_try_is_not_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "steps.new").write_bytes(b"half of something long")
    whole_files.write(tmp_path / "steps", b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["steps"]
    assert (tmp_path / "steps").read_bytes() == b"whole"


def test_what_the_disk_takes_in_pieces_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: take(fd, data[:7]))
    whole_files.write(tmp_path / "steps", bytes(range(200)))
    assert (tmp_path / "steps").read_bytes() == bytes(range(200))


def test_a_disk_that_fills_up_in_the_middle_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole_files.write(tmp_path / "steps", b"before")
    take, room = os.write, [7]

    def write(fd: int, data: bytes) -> int:
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return take(fd, data[: room.pop()])

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(OSError, match="No space"):
        whole_files.write(tmp_path / "steps", bytes(200))
    assert (tmp_path / "steps").read_bytes() == b"before"
