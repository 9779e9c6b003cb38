"""`hal.backends.access`: who may not open a device file is told what would let him."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from hal.backends import access

PATH = "/dev/gpiochip0"


def said(monkeypatch: pytest.MonkeyPatch, mode: int, gid: int) -> str:
    found = SimpleNamespace(st_mode=mode, st_gid=gid)
    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", lambda path: found)
        return access.expected(PATH, "gpio")


def test_a_file_of_a_group_names_that_group(monkeypatch: pytest.MonkeyPatch) -> None:
    name = access._name(os.getgid() or 1)
    text = said(monkeypatch, 0o20660, os.getgid() or 1)
    assert text == f"this user in the group {name}, then a new start"


def test_a_group_without_a_name_is_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "in the group 4294967000," in said(monkeypatch, 0o20660, 4294967000)


@pytest.mark.parametrize(("mode", "gid"), [(0o20600, 0), (0o20660, 0), (0o20640, 7)])
def test_a_file_that_no_group_may_open_wants_a_udev_rule(
    monkeypatch: pytest.MonkeyPatch, mode: int, gid: int
) -> None:
    assert said(monkeypatch, mode, gid) == (
        "a udev rule that gives it to a group of this user's "
        '(such as GROUP="gpio", MODE="0660"): it is root\'s alone'
    )


def test_a_file_that_cannot_be_looked_at_wants_the_usual_group(tmp_path: Path) -> None:
    assert access.expected(str(tmp_path / "none"), "gpio") == "this user in the group gpio"
