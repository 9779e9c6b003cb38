"""`firmware.services.disk_files`: what is put is there whole or not at all, on a disk and on a VFS."""

from pathlib import Path

import apsw
import pytest

from firmware.services.disk_files import Files, VfsFiles


@pytest.fixture(params=["disk", "vfs"])
def files(request: pytest.FixtureRequest) -> Files:
    return Files() if request.param == "disk" else VfsFiles(apsw.vfs_names()[0])


def test_what_is_put_replaces_what_was_there_and_leaves_nothing_else(
    files: Files, tmp_path: Path
) -> None:
    path = str(tmp_path / "mark")
    for content in (b"long and old", b"new"):
        files.put(path, content)
        assert files.versions(path, 80) == [content]
    assert [one.name for one in tmp_path.iterdir()] == ["mark"]


def test_what_is_appended_stands_behind_the_rest(files: Files, tmp_path: Path) -> None:
    path = str(tmp_path / "notes")
    for piece in (b"one", b"\ntwo", b"\nthree"):
        files.append(path, piece)
    assert files.read(path, 80, 0) == b"one\ntwo\nthree"


def test_a_folder_in_the_place_of_a_file_hides_nothing_that_was_put(
    files: Files, tmp_path: Path
) -> None:
    path = tmp_path / "mark"
    path.mkdir()
    try:
        files.put(str(path), b"whole")
    except apsw.CantOpenError:
        assert isinstance(files, VfsFiles)  # it can move no folder
    assert files.versions(str(path), 80) == [b"whole"]


def test_of_a_file_that_a_cut_left_half_written_on_a_vfs_both_versions_are_known(
    tmp_path: Path,
) -> None:
    files = VfsFiles(apsw.vfs_names()[0])
    (tmp_path / "mark").write_bytes(b"ha")
    (tmp_path / "mark.new").write_bytes(b"half")
    assert files.versions(str(tmp_path / "mark"), 80) == [b"ha", b"half"]
    assert files.versions(str(tmp_path / "none"), 80) == []
