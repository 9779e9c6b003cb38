"""`firmware.services.secrets`: one key, made once, mended with one clear line."""

import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.services import secrets
from firmware.services.secrets import controller_key, visitor_key


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that anybody may enter."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o777)
        yield path


def test_the_key_is_made_once_and_only_its_owner_may_read_it(folder: Path) -> None:
    key, problems = controller_key(folder)
    assert len(key) == 32
    assert problems == []
    assert controller_key(str(folder)) == (key, [])
    assert (folder / "controller.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir()] == ["controller.key"]


def test_two_controllers_have_two_keys(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    assert controller_key(folder / "a")[0] != controller_key(folder / "b")[0]


def test_a_key_that_a_power_cut_left_half_written_is_not_in_the_way(folder: Path) -> None:
    (folder / "controller.key.new").write_bytes(b"half")
    key, problems = controller_key(folder)
    assert problems == []
    assert (folder / "controller.key").read_bytes() == key


@pytest.mark.parametrize("content", [b"", b"short", bytes(33)])
def test_a_file_that_is_no_key_is_set_aside(folder: Path, content: bytes) -> None:
    (folder / "controller.key").write_bytes(content)
    key, problems = controller_key(folder)
    assert problems == [
        f"controller.key: has {len(content)} bytes; expected 32; set aside as"
        " controller-bad-1.key; PINs and codes must be given again"
    ]
    assert (folder / "controller-bad-1.key").read_bytes() == content
    assert controller_key(folder) == (key, [])


def test_a_key_that_vanished_is_told_and_that_of_a_first_boot_is_not(folder: Path) -> None:
    assert controller_key(folder)[1] == []
    (folder / "controller.key").unlink()
    (folder / "journal.name").write_bytes(b"5f3a9c01\n")  # it has been at work since
    lost = "controller.key: is missing; PINs and codes must be given again"
    assert controller_key(folder)[1] == [lost]
    assert controller_key(folder)[1] == []


def test_a_second_bad_key_does_not_replace_the_first(folder: Path) -> None:
    for content in (b"one", b"two"):
        (folder / "controller.key").write_bytes(content)
        controller_key(folder)
    assert (folder / "controller-bad-1.key").read_bytes() == b"one"
    assert (folder / "controller-bad-2.key").read_bytes() == b"two"


def test_a_folder_in_the_place_of_the_key_is_set_aside_too(folder: Path) -> None:
    (folder / "controller.key").mkdir()
    key, problems = controller_key(folder)
    assert len(key) == 32
    assert problems[0].startswith("controller.key: cannot be read (Is a directory); set aside as")
    assert controller_key(folder) == (key, [])


def test_without_a_folder_to_write_to_there_is_a_key_until_the_restart() -> None:
    key, problems = controller_key("/proc/doorward")
    assert len(key) == 32
    assert problems == [
        "controller.key: cannot be written (No such file or directory);"
        " PINs and codes are known until the restart"
    ]
    assert key != controller_key("/proc/doorward")[0]


def test_no_problem_carries_the_key(folder: Path) -> None:
    content = os.urandom(31)
    (folder / "controller.key").write_bytes(content)
    _, problems = controller_key(folder)
    assert content.hex() not in " ".join(problems)


def test_the_visitor_key_is_another_one_in_a_file_of_its_own(folder: Path) -> None:
    key, problems = visitor_key(folder)
    assert problems == []
    assert len(key) == 32
    assert key != controller_key(folder)[0]
    assert visitor_key(folder) == (key, [])
    assert (folder / "visitor.key").stat().st_mode & 0o777 == 0o600


def test_a_visitor_key_that_is_none_is_set_aside_and_told(folder: Path) -> None:
    (folder / "visitor.key").write_bytes(b"short")
    key, problems = visitor_key(folder)
    assert len(key) == 32
    assert problems == [
        "visitor.key: has 5 bytes; expected 32; set aside as visitor-bad-1.key;"
        " visitors' codes must be given again"
    ]


def test_what_the_disk_takes_in_pieces_is_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: take(fd, data[:7]))
    secrets.write(folder / "steps", bytes(range(200)))
    assert (folder / "steps").read_bytes() == bytes(range(200))


def test_a_disk_that_fills_up_in_the_middle_leaves_what_was_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets.write(folder / "steps", b"before")
    take, room = os.write, [7]

    def write(fd: int, data: bytes) -> int:
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return take(fd, data[: room.pop()])

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(OSError, match="No space"):
        secrets.write(folder / "steps", bytes(200))
    assert (folder / "steps").read_bytes() == b"before"
