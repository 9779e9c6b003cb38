"""`firmware.services.good_copy`: of a file and its copy the one that was written is used."""

import errno
from pathlib import Path

import pytest

from firmware.services import good_copy, whole_files
from firmware.services.good_copy import Found

SHORT, LONG = b"x", bytes(range(256)) * 1024  # of one byte, and of the most there may be


@pytest.mark.parametrize("content", [b"", SHORT, LONG])
def test_a_file_that_is_gone_comes_back_as_it_was(content: bytes, tmp_path: Path) -> None:
    path = _kept(tmp_path, content)
    path.unlink()
    told = "list.json: is missing; list.good.json is used"
    assert good_copy.find(path) == Found(content, "", [told])
    assert good_copy.find(path) == Found(content, "", [])


def _kept(folder: Path, content: bytes) -> Path:
    path = folder / "list.json"
    whole_files.write(path, content)
    assert good_copy.keep(path, content) == []
    return path


def test_what_is_longer_than_any_such_file_is_damage(tmp_path: Path) -> None:
    path = _kept(tmp_path, LONG)
    path.write_bytes(LONG + bytes(100_000))
    found = good_copy.find(path)
    assert found.content == LONG
    assert len(found.problems) == 1
    assert (tmp_path / "list-bad-1.json").stat().st_size == len(LONG) + 100_000


@pytest.mark.parametrize("length", [0, 1, 31, 32, 33])
def test_a_copy_that_was_cut_vouches_for_nothing(length: int, tmp_path: Path) -> None:
    path = _kept(tmp_path, SHORT * 8)
    good = Path(good_copy.of(path))
    good.write_bytes(good.read_bytes()[:length])
    path.unlink()
    told = "list.good.json: is not what was written; set aside as list.good-bad-1.json"
    assert good_copy.find(path) == Found(None, "", [told])


def test_a_content_that_is_wrong_by_its_look_gives_way_to_the_copy(tmp_path: Path) -> None:
    path = _kept(tmp_path, SHORT)
    path.write_bytes(b"no")
    found = good_copy.find(path, lambda content: "is no x" if content != SHORT else "")
    aside = "is no x; set aside as list-bad-1.json"
    assert found == Found(SHORT, "", [f"list.json: {aside}; list.good.json is used"])


def test_a_content_that_is_wrong_by_its_look_and_has_no_copy_stays_for_who_asked(
    tmp_path: Path,
) -> None:
    path = tmp_path / "list.json"
    path.write_bytes(b"no")
    assert good_copy.find(path, lambda content: "is no x") == Found(None, "is no x", [])
    assert path.read_bytes() == b"no"


def test_where_nothing_can_be_written_the_copy_is_used_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _kept(tmp_path, SHORT)
    path.unlink()

    def write(*args: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(whole_files, "write", write)
    assert good_copy.find(path) == Found(
        SHORT,
        "",
        [
            "list.json: is missing; list.good.json is used",
            "list.json: cannot be written (Read-only file system)",
        ],
    )


def test_the_copy_of_another_content_is_put_right(tmp_path: Path) -> None:
    path = _kept(tmp_path, SHORT)
    told = "list.good.json: is not what was written; made anew from list.json"
    assert good_copy.keep(path, b"another") == [told]
    assert good_copy.keep(path, b"another") == []
