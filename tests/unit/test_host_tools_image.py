"""What images are made of: cached whole or not at all, found where apt is told, the same bytes each time."""

import gzip
import io
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from host_tools.image import archive, cache, command, disk, initramfs, root
from host_tools.image.cache import Cache, ImageError
from host_tools.image.progress import Progress


def _cache(folder: Path) -> tuple[Cache, list[str]]:
    said: list[str] = []
    return Cache(folder, said.append), said


def _fill(folder: Path) -> None:
    (folder / "thing").write_text("whole")


def test_a_thing_is_made_once_for_each_key(tmp_path: Path) -> None:
    one, said = _cache(tmp_path)
    made: list[Path] = []

    def make(folder: Path) -> None:
        _fill(folder)
        made.append(folder)

    with one.lock():
        for key in ("a", "a", "b"):
            found = one.get("root", key, make)
            assert (found / "thing").read_text() == "whole"
    assert len(made) == 2
    assert [line.split(" in ")[0] for line in said] == ["root: being made", "root: made"] * 2


@pytest.mark.parametrize("where", ["/proc/cache", "file/cache"])
def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").touch()
    one, _ = _cache(tmp_path / where)
    with (
        pytest.raises(ImageError, match="; expected a folder that can be made and written$"),
        one.lock(),
    ):
        pytest.fail("there is none")


def test_a_thing_that_fails_in_the_making_is_not_there(tmp_path: Path) -> None:
    one, _ = _cache(tmp_path)

    def half(folder: Path) -> None:
        _fill(folder)
        raise ImageError("mmdebstrap: no network; expected it to succeed")

    with one.lock(), pytest.raises(ImageError):
        one.get("root", "a", half)
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_a_thing_has_the_same_modes_whatever_the_umask_of_who_asks(tmp_path: Path) -> None:
    one, _ = _cache(tmp_path)
    before = os.umask(0o077)
    try:
        with one.lock():
            found = one.get("root", "a", _fill)
        assert os.umask(0o077) == 0o077
    finally:
        os.umask(before)
    assert found.stat().st_mode & 0o777 == 0o755
    assert (found / "thing").stat().st_mode & 0o777 == 0o644


def test_what_a_killed_run_left_is_removed_and_never_taken_for_whole(tmp_path: Path) -> None:
    one, _ = _cache(tmp_path)
    (tmp_path / ".part-root-a").mkdir()
    (tmp_path / ".part-root-a/half").touch()
    with one.lock():
        found = one.get("root", "a", _fill)
    assert [path.name for path in found.iterdir()] == ["thing"]


def test_a_folder_in_which_something_is_mounted_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "root/proc").mkdir(parents=True)
    mounts = tmp_path / "mounts"
    mounts.write_text(f"proc {tmp_path}/root/proc proc ro 0 0\n")
    monkeypatch.setattr(cache, "MOUNTS", mounts)
    with pytest.raises(ImageError, match="root/proc is mounted; expected nothing in it"):
        cache.remove(tmp_path / "root")
    assert (tmp_path / "root/proc").is_dir()
    mounts.write_text("")
    cache.remove(tmp_path / "root")
    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_text("l")])
def test_a_thing_that_lost_a_part_since_is_told_and_made_anew(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    one, said = _cache(tmp_path)

    def make(folder: Path) -> None:
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_text("long")

    with one.lock():
        folder = one.get("thing", "1", make)
    damage(folder / "deep" / "file")
    with one.lock():
        assert one.get("thing", "1", make) == folder
    assert (folder / "deep" / "file").read_text() == "long"
    assert "thing: deep/file is not as it was made" in said


@pytest.mark.parametrize("text", ["", "[1]", "[" * 100_000, None])
def test_a_thing_whose_sizes_nobody_knows_is_taken_as_it_is(
    tmp_path: Path, text: str | None
) -> None:
    one, said = _cache(tmp_path)
    for _ in range(2):
        with one.lock():
            found = one.get("thing", "1", _fill)
        sizes = tmp_path / ".sizes-thing-1"
        assert sizes.exists()
        sizes.unlink() if text is None else sizes.write_text(text)
        (found / "thing").write_text("cut")
        with one.lock():
            assert one.get("thing", "1", _fill) == found
        assert (found / "thing").read_text() == "cut"
        cache.remove(found)
    assert [line.split(" in ")[0] for line in said] == ["thing: being made", "thing: made"] * 2


def test_what_nobody_asks_for_any_more_goes(tmp_path: Path) -> None:
    one, _ = _cache(tmp_path)
    for name, age_s in (("root-old", cache.UNUSED_S + 60), ("root-new", 60)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, times=(time.time() - age_s, time.time() - age_s))
    with one.lock():
        pass
    assert not (tmp_path / "root-old").exists()
    assert (tmp_path / "root-new").exists()


def test_a_second_run_waits_and_gives_up_with_one_line(tmp_path: Path) -> None:
    first, _ = _cache(tmp_path)
    second, said = _cache(tmp_path)
    with (
        first.lock(),
        pytest.raises(ImageError, match="another run has it for 0 s"),
        second.lock(0),
    ):
        pass
    assert said == []


def test_apt_is_asked_only_about_the_suite_that_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text("# deb http://gone.example/debian bookworm main\n")
    folder = tmp_path / "sources.list.d"
    folder.mkdir()
    (folder / "debian.sources").write_text(
        "Types: deb\n# a comment\nURIs: http://mirror.example/debian\n"
        "Suites: bookworm bookworm-updates\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/debian.gpg\n\n"
        "Types: deb\nURIs: http://mirror.example/security\nSuites: bookworm-security\n"
        "Components: main contrib\n"
    )
    (folder / "cloud.list").write_text("deb https://cloud.example/apt cloud-bookworm main\n")
    assert archive.suite_lines("bookworm", tmp_path).splitlines() == [
        "deb [signed-by=/usr/share/keyrings/debian.gpg] http://mirror.example/debian bookworm main",
        "deb [signed-by=/usr/share/keyrings/debian.gpg] http://mirror.example/debian "
        "bookworm-updates main",
        "deb http://mirror.example/security bookworm-security main contrib",
    ]


def test_lists_that_cannot_be_fetched_are_tried_again_and_older_ones_serve_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = False
    fetched: list[str] = []

    def run(words: list[str], limit_s: float, folder: Path | None = None) -> str:
        if not network:
            raise ImageError("apt-get: E: Failed to fetch; expected it to succeed")
        fetched.append(words[0])
        return ""

    monkeypatch.setattr(command, "run", run)
    monkeypatch.setattr(archive, "suite_lines", lambda suite: "deb http://example bookworm main\n")
    lists = archive.Archive(tmp_path, "bookworm", "amd64")
    for _ in range(2):
        with pytest.raises(ImageError, match="Failed to fetch"):
            lists.refresh()
    network = True
    lists.refresh()
    assert fetched == ["apt-get"]
    network = False
    lists.refresh(fresh_s=0)
    monkeypatch.setattr(archive, "suite_lines", lambda suite: "deb http://other bookworm main\n")
    with pytest.raises(ImageError, match="Failed to fetch"):
        lists.refresh()


SIMULATED = """Reading package lists...
Inst libc6 (2.36-9+deb12u14 Debian:12.15/oldstable [arm64]) []
Inst base-files (12.4+deb12u15 Debian:12.15/oldstable [arm64])
Conf base-files (12.4+deb12u15 Debian:12.15/oldstable [arm64])
"""


def test_what_a_system_is_made_of_is_all_its_packages_and_when_their_suite_was_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def run(words: list[str], limit_s: float, folder: Path | None = None) -> str:
        asked.extend(words)
        return SIMULATED

    monkeypatch.setattr(command, "run", run)
    lists = archive.Archive(tmp_path, "bookworm", "arm64")
    assert lists.system(["udev"]) == ["base-files 12.4+deb12u15", "libc6 2.36-9+deb12u14"]
    assert asked[-4:] == ["apt", "?essential", "?priority(required)", "udev"]
    with pytest.raises(ImageError, match="^bookworm: no Release in .* has a date; expected"):
        lists.date_s()
    folder = tmp_path / "bookworm-arm64/state/lists"
    folder.mkdir(parents=True)
    for name, date in (("bookworm", "11 Jul"), ("bookworm-updates", "21 Nov")):
        text = f"Suite: oldstable\nDate: Sat, {date} 2026 10:16:37 UTC\n"
        (folder / f"a.example_debian_dists_{name}_InRelease").write_text(text)
    assert lists.date_s() == 1783764997


def test_a_system_is_dated_as_its_suite_and_keeps_nothing_of_the_machine_that_made_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[dict[str, str]] = []

    def run(
        words: list[str | Path],
        limit_s: float,
        folder: Path | None = None,
        environment: dict[str, str] | None = None,
        meanwhile: Callable[[str], None] | None = None,
    ) -> str:
        if environment is not None and meanwhile is not None:
            heard.append(environment)
            debootstrap(tmp_path / "root")
            steps = ["I: arm64 is not amd64", "I: extracting archives...", "I: installing them..."]
            meanwhile("\n".join(steps[:2]) + "\n")
            meanwhile("\n".join([*steps, "I: success in 1 second", ""]))
        return ""

    def debootstrap(made: Path) -> None:
        (made / "etc/apt/sources.list.d").mkdir(parents=True)
        (made / "etc/apt/sources.list.d/0000sources.list").write_text("deb http://me:pw@intra/ x")
        (made / "etc/resolv.conf").write_text("nameserver 192.0.2.53\n")
        (made / "etc/hostname").write_text("the-builders\n")
        (made / "etc/shadow").touch()
        (made / "etc/mtab").symlink_to("../proc/self/mounts")
        (made / "etc/debian_version").touch()
        (made / "var/lib/apt/lists/partial").mkdir(parents=True)
        (made / "var/cache/apt/archives/partial").mkdir(parents=True)
        (made / "etc/apt/sources.list").write_text("deb http://me:pw@intra/ x")
        os.utime(made / "etc/debian_version", (1_750_000_000, 1_750_000_000))

    lists = archive.Archive(tmp_path / "apt", "bookworm", "arm64")
    monkeypatch.setattr(lists, "date_s", lambda: 1_700_000_000)
    monkeypatch.setattr(command, "run", run)
    monkeypatch.setattr(os, "getuid", lambda: 0)
    out = io.StringIO()
    root.make(lists, ["udev"], tmp_path / "root", Progress(out, lambda: 0.0))
    assert out.getvalue() == "debian: extracting archives: 0.0 s\ndebian: installing them: 0.0 s\n"
    assert heard[0]["SOURCE_DATE_EPOCH"] == "1700000000"
    etc = tmp_path / "root/etc"
    assert sorted(path.name for path in etc.iterdir()) == [
        *("apt", "debian_version", "mtab", "shadow")
    ]
    assert (etc / "mtab").lstat().st_mtime == (etc / "shadow").stat().st_mtime == 1_700_000_000
    assert (etc / "debian_version").stat().st_mtime == 1_750_000_000
    assert list((etc / "apt/sources.list.d").iterdir()) == []
    assert list((tmp_path / "root/var/lib/apt/lists").iterdir()) == []
    assert list((tmp_path / "root/var/cache/apt/archives").iterdir()) == []
    assert [path.name for path in (etc / "apt").iterdir()] == ["sources.list.d"]


def test_a_network_services_own_link_to_its_name_servers_stays(tmp_path: Path) -> None:
    (tmp_path / "etc/apt/sources.list.d").mkdir(parents=True)
    (tmp_path / "etc/resolv.conf").symlink_to("../run/systemd/resolve/stub-resolv.conf")
    root.leave_out_the_machine(tmp_path)
    assert (tmp_path / "etc/resolv.conf").is_symlink()


def test_commands_that_hold_the_path_of_who_installed_them_are_not_kept(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/apsw").write_text("#!/home/ling/.venv/bin/python\n")
    (tmp_path / "apsw-1.dist-info").mkdir()
    record = tmp_path / "apsw-1.dist-info/RECORD"
    record.write_text("../../bin/apsw,sha256=A_bX,223\napsw/__init__.py,sha256=B,5\n")
    root.drop_scripts(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["apsw-1.dist-info"]
    assert record.read_text() == "apsw/__init__.py,sha256=B,5\n"
    root.drop_scripts(tmp_path)


def test_a_machine_whose_apt_has_another_suite_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text("deb http://mirror.example/ubuntu noble main\n")
    with pytest.raises(ImageError) as told:
        archive.suite_lines("bookworm", tmp_path)
    assert str(told.value) == f"apt: no source in {tmp_path} has bookworm; expected Debian's"


def test_an_initramfs_is_the_same_bytes_each_time_and_holds_its_modules_in_order(
    tmp_path: Path,
) -> None:
    modules = []
    for name in ("virtio.ko", "ext4.ko"):
        modules.append(tmp_path / name)
        modules[-1].write_bytes(name.encode())
    busybox = tmp_path / "busybox"
    busybox.write_bytes(b"busybox")
    initramfs.write(tmp_path / "one", busybox, modules)
    initramfs.write(tmp_path / "two", busybox, modules)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    inside = gzip.decompress((tmp_path / "one").read_bytes())
    assert inside.startswith(b"070701")
    order = [inside.index(b"modules/000-virtio.ko\0"), inside.index(b"modules/001-ext4.ko\0")]
    assert order == sorted(order)
    assert len(inside) % 4 == 0


def test_a_program_that_is_not_there_names_its_package() -> None:
    with pytest.raises(ImageError) as told:
        command.run(["no-such-program"], 5)
    assert str(told.value) == "no-such-program: not found; expected the package no-such-program"


def test_a_program_that_fails_is_the_line_that_says_why() -> None:
    with pytest.raises(ImageError) as told:
        command.run(["sh", "-c", "echo 'x.c:1: error: no' >&2; echo more >&2; exit 3"], 5)
    assert str(told.value) == "sh: x.c:1: error: no; expected it to succeed"


def test_what_a_program_complains_of_is_heard_while_it_works_and_when_it_is_done(
    tmp_path: Path,
) -> None:
    heard: list[str] = []

    def hear(said: str) -> None:
        heard.append(said)
        if said:
            (tmp_path / "go").touch()

    script = "echo one >&2; until [ -e go ]; do sleep 0.01; done; echo two >&2"
    command.run(["sh", "-c", script], 60, tmp_path, meanwhile=hear)
    assert "one\n" in heard
    assert heard[-1] == "one\ntwo\n"


def test_a_program_that_does_not_end_is_ended() -> None:
    with pytest.raises(ImageError) as told:
        command.run(["sleep", "60"], 0.1)
    assert str(told.value) == "sleep: not done after 0 s; expected less"


def test_a_disk_is_made_of_a_folder_without_mounting(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a").write_text("door")
    image = tmp_path / "a.ext4"
    disk.ext4(image, 8, "data", tmp_path / "in")
    assert image.stat().st_size == 8 * 1024 * 1024
    assert command.run(["debugfs", "-R", "cat a", image], 10) == "door"
