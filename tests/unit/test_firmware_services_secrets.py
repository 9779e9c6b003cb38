"""`firmware.services.secrets`: one key, made once, mended with one clear line."""

import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware.services import whole_files
from firmware.services.secrets import controller_identity, controller_key, visitor_key
from firmware.trust.identity import Identity


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
    assert _modes(folder) == {"controller.key": 0o600, "controller.good.key": 0o600}
    assert (folder / "controller.key").read_bytes() == key


def _modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


def test_two_controllers_have_two_keys(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    assert controller_key(folder / "a")[0] != controller_key(folder / "b")[0]


def test_a_key_that_a_power_cut_left_half_written_is_not_in_the_way(folder: Path) -> None:
    (folder / "controller.key.new").write_bytes(b"half")
    key, problems = controller_key(folder)
    assert problems == []
    assert (folder / "controller.key").read_bytes() == key


@pytest.mark.parametrize("content", [b"", b"short", b"k" * 33])
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
    for path in folder.iterdir():
        path.unlink()
    (folder / "journal.name").write_bytes(b"5f3a9c01\n")  # it has been at work since
    lost = "controller.key: is missing; PINs and codes must be given again"
    assert controller_key(folder)[1] == [lost]
    assert controller_key(folder)[1] == []


KINDS: dict[str, Callable[[Path], tuple[Any, list[str]]]] = {
    "controller": controller_key,
    "visitor": visitor_key,
    "identity": lambda folder: _bytes_of(*controller_identity(folder)),
}


def _bytes_of(identity: Identity, problems: list[str]) -> tuple[Any, list[str]]:
    return identity.public_key, problems


@pytest.mark.parametrize("kind", KINDS)
def test_one_bit_of_a_key_or_of_its_copy_costs_nothing_and_is_told_once(
    kind: str, folder: Path
) -> None:
    ask, name, good = KINDS[kind], f"{kind}.key", f"{kind}.good.key"
    key = ask(folder)[0]
    whole = {each: (folder / each).read_bytes() for each in (name, good)}
    for number, bit in enumerate(range(0, 8 * len(whole[name]), 29), 1):
        (folder / name).write_bytes(_flipped(whole[name], bit))
        line = (
            f"{name}: is not what was written; set aside as {kind}-bad-{number}.key; {good} is used"
        )
        assert ask(folder) == (key, [line])
        assert (folder / f"{kind}-bad-{number}.key").read_bytes() == _flipped(whole[name], bit)
        assert {each: (folder / each).read_bytes() for each in whole} == whole
    for bit in range(0, 8 * len(whole[good]), 29):
        (folder / good).write_bytes(_flipped(whole[good], bit))
        found, (line,) = ask(folder)
        assert found == key
        assert line.startswith(f"{good}: is not what was written; ")
        assert {each: (folder / each).read_bytes() for each in whole} == whole
    assert ask(folder) == (key, [])
    assert set(_modes(folder).values()) == {0o600}


def _flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.parametrize("content", [None, b"", b"short", bytes(33)])
def test_a_key_that_is_missing_or_cut_is_put_back_from_its_copy(
    folder: Path, content: bytes | None
) -> None:
    key = controller_key(folder)[0]
    (folder / "controller.key").unlink()
    if content is not None:
        (folder / "controller.key").write_bytes(content)
    found, problems = controller_key(folder)
    assert found == key
    if content is None:
        assert problems == ["controller.key: is missing; controller.good.key is used"]
    else:
        aside = f"has {len(content)} bytes; expected 32; set aside as controller-bad-1.key"
        assert problems == [f"controller.key: {aside}; controller.good.key is used"]
    assert controller_key(folder) == (key, [])
    assert (folder / "controller.key").read_bytes() == key


def test_a_key_that_has_no_copy_is_taken_as_it_stands_and_gets_one(folder: Path) -> None:
    given = bytes(range(32))
    whole_files.write(
        folder / "controller.key", given
    )  # by hand, by an older version, before a cut
    assert controller_key(folder) == (given, [])
    (folder / "controller.key").unlink()
    assert controller_key(folder)[0] == given


def test_another_key_counts_when_the_copy_of_the_old_one_is_gone_too(folder: Path) -> None:
    old = visitor_key(folder)[0]
    given = bytes(range(32))
    whole_files.write(folder / "visitor.key", given)
    assert visitor_key(folder)[0] == old
    assert (folder / "visitor-bad-1.key").read_bytes() == given
    (folder / "visitor.good.key").unlink()
    whole_files.write(folder / "visitor.key", given)
    assert visitor_key(folder) == (given, [])


def test_a_copy_that_is_none_is_told_and_the_key_goes_on(folder: Path) -> None:
    key = controller_key(folder)[0]
    copy = folder / "controller.good.key"
    copy.write_bytes(b"end")
    aside = "is not what was written; set aside as controller.good-bad-1.key"
    goes_on = "controller.key is used as it stands"
    assert controller_key(folder) == (key, [f"controller.good.key: {aside}; {goes_on}"])
    assert controller_key(folder) == (key, [])
    copy.unlink()
    copy.mkdir()
    found, problems = controller_key(folder)
    assert found == key
    assert problems[0].startswith("controller.good.key: cannot be read (Is a directory); set aside")
    assert controller_key(folder) == (key, [])


def test_a_key_of_zeros_is_none_though_its_copy_says_the_same(folder: Path) -> None:
    (folder / "controller.key").write_bytes(bytes(32))
    (folder / "controller.good.key").write_bytes(bytes(64))
    key, problems = controller_key(folder)
    assert any(key)
    assert problems == [
        "controller.good.key: is not what was written; set aside as controller.good-bad-1.key",
        "controller.key: holds nothing but zeros; set aside as controller-bad-1.key;"
        " PINs and codes must be given again",
    ]


def test_a_copy_of_another_key_vouches_for_none(folder: Path) -> None:
    key = controller_key(folder)[0]
    visitor_key(folder)
    os.replace(folder / "visitor.good.key", folder / "controller.good.key")
    found, (problem,) = controller_key(folder)
    assert found == key
    assert problem.endswith("controller.key is used as it stands")


def test_a_key_lost_with_its_copy_is_told_and_another_is_made(folder: Path) -> None:
    for name in ("controller.key", "controller.good.key"):
        (folder / name).write_bytes(b"end")
    key, problems = controller_key(folder)
    assert problems == [
        "controller.good.key: is not what was written; set aside as controller.good-bad-1.key",
        "controller.key: has 3 bytes; expected 32; set aside as controller-bad-1.key;"
        " PINs and codes must be given again",
    ]
    assert controller_key(folder) == (key, [])


@pytest.mark.parametrize("steps", range(12))
@pytest.mark.parametrize("damaged", ["nothing yet", "controller.key", "controller.good.key"])
def test_a_cut_at_any_step_of_writing_loses_no_key(
    folder: Path, steps: int, damaged: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = None
    if damaged != "nothing yet":
        key = controller_key(folder)[0]
        content = (folder / damaged).read_bytes()
        (folder / damaged).write_bytes(_flipped(content, 77))
    with monkeypatch.context() as patched:
        left = [None] * steps
        for module, name in ((os, "open"), (os, "replace"), (Path, "rename"), (os, "fsync")):
            patched.setattr(module, name, _until_cut(getattr(module, name), left))
        try:
            first, _ = controller_key(folder)
        except _Cut:
            first = None
    there = folder / "controller.key"
    known = key or first or (there.read_bytes() if there.exists() else None)
    found, _ = controller_key(folder)
    assert known in (found, None)
    assert controller_key(folder) == (found, [])
    there.unlink()
    assert controller_key(folder)[0] == found


class _Cut(BaseException):
    """The power has gone."""


def _until_cut(call: Callable[..., Any], left: list[None]) -> Callable[..., Any]:
    def counted(*args: Any, **named: Any) -> Any:
        if not left:
            raise _Cut
        left.pop()
        return call(*args, **named)

    return counted


def test_where_no_copy_can_be_made_the_key_is_used_and_that_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole_files.write(folder / "controller.key", b"k" * 32)

    def write(path: Path, key: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(whole_files, "write", write)
    assert controller_key(folder) == (
        b"k" * 32,
        [
            "controller.good.key: cannot be written (No space left on device);"
            " controller.key has no good copy"
        ],
    )


def test_a_second_bad_key_does_not_replace_the_first(folder: Path) -> None:
    for content in (b"one", b"two"):
        (folder / "controller.key").write_bytes(content)
        (folder / "controller.good.key").unlink(missing_ok=True)
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
    key, problems = controller_key(folder)
    (folder / "controller.key").write_bytes(_flipped(key, 7))
    problems += controller_key(folder)[1]
    assert len(problems) == 2
    for secret in (content, key):
        assert secret.hex() not in " ".join(problems)
        assert repr(secret) not in " ".join(problems)


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
