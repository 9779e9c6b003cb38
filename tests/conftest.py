"""What holds for every tier: which tests need something of the system, and that skipping is loud.

``DOORWARD_MISSING``   names of system packages that are not there (`make test` sets it); the tests that
                       need one of them are skipped, and the summary says so.
``DOORWARD_NO_SKIPS``  set where everything must run: a skipped test then fails the session, unless it
                       needs hardware (`EXCUSED`).
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

MISSING = os.environ.get("DOORWARD_MISSING", "").split()
NO_SKIPS = os.environ.get("DOORWARD_NO_SKIPS", "") not in ("", "0")

#: What whole folders need; a single test says ``@pytest.mark.needs("mosquitto")``.
TIER_NEEDS = {"e2e": ("chromium", "fonts-noto-cjk")}

#: Skips that no package mends: these run on an emulated board, or with a kernel that is one's own.
EXCUSED = ("NOT RUN ON A KERNEL'S", "NOT RUN UNDER A SYSTEMD")

HIL = Path(__file__).resolve().parent / "hil"

skipped: list[str] = []


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", "needs(package, ...): system packages without which it is skipped"
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The emulated board starts for those who name it (`make hil`): it takes minutes and asks for root."""
    asked = [Path(arg.split("::")[0]).resolve() for arg in config.args]
    named = any(path == HIL or HIL in path.parents for path in asked)
    return True if collection_path == HIL and not named else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a package that is not there."""
    for item in items:
        needs = list(TIER_NEEDS.get(Path(item.path).parent.name, ()))
        for mark in item.iter_markers("needs"):
            needs += mark.args
        absent = [name for name in needs if name in MISSING]
        if absent:
            item.add_marker(pytest.mark.skip(reason="MISSING: " + " ".join(absent)))


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    """A program that a test runs in this process sets its umask; the next test has its own again."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember what was skipped; a test that is expected to fail was not."""
    if report.skipped and not hasattr(report, "wasxfail") and not _excused(report):
        skipped.append(report.nodeid)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """A file that was skipped whole counts as well."""
    if report.skipped and not _excused(report):
        skipped.append(report.nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Tests that run side by side: what a worker skipped whole counts here; one that crashed says nothing."""
    output: dict[str, Any] = getattr(node, "workeroutput", {})
    skipped.extend(set(output.get("skipped", [])) - set(skipped))


def _excused(report: pytest.TestReport | pytest.CollectReport) -> bool:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
    return any(excuse in reason for excuse in EXCUSED)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where everything must run, a skipped test fails the session."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["skipped"] = skipped
    if NO_SKIPS and skipped and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what did not run."""
    if MISSING:
        terminalreporter.section("NOT EVERYTHING RAN", sep="!", red=True, bold=True)
        terminalreporter.line("missing system packages: %s" % " ".join(MISSING))
    if NO_SKIPS and skipped:
        terminalreporter.section("SKIPPED WHERE EVERYTHING MUST RUN", sep="!", red=True, bold=True)
        for nodeid in skipped:
            terminalreporter.line(nodeid)
