"""Debian's archive as apt sees it, for one architecture, with lists of its own.

The machine's own lists, packages and architectures stay as they are. Where packages come from is what the
machine's apt is told, cut down to one suite with its updates and security fixes.
"""

import os
import re
import time
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path

from host_tools.image import command
from host_tools.image.cache import ImageError

FRESH_S = 6 * 3600  #: lists younger than this are not fetched again
_DATE = re.compile(r"^Date: (.+)$", re.MULTILINE)
#: What each system has, as apt's patterns.
_SMALLEST = ("apt", "?essential", "?priority(required)")
_STANZA_END = re.compile(r"\n[ \t]*\n")


class Archive:
    """Packages of one suite for one architecture.

    folder  Path  where lists and packages are kept
    suite   str   such as "bookworm"
    arch    str   Debian's word: "amd64", "arm64"
    """

    def __init__(self, folder: Path, suite: str, arch: str) -> None:
        self.suite = suite
        self.arch = arch
        self._folder = folder / f"{suite}-{arch}"
        #: Path  one line for each source, as mmdebstrap takes them
        self.sources = self._folder / "sources.list"
        self._stamp = self._folder / "fetched"

    def refresh(self, fresh_s: float = FRESH_S) -> None:
        """Fetch the lists, unless they are fresh. Raises `ImageError` where there are not even older ones."""
        lines = suite_lines(self.suite)
        for name in ("state/lists/partial", "cache/archives/partial", "debs", "parts"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        (self._folder / "status").touch()
        if not self.sources.exists() or self.sources.read_text() != lines:
            self._stamp.unlink(missing_ok=True)
            self.sources.write_text(lines)
        if self._age_s() < fresh_s:
            return
        try:
            self._apt("apt-get", "update", "-qq", "--error-on=any")  # else no network is no error
        except ImageError:
            if not self._stamp.exists():
                raise
        else:
            self._stamp.touch()

    def version(self, package: str) -> str:
        """The version that would be installed. Raises `ImageError` if there is none."""
        return self._field(package, "Version")

    def system(self, packages: Sequence[str]) -> list[str]:
        """All that the smallest system with `packages` has, each as "package version".

        Raises `ImageError`.
        """
        words = ["install", "--simulate", "--no-install-recommends", *_SMALLEST, *packages]
        told = self._apt("apt-get", *words)
        return sorted(
            f"{name} {version}"
            for name, version in re.findall(r"^Inst (\S+) \((\S+) ", told, re.MULTILINE)
        )

    def date_s(self) -> int:
        """When the suite was published, s since 1970; a stable one is with each point release.

        Raises `ImageError` where its lists do not say.
        """
        lists = self._folder / "state/lists"
        dates = [
            int(parsedate_to_datetime(found[1]).timestamp())
            for name in ("InRelease", "Release")
            for path in lists.glob(f"*_dists_{self.suite}_{name}")
            if (found := _DATE.search(path.read_text()))
        ]
        if not dates:
            raise ImageError(f"{self.suite}: no Release in {lists} has a date; expected Debian's")
        return max(dates)

    def depends(self, package: str, beginning: str) -> str:
        """The package that `package` depends on whose name begins so. Raises `ImageError`."""
        for part in re.split(r"[,|]", self._field(package, "Depends")):
            name = part.split("(")[0].strip()
            if name.startswith(beginning):
                return name
        raise ImageError(f"{package}: depends on no {beginning}*; expected Debian's package")

    def fetch(self, package: str) -> Path:
        """The package as a file. Raises `ImageError`."""
        version = self.version(package)
        folder = self._folder / "debs"
        name = f"{package}_{version.replace(':', '%3a')}_*.deb"
        if not list(folder.glob(name)):
            self._apt("apt-get", "download", "-qq", f"{package}={version}", folder=folder)
        found = list(folder.glob(name))
        if len(found) != 1:
            raise ImageError(f"{package}: {len(found)} files after a download; expected one")
        os.utime(found[0])
        return found[0]

    def _age_s(self) -> float:
        return time.time() - self._stamp.stat().st_mtime if self._stamp.exists() else float("inf")

    def _field(self, package: str, field: str) -> str:
        shown = self._apt("apt-cache", "show", "--no-all-versions", package)
        found = re.search(rf"^{field}: (.+)$", shown, re.MULTILINE)
        if found is None:
            raise ImageError(f"{package}: has no field {field}; expected Debian's package")
        return found[1]

    def _apt(self, program: str, *words: str, folder: Path | None = None) -> str:
        own = {
            "APT::Architecture": self.arch,
            "APT::Architectures": self.arch,
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            "Dir::State": f"{self._folder}/state",
            "Dir::State::status": f"{self._folder}/status",
            "Dir::Cache": f"{self._folder}/cache",
            "Dir::Cache::pkgcache": "pkgcache.bin",  # images of containers turn it off
            "Dir::Cache::srcpkgcache": "srcpkgcache.bin",
            "Dir::Etc::sourcelist": str(self.sources),
            "Dir::Etc::sourceparts": f"{self._folder}/parts",
        }
        options = [word for key, value in own.items() for word in ("-o", f"{key}={value}")]
        return command.run([program, *options, *words], 900, folder)


def suite_lines(suite: str, folder: Path = Path("/etc/apt")) -> str:
    """Where the machine's apt finds `suite`, its updates and its fixes, a line each. Raises `ImageError`."""
    wanted = (suite, f"{suite}-updates", f"{suite}-security")
    lines = []
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    for path in files:
        text = path.read_text() if path.is_file() else ""
        if path.suffix == ".sources":
            lines += [line for stanza in _STANZA_END.split(text) for line in _stanza(stanza)]
        elif path.suffix == ".list":
            lines += [line.strip() for line in text.splitlines() if line.startswith("deb ")]
    kept = [
        line
        for line in lines
        if re.sub(r"\[.*?\]", "", line).split()[2:3] in [[one] for one in wanted]
    ]
    if not kept:
        raise ImageError(f"apt: no source in {folder} has {suite}; expected Debian's")
    return "".join(f"{line}\n" for line in dict.fromkeys(kept))


def _stanza(text: str) -> list[str]:
    """The lines that say what a paragraph of a .sources file says."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        if ":" in line and not line.startswith(("#", " ")):
            key, _, value = line.partition(":")
            fields[key] = value.strip()
    if "deb" not in fields.get("Types", "").split() or fields.get("Enabled") == "no":
        return []
    keyring = fields.get("Signed-By", "")
    options = f" [signed-by={keyring}]" if keyring.startswith("/") else ""
    parts = fields.get("Components", "main")
    return [
        f"deb{options} {uri} {suite} {parts}"
        for uri in fields.get("URIs", "").split()
        for suite in fields.get("Suites", "").split()
    ]
