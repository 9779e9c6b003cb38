"""An SD card out of a few files: the same bytes each time; what other tools find on it; what is refused."""

import base64
import errno
import fcntl
import hashlib
import io
import json
import os
import random
import re
import shutil
import socket
import stat
import tarfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from host_tools.image import card, command
from host_tools.image.cache import ImageError
from host_tools.image.card import MB, Recipe
from host_tools.image.progress import Progress
from host_tools.image.tree import File

pytestmark = pytest.mark.needs("mtools", "dosfstools", "e2fsprogs")

EPOCH_S = 1_000_000_000
ROOT_AT = 2048 * 512 + 40 * MB

FILES = (
    File("etc/hostname", b"c-02\n"),
    File("etc/doorward/board.toml", b"schema = 1\n", 0o640),
    File("etc/systemd/system/doorward.target", link="/usr/lib/doorward.target"),
)


def make_root(folder: Path) -> Path:
    """The root of a very small system."""
    for name in ("etc", "usr/bin", "usr/lib", "dev", "tmp", "var/lib/systemd"):
        (folder / name).mkdir(parents=True)
    (folder / "tmp").chmod(0o1777)
    (folder / "etc/hostname").write_text("somebody-else\n")
    (folder / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    (folder / "var/lib/systemd/random-seed").write_bytes(b"seed")
    for number in range(40):
        (folder / f"usr/lib/file {number}").write_text(f"{number}\n" * number * 50)
    (folder / "usr/bin/ping").write_bytes(b"\x7fELF" * 5000)
    (folder / "usr/bin/ping").chmod(0o4755)
    os.link(folder / "usr/bin/ping", folder / "usr/bin/ping6")
    (folder / "bin").symlink_to("usr/bin")
    for path in sorted(folder.rglob("*")):
        os.utime(path, (EPOCH_S, EPOCH_S), follow_symlinks=False)
    return folder


def make_boot(folder: Path) -> dict[str, Path]:
    """What the boot partition holds."""
    folder.mkdir()
    for name in ("kernel8.img", "cmdline.txt"):
        (folder / name).write_text(name * 100)
    files = {name: folder / name for name in ("kernel8.img", "cmdline.txt")}
    return {**files, "overlays/disable-bt.dtbo": folder / "cmdline.txt"}


def recipe(folder: Path, root: Path | None = None, **more: object) -> Recipe:
    boot: Mapping[str, Path] = make_boot(folder / "boot")
    one = Recipe(
        root or make_root(folder / "root"),
        boot,
        FILES,
        "c-02",
        size_mb=64,
        boot_mb=40,
        epoch_s=EPOCH_S,
    )
    return one._replace(**more)  # type: ignore[arg-type]


def write(one: Recipe, out: Path) -> card.Card:
    return card.write(one, out, Progress(io.StringIO()))


def sum_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def debugfs(image: Path, order: str) -> str:
    where = f"{image}?offset={ROOT_AT}"
    return command.run(["debugfs", "-R", order, where], 30)


def packed(root: Path, tar: Path) -> Path:
    """A root system as a tar."""
    with tarfile.open(tar, "w:gz") as file:
        file.add(root, ".")
    return tar


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    return recipe(tmp_path_factory.mktemp("recipe"))


@pytest.fixture(scope="module")
def made(one: Recipe, tmp_path_factory: pytest.TempPathFactory) -> card.Card:
    return write(one, tmp_path_factory.mktemp("made") / "card.img")


def test_the_same_input_gives_the_same_bytes_whenever_and_wherever_it_is_made(
    one: Recipe, tmp_path: Path
) -> None:
    """Times of FAT are of 2 s, so it is made again and again until those have passed."""
    first = write(one, tmp_path / "card.img")
    began_s = time.monotonic()
    root = tmp_path / "copy"
    while time.monotonic() - began_s < 2.5:
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(one.root, root, symlinks=True)
        (root / "usr/bin/ping6").unlink()
        os.link(root / "usr/bin/ping", root / "usr/bin/ping6")
        again = write(one._replace(root=root), tmp_path / "another-name.img")
        assert sum_of(again.path) == sum_of(first.path) == first.sha256 == again.sha256


def test_on_another_file_system_a_file_of_two_names_stays_one(
    one: Recipe, made: card.Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def refuse(source: Path, target: Path, **more: bool) -> None:
        if Path(source).is_relative_to(one.root):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        link(source, target, **more)

    monkeypatch.setattr(os, "link", refuse)
    assert write(one, tmp_path / "card.img").sha256 == made.sha256


def test_another_controllers_card_is_another(one: Recipe, made: card.Card, tmp_path: Path) -> None:
    files = (File("etc/hostname", b"c-03\n"), *FILES[1:])
    assert write(one._replace(files=files), tmp_path / "c.img").sha256 != made.sha256
    named = write(one._replace(name="c-03"), tmp_path / "c.img")
    assert named.sha256 != made.sha256
    assert named.disk_id != made.disk_id == card.disk_id("c-02")


def test_the_input_is_as_it_was_after_a_card_was_made(one: Recipe, made: card.Card) -> None:
    assert (one.root / "etc/hostname").read_text() == "somebody-else\n"
    assert (one.root / "etc/machine-id").read_text() != ""
    assert (one.root / "usr/bin/ping").stat().st_nlink == 2
    assert [path.name for path in made.path.parent.iterdir()] == [made.path.name]


@pytest.mark.needs("fdisk")
def test_other_peoples_tools_find_the_two_partitions(made: card.Card) -> None:
    said = json.loads(command.run(["sfdisk", "--json", made.path], 30))["partitiontable"]
    assert (said["label"], said["id"]) == ("dos", f"0x{made.disk_id:08x}")
    boot, root = said["partitions"]
    assert (boot["start"], boot["size"], boot["type"], boot["bootable"]) == (
        2048,
        40 * 2048,
        "c",
        True,
    )
    assert (root["start"], root["size"], root["type"]) == (
        ROOT_AT // 512,
        64 * 2048 - ROOT_AT // 512,
        "83",
    )


def test_the_boot_partition_holds_its_files_dated_as_the_card(made: card.Card) -> None:
    inside = f"{made.path}@@{2048 * 512}"
    environment = {"TZ": "UTC", "MTOOLSRC": "/dev/null", "PATH": os.environ["PATH"]}
    said = command.run(["mdir", "-/", "-b", "-i", inside], 30, None, environment)
    assert sorted(said.split()) == [
        "::/cmdline.txt",
        "::/kernel8.img",
        "::/overlays/",
        "::/overlays/disable-bt.dtbo",
    ]
    said = command.run(["mdir", "-i", inside], 30, None, environment)
    assert set(re.findall(r"\d{4}-\d\d-\d\d +\d?\d:\d\d", said)) == {"2001-09-09   1:46"}
    said = command.run(["mtype", "-i", inside, "::cmdline.txt"], 30, None, environment)
    assert said == "cmdline.txt" * 100


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/etc/hostname", "c-02\n"),
        ("/etc/doorward/board.toml", "schema = 1\n"),
        ("/usr/lib/file 2", "2\n" * 100),
        ("/etc/machine-id", ""),
    ],
)
def test_a_controllers_own_files_take_the_place_of_the_roots(
    made: card.Card, path: str, shown: str
) -> None:
    assert debugfs(made.path, f'cat "{path}"') == shown


@pytest.mark.parametrize(
    ("path", "mode", "owner"),
    [
        ("/tmp", "01777", os.getuid()),
        ("/usr/bin/ping", "04755", os.getuid()),
        ("/etc/doorward/board.toml", "0640", 0),
        ("/etc/doorward", "0755", 0),
    ],
)
def test_whose_a_file_is_and_what_it_permits_is_kept(
    made: card.Card, path: str, mode: str, owner: int
) -> None:
    said = debugfs(made.path, f"stat {path}")
    found = re.search(r"Mode: +(\d+).*User: +(\d+)", said, re.DOTALL)
    assert found is not None
    assert (found[1], int(found[2])) == (mode, owner)


def test_links_stay_links(made: card.Card) -> None:
    assert 'Fast link dest: "usr/bin"' in debugfs(made.path, "stat /bin")
    assert "/usr/lib/doorward.target" in debugfs(
        made.path, "stat /etc/systemd/system/doorward.target"
    )
    assert "Links: 2" in debugfs(made.path, "stat /usr/bin/ping6")


def test_what_one_machine_is_known_by_is_not_on_a_card(made: card.Card) -> None:
    assert "random-seed" not in debugfs(made.path, "ls /var/lib/systemd")
    assert b"0123456789abcdef0123456789abcdef" not in made.path.read_bytes()


def test_what_nothing_here_can_try_is_said(made: card.Card, one: Recipe, tmp_path: Path) -> None:
    own = "a Pi's own firmware (start.elf, config.txt) runs on no emulated board"
    firmware = "start.elf, fixup.dat, bootcode.bin"
    assert [line.split(":")[0] for line in made.untested] == [own, firmware, "config.txt"]
    some = next(iter(one.boot.values()))
    boot = {"kernel8.img": some, "start.elf": some, "fixup.dat": some, "bootcode.bin": some}
    without = write(one._replace(boot=boot), tmp_path / "card.img")
    assert list(without.untested[1:]) == [
        "config.txt: not on the card; a Pi then loads no initramfs",
        "cmdline.txt: not on the card; a Pi's kernel is then not told its root "
        "(for our initramfs: rdev=/dev/mmcblk0p2)",
    ]
    boot |= {"config.txt": some, "cmdline.txt": some}
    assert len(write(one._replace(boot=boot), tmp_path / "card.img").untested) == 1


def test_a_tar_gives_the_card_that_its_folder_gives_and_keeps_whose_files_are(
    one: Recipe, made: card.Card, tmp_path: Path
) -> None:
    tar = packed(one.root, tmp_path / "root.tar.gz")
    assert write(one._replace(root=tar), tmp_path / "card.img").sha256 == made.sha256

    def theirs(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid, member.gid = 123, 456
        return member

    with tarfile.open(tar, "w:gz") as file:
        file.add(one.root, ".", filter=theirs)
    other = write(one._replace(root=tar), tmp_path / "card.img")
    assert re.search(r"User: +123 +Group: +456", debugfs(other.path, "stat /usr/bin/ping"))


def test_nothing_on_a_card_is_newer_than_it_says(one: Recipe, tmp_path: Path) -> None:
    made = write(one._replace(epoch_s=EPOCH_S - 1000), tmp_path / "card.img")
    said = debugfs(made.path, "stat /usr/bin/ping")
    assert set(re.findall(r"time: 0x([0-9a-f]{8})", said)) == {f"{EPOCH_S - 1000:08x}"}


def test_without_a_date_it_is_that_of_the_newest_file(
    one: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert write(one._replace(epoch_s=None), tmp_path / "card.img").epoch_s == EPOCH_S
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "990000000")
    assert write(one._replace(epoch_s=None), tmp_path / "card.img").epoch_s == 990000000
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "tomorrow")
    with pytest.raises(ImageError, match="SOURCE_DATE_EPOCH: 'tomorrow'; expected seconds"):
        write(one._replace(epoch_s=None), tmp_path / "card.img")


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"size_mb": 1500}, "size: 1500 MB; expected a power of two, such as 2048 "),
        ({"size_mb": 0}, "size: 0 MB; expected a power of two, such as 2 "),
        ({"size_mb": 1 << 22}, "size: 4194304 MB; expected 2097152 at most: its table ends there"),
        ({"boot_mb": 60}, "boot partition: 60 MB of 64; expected 40 at least, and 16 for the root"),
        ({"boot_mb": 8}, "boot partition: 8 MB of 64; expected 40 at least, and 16 for the root"),
        (
            {"root": Path("/nowhere")},
            "/nowhere: not there; expected a folder or a tar of a root system",
        ),
        (
            {"boot": {"kernel8.img": Path("/nowhere")}},
            "boot/kernel8.img: /nowhere is no file; expected one",
        ),
        (
            {"boot": {"kernel8.img": Path("/proc/self/mem")}},
            "boot/kernel8.img: /proc/self/mem cannot be read (input/output error); expected a file ",
        ),
        *(
            ({"boot": {name: Path("/etc/passwd")}}, f"boot/{name}: FAT takes it for a device; ")
            for name in ("con", "AUX.txt", "overlays/nul.dtbo", "prn", "Com1", "lpt9.a.b")
        ),
        *(
            ({"files": (File(path, bytes(32)),)}, f"{path}: is one machine's own; expected none: ")
            for path in (
                "etc/machine-id",
                "etc//machine-id",
                "var/lib/systemd/random-seed",
                "./var/lib/dbus/machine-id",
            )
        ),
        (
            {"boot": {"a b": Path("/etc/passwd")}},
            "boot/a b: no name for FAT; expected letters, digits, _ . + -",
        ),
        (
            {"files": (File("../x", b""),)},
            "../x: leads elsewhere; expected a path in the root system",
        ),
        ({"files": (File("bin/x", b""),)}, "bin/x: bin is a link; expected the path it leads to"),
        (
            {"files": (File("usr/lib", b""),)},
            "usr/lib: is a folder there; expected a file or nothing",
        ),
        (
            {"boot": {"../k": Path("/etc/passwd")}},
            "boot/../k: leads elsewhere; expected a name in ",
        ),
        ({"boot": {"./k": Path("/etc/passwd")}}, "boot/./k: leads elsewhere; expected a name in "),
        ({"boot": {"k.": Path("/etc/passwd")}}, "boot/k.: no name for FAT; expected letters, "),
        (
            {"boot": {"k.img": Path("/etc/passwd"), "K.IMG": Path("/etc/hostname")}},
            "boot/k.img: FAT takes it for K.IMG; expected names that differ in more than case",
        ),
        (
            {"boot": {"o/a.dtbo": Path("/etc/passwd"), "O/b.dtbo": Path("/etc/hostname")}},
            "boot/o/a.dtbo: FAT takes it for O/a.dtbo; expected names that differ in more than case",
        ),
        (
            {"boot": {"o/a.dtbo": Path("/etc/passwd"), "O": Path("/etc/hostname")}},
            "boot/O: is the folder o too; expected one of the two",
        ),
        (
            {"files": (File("etc/hostname", b"a"), File("./etc//hostname", b"b"))},
            "./etc//hostname: stands twice among the files; expected it once",
        ),
        ({"name": " "}, "name: is empty; expected the card's own, of which its ids are made"),
        ({"epoch_s": -1}, "epoch_s: -1; expected seconds since 1970, 0 to 4294967295"),
        ({"epoch_s": 1 << 32}, "epoch_s: 4294967296; expected seconds since 1970, 0 to "),
        (
            {
                "files": (
                    File("etc/doorward/tls/controller.key", b"-----BEGIN EC PRIVATE KEY-----"),
                )
            },
            "etc/doorward/tls/controller.key: a private key; expected none: a controller makes its own",
        ),
        (
            {"files": (File("var/lib//doorward/identity.key", bytes(64)),)},
            "var/lib//doorward/identity.key: a private key; expected none: a controller makes its own",
        ),
        (
            {"files": (File("etc/doorward/ling.key", bytes(32)),)},
            "etc/doorward/ling.key: a private key; expected none: a controller makes its own",
        ),
        (
            {"files": (File("etc/hostname/x", b"x"),)},
            "etc/hostname/x: etc/hostname is a file; expected a folder or nothing",
        ),
    ],
)
def test_wrong_input_is_one_line_and_leaves_what_was_there(
    one: Recipe, tmp_path: Path, more: dict[str, object], line: str
) -> None:
    out = tmp_path / "card.img"
    out.write_text("the card of last week")
    with pytest.raises(ImageError, match=re.escape(line)) as caught:
        write(one._replace(**more), out)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert out.read_text() == "the card of last week"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("path", ["var/lib/doorward/identity", "etc/ssh/ssh_host_ed25519_key"])
def test_a_root_system_that_was_started_is_refused(tmp_path: Path, path: str) -> None:
    one = recipe(tmp_path)
    (one.root / path).parent.mkdir(parents=True)
    (one.root / path).write_text("x")
    with pytest.raises(ImageError, match=f"^{path}: is one machine's own; expected a root system"):
        write(one, tmp_path / "card.img")


BODY = "MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
SEED = bytes(range(32))
PKCS8 = bytes.fromhex("302e 020100 3005 0603 2b6570 0422 0420") + SEED
KEYS = [
    ("etc/doorward/ling.key", SEED),
    ("etc/doorward/ling.key", base64.b64encode(SEED) + b"\n"),
    ("root/operator.seed", SEED + SEED),
    ("etc/mosquitto/ca.pem", f"-----BEGIN PRIVATE KEY-----\n{BODY}\n".encode()),
    ("etc/ssl/private/x", f"-----BEGIN ENCRYPTED PRIVATE KEY-----\r\n{BODY}".encode()),
    (
        "usr/lib/chain",
        b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
        b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n"
        + BODY.encode(),
    ),
    ("root/.ssh/id_ed25519", f"-----BEGIN OPENSSH PRIVATE KEY-----\n{BODY}\n".encode()),
    ("etc/doorward/tls/broker.P12", b"\x30\x82"),
    ("etc/doorward/tls/client.der", PKCS8),
    ("etc/doorward/tls/rsa", bytes.fromhex("30820100020100 0282") + bytes(251)),
    ("etc/doorward/tls/ec", bytes.fromhex("3025020101 0420") + SEED),
    ("etc/doorward/tls/locked", bytes.fromhex("3021 301f 0609 2a864886f70d01050d") + bytes(20)),
    (
        "etc/doorward/tls/both",
        bytes.fromhex("301f 020103 3012 0609 2a864886f70d010701") + bytes(15),
    ),
    ("etc/mosquitto/wide", f"-----BEGIN PRIVATE KEY-----\r\n{BODY}\r\n".encode("utf-16")),
    ("etc/mosquitto/big", f"-----BEGIN PRIVATE KEY-----\n{BODY}\n".encode("utf-16-be")),
    ("etc/mosquitto/putty", b"PuTTY-User-Key-File-3: ssh-ed25519\r\n"),
    ("etc/doorward/osdp-front.key", SEED[:16]),
    ("etc/doorward/identity.good.key", 3 * SEED),
    ("etc/ssh.old/ssh_host_ed25519_key", b"x"),
    ("etc/dropbear/dropbear_rsa_host_key", b"\0\0\0\7ssh-rsa"),
]


@pytest.mark.parametrize(("path", "data"), KEYS, ids=[path for path, _ in KEYS])
def test_a_private_key_in_the_root_system_is_refused_in_one_line(
    tmp_path: Path, path: str, data: bytes
) -> None:
    one = recipe(tmp_path)
    (one.root / path).parent.mkdir(parents=True, exist_ok=True)
    (one.root / path).write_bytes(data)
    for root in (one.root, packed(one.root, tmp_path / "root.tar.gz")):
        with pytest.raises(ImageError) as caught:
            write(one._replace(root=root), tmp_path / "card.img")
        assert str(caught.value) == (
            f"{path}: a private key; expected none: a controller makes its own at its first start"
        )
    assert not (tmp_path / "card.img").exists()


@pytest.mark.parametrize(("path", "data"), KEYS, ids=[path for path, _ in KEYS])
def test_a_private_key_among_the_files_or_for_the_boot_partition_is_refused_in_one_line(
    one: Recipe, tmp_path: Path, path: str, data: bytes
) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(data)
    name = Path(path).name
    for where, more in (
        (path, {"files": (*FILES, File(path, data))}),
        (f"boot/{name}", {"boot": {**one.boot, name: kept}}),
    ):
        with pytest.raises(ImageError) as caught:
            write(one._replace(**more), tmp_path / "card.img")
        assert str(caught.value) == (
            f"{where}: a private key; expected none: a controller makes its own at its first start"
        )


def test_a_link_to_where_a_key_will_be_is_none(one: Recipe, tmp_path: Path) -> None:
    link = File("etc/doorward/osdp-front.key", link="/var/lib/doorward/osdp-front.key")
    write(one._replace(files=(*FILES, link)), tmp_path / "card.img")


def test_a_host_key_by_its_place_alone_is_refused_among_the_files(
    one: Recipe, tmp_path: Path
) -> None:
    files = (*FILES, File("./etc//ssh/ssh_host_ed25519_key", b"placeholder"))
    with pytest.raises(ImageError, match=r"ssh_host_ed25519_key: a private key; expected none"):
        write(one._replace(files=files), tmp_path / "card.img")


@pytest.mark.parametrize("data", [b"", random.Random(1).randbytes(20_000)], ids=["empty", "noise"])
def test_a_tar_that_is_none_is_named_with_what_is_wrong(
    one: Recipe, tmp_path: Path, data: bytes
) -> None:
    tar = tmp_path / "root.tar"
    tar.write_bytes(data)
    with pytest.raises(ImageError) as caught:
        write(one._replace(root=tar), tmp_path / "card.img")
    assert str(caught.value) == (
        f"{tar}: cannot be unpacked (This does not look like a tar archive); "
        "expected a tar of a root system"
    )


def test_a_tar_of_something_else_is_named(one: Recipe, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    tar = packed(tmp_path / "photos", tmp_path / "photos.tar.gz")
    with pytest.raises(ImageError, match=f"^{tar}: has no folder etc; expected the root of a sys"):
        write(one._replace(root=tar), tmp_path / "card.img")


def test_what_only_knows_how_a_key_begins_is_on_the_card(tmp_path: Path) -> None:
    one = recipe(tmp_path)
    begins = b"-----BEGIN OPENSSH PRIVATE KEY-----\n"
    (one.root / "usr/bin/ssh-keygen").write_bytes(b"\x7fELF" + begins + b"\0-----END")
    (one.root / "usr/lib/pem.py").write_bytes(b'KEY = b"-----BEGIN PRIVATE KEY-----"\n')
    (one.root / "usr/lib/root.key").write_bytes(
        b". IN DNSKEY 257 3 8 AwEAAaz/tAm8yTn4Mfeh5eyI96WSV"
    )
    (one.root / "etc/ling.pub").write_bytes(base64.b64encode(SEED))
    (one.root / "etc/ling.der").write_bytes(bytes.fromhex("302a 3005 0603 2b6570 0321 00") + SEED)
    (one.root / "etc/cut.der").write_bytes(PKCS8[:-1])
    (one.root / "etc/wide.txt").write_bytes("-----BEGIN PRIVATE KEY-----\n".encode("utf-16"))
    (one.root / "etc/osdp-keys.txt").write_bytes(SEED[:16])
    (one.root / "etc/link.key").symlink_to("/var/lib/doorward/link.key")
    write(one, tmp_path / "card.img")


def test_a_card_that_is_too_small_says_how_large_it_must_be(tmp_path: Path) -> None:
    one = recipe(tmp_path)
    with (one.root / "usr/large").open("wb") as file:
        os.ftruncate(file.fileno(), 70 * MB)
    with pytest.raises(ImageError, match=r"^size: 64 MB is too small for 8\d MB.*; expected 128$"):
        write(one, tmp_path / "card.img")
    assert write(one._replace(size_mb=128), tmp_path / "card.img").path.exists()


def test_a_missing_program_is_named_with_its_package(
    one: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = shutil.which
    monkeypatch.setattr(
        shutil, "which", lambda name, path=None: None if name == "mcopy" else find(name, path=path)
    )
    with pytest.raises(ImageError, match="^mcopy: not found; expected the package mtools$"):
        write(one, tmp_path / "card.img")


def test_a_run_that_fails_half_way_leaves_nothing(
    one: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise ImageError("e2fsck: broken; expected it to succeed")

    monkeypatch.setattr("host_tools.image.ext4.check", breaks)
    with pytest.raises(ImageError, match="^e2fsck: broken"):
        write(one, tmp_path / "card.img")
    assert list(tmp_path.iterdir()) == []


def test_a_private_key_for_the_boot_partition_is_refused(one: Recipe, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("-----BEGIN PRIVATE KEY-----\n")
    with pytest.raises(ImageError, match=r"^boot/key.pem: a private key; expected none"):
        write(one._replace(boot={**one.boot, "key.pem": key}), tmp_path / "card.img")


def test_a_folder_in_the_place_of_the_card_is_told_before_anything_is_made(
    one: Recipe, tmp_path: Path
) -> None:
    with pytest.raises(ImageError, match="is a folder; expected a file, or nothing$"):
        write(one, tmp_path)


def _device(path: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("needs root: makes a device")


def _link_to_nothing(path: Path) -> None:
    path.symlink_to("/nonexistent/sdb")


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (_device, "a device"),
        (os.mkfifo, "a pipe"),
        (_link_to_nothing, "a link"),
        (_socket, "a socket"),
    ],
)
def test_what_is_no_card_is_neither_written_to_nor_replaced(
    one: Recipe, tmp_path: Path, make: Callable[[Path], None], kind: str
) -> None:
    out = tmp_path / "out"
    make(out)
    before = out.lstat()
    with pytest.raises(ImageError) as caught:
        write(one, out)
    assert str(caught.value) == f"{out}: is {kind}; expected a file, or nothing"
    assert out.lstat() == before
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(
    ("out", "line"),
    [
        ("/proc/card.img", "no such file or directory; expected a folder that may be read and "),
        ("/proc/version/card.img", "its folder is not there; expected a folder to write into"),
        (f"/tmp/{'n' * 241}", "its name is too long; expected 240 bytes at most"),
        (f"/tmp/{'n' * 300}/card.img", "file name too long; expected a file, or nothing"),
    ],
)
def test_a_place_that_cannot_be_written_to_is_one_line(one: Recipe, out: str, line: str) -> None:
    with pytest.raises(ImageError, match=f"^{re.escape(f'{out}: {line}')}"):
        write(one, Path(out))


def test_a_folder_that_cannot_be_written_to_is_one_line(
    one: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(**_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("tempfile.mkdtemp", read_only)
    out = tmp_path / "card.img"
    line = f"{out}: read-only file system; expected a folder that may be read and written"
    with pytest.raises(ImageError, match=f"^{re.escape(line)}$"):
        write(one, out)


def test_a_name_may_be_as_long_as_is_said(one: Recipe, tmp_path: Path) -> None:
    assert write(one, tmp_path / ("n" * 240)).path.is_file()


def test_one_file_has_one_path_however_it_is_written(
    one: Recipe, made: card.Card, tmp_path: Path
) -> None:
    odd = tuple(file._replace(path=f"./{file.path.replace('/', '//')}") for file in FILES)
    assert write(one._replace(files=odd), tmp_path / "card.img").sha256 == made.sha256


def test_a_folder_in_the_place_of_the_machine_id_is_one_line(tmp_path: Path) -> None:
    one = recipe(tmp_path)
    (one.root / "etc/machine-id").unlink()
    (one.root / "etc/machine-id").mkdir()
    with pytest.raises(
        ImageError, match="^etc/machine-id: is a folder; expected a file or nothing$"
    ):
        write(one, tmp_path / "card.img")


def test_what_a_killed_run_left_is_removed_by_the_next_and_what_another_makes_is_not(
    one: Recipe, tmp_path: Path
) -> None:
    for name in (
        ".card.img.k1lled__",
        ".card.img.an0ther_",
        ".card.img.by-hand",
        ".o.img.k1lled__",
    ):
        (tmp_path / name / "root").mkdir(parents=True)
    held = os.open(tmp_path / ".card.img.an0ther_", os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        write(one, tmp_path / "card.img")
    finally:
        os.close(held)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".card.img.an0ther_",
        ".card.img.by-hand",
        ".o.img.k1lled__",
        "card.img",
    ]


def test_a_disk_without_room_is_one_line_and_leaves_nothing(
    one: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("host_tools.image.fat.write", full)
    out = tmp_path / "card.img"
    line = f"{out}: no space left on device; expected a folder with room to make the card in"
    with pytest.raises(ImageError, match=f"^{re.escape(line)}$"):
        write(one, out)
    assert list(tmp_path.iterdir()) == []
