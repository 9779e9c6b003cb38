"""Imports point down, and the habits that no linter of the shelf knows."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from source_tree import ROOT, Function, imports, modules, names, tree, where

LINES_MAX = 400

#: What `access` and `wire` may use of the standard library; `typing` and `collections.abc` for types only.
PURE = frozenset(
    (
        "collections",
        "struct",
        "json",
        "binascii",
        "hashlib",
        "hmac",
        "math",
        "array",
        "re",
        "sys",
        "errno",
    )
)
FOR_TYPES = frozenset(("typing", "collections.abc"))

BACKENDS = "hal.backends"  #: only programs name them
BOARD = "hal.board"  #: its parts have names that begin alike: they are one room

#: room: (which parts of the project it may import, which top-level modules from outside; None: any).
#: The longest name that fits counts. A name covers the modules below it.
ROOMS: dict[str, tuple[tuple[str, ...], frozenset[str] | None]] = {
    "firmware": ((), frozenset()),
    "firmware.access": (("firmware.access",), PURE),
    "firmware.wire": (("firmware.access", "firmware.wire", "hal.ports"), PURE),
    "firmware.trust": (("firmware.trust",), None),
    "firmware.runtime": (
        ("firmware.access", "firmware.wire", "firmware.runtime", "hal.ports", "hal.errors"),
        PURE | {"heapq", "select"},
    ),
    "firmware.services": (
        (
            "firmware.access",
            "firmware.wire",
            "firmware.trust",
            "firmware.runtime",
            "firmware.services",
            "hal.ports",
            "hal.errors",
        ),
        None,
    ),
    "firmware.main": (("firmware", "hal", BACKENDS), None),
    "firmware.program": (("firmware", "hal"), None),
    "firmware.selftest_program": (("firmware", "hal"), None),
    "firmware.check": (("hal",), None),
    "firmware.__main__": (("firmware.main",), None),
    "firmware.arguments": ((), None),
    "hal": (("hal",), None),
    "hal.ports": (("hal.errors",), PURE),
    "hal.errors": ((), PURE),
    "hal.drivers": (("hal.drivers", "hal.errors", "hal.ports"), PURE),
    BACKENDS: ((BACKENDS, "hal.errors", "hal.ports"), None),
    "host_tools": (
        (
            "host_tools",
            "firmware.access",
            "firmware.arguments",
            "firmware.wire",
            "firmware.trust",
            "hal.board",
            "hal.errors",
        ),
        None,
    ),
    "sim": (("firmware", "hal", BACKENDS, "host_tools", "sim"), None),
    "bench": (("bench", "firmware", "hal", BACKENDS, "host_tools", "sim"), None),
}
#: The version of the firmware stands in its root, which imports nothing: anybody may look at it.
ROOT_PACKAGE = "firmware"

#: Programs and their commands: they talk to people on their standard output.
PROGRAMS = (
    "firmware.main",
    "firmware.program",
    "firmware.selftest_program",
    "sim.main",
    "sim.run",
    "sim.record",
    "sim.soak.run",
)

#: Write the contract's field ``simulated`` as they are told, and decide nothing by it.
MARKERS = ("firmware.services.journal_file",)

SECRETS = {"pin", "digits", "duress_pin", "pin_hash", "pin_salt", "private_key", "seed", "psk"}


def below(module: str, name: str) -> bool:
    """Whether `module` is `name` or lies in it."""
    return module == name or module.startswith(name + ".")


def room(module: str) -> str:
    """The room that `module` belongs to."""
    return max((name for name in ROOMS if below(module, name)), key=len)


def allowed(name: str, mine: tuple[str, ...]) -> bool:
    """Whether `name` lies in one of the rooms `mine`; backends only where they are named themselves."""
    if below(name, BACKENDS):
        return BACKENDS in mine
    return any(below(name, one) or (one == name[: len(one)] == BOARD) for one in mine)


def complaints() -> Iterator[str]:
    """Every import that points the wrong way."""
    for module, file in modules().items():
        mine, outside = ROOMS[room(module)]
        for name, node, typing_only in imports(module):
            at = f"{where(file, node)}: {module} imports {name}"
            if name.partition(".")[0] in ("firmware", "hal", "sim", "host_tools", "bench", "tests"):
                if name != ROOT_PACKAGE and not allowed(name, mine):
                    yield f"{at}; expected only {', '.join(mine) or 'nothing of the project'}"
            elif typing_only and name in FOR_TYPES:
                continue
            elif outside is not None and name.partition(".")[0] not in outside:
                yield f"{at}; expected only {', '.join(sorted(outside)) or 'nothing'}"


def public(file: Path) -> Iterator[tuple[ast.ClassDef | None, Function | ast.ClassDef]]:
    """The public classes and functions of a file, with the class they stand in."""
    for node in tree(file).body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield None, node
            if isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, Function) and not inner.name.startswith("_"):
                        yield node, inner


def documented_above(owner: ast.ClassDef | None, name: str, seen: frozenset[str]) -> bool:
    """Whether a class that `owner` extends says what its method `name` does."""
    for base in owner.bases if owner is not None else []:
        title = ast.unparse(base).rpartition(".")[2]
        if title in seen:
            continue
        for file in modules().values():
            for node in tree(file).body:
                if isinstance(node, ast.ClassDef) and node.name == title:
                    for inner in node.body:
                        if isinstance(inner, Function) and inner.name == name:
                            return ast.get_docstring(inner) is not None
                    if documented_above(node, name, seen | {title}):
                        return True
    return False


def product() -> list[Path]:
    """Every file of the product."""
    return list(modules().values())


def none(findings: list[str]) -> None:
    """Fail with every finding, one a line."""
    assert not findings, "\n" + "\n".join(findings)


def test_every_import_points_down() -> None:
    none(list(complaints()))


def test_the_rooms_are_there_to_be_looked_at() -> None:
    known = modules()
    assert {"firmware.access.portal", "hal.ports", "sim", "host_tools"} <= set(known)
    assert len([name for name in known if below(name, "firmware.access")]) > 10


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("firmware.access.portal", "time"),
        ("firmware.access.portal", "firmware.runtime.aio"),
        ("firmware.runtime.aio", "hal.drivers.lock"),
        ("firmware.runtime.aio", "asyncio"),
        ("firmware.services", "sim.world"),
        ("firmware.services", "hal.backends.gpiod_lines"),
        ("hal.board", "firmware.access"),
        ("hal.board", "hal.backends.gpiod_lines"),
        ("host_tools", "firmware.runtime.clock"),
        ("host_tools", "sim.world"),
    ],
)
def test_an_import_that_points_up_is_found(
    module: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_import(of: str) -> list[tuple[str, ast.stmt, bool]]:
        return [(name, ast.Pass(), False)] if of == module else []

    monkeypatch.setattr(sys.modules[__name__], "imports", one_import)
    found = list(complaints())
    assert len(found) == 1, found
    assert f"{module} imports {name}" in found[0]


def test_no_exception_is_caught_without_a_name() -> None:
    none(
        [
            f"{where(file, node)}: a bare except; expected the errors that are meant"
            for file in product()
            for node in ast.walk(tree(file))
            if isinstance(node, ast.ExceptHandler) and node.type is None
        ]
    )


def test_only_programs_print() -> None:
    findings = []
    for module, file in modules().items():
        if module in PROGRAMS or '__name__ == "__main__"' in file.read_text():
            continue
        if module.split(".")[0] in ("host_tools", "bench"):
            continue
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "print":
                findings.append(f"{where(file, node)}: prints; expected that of a program only")
    none(findings)


def test_no_task_is_started_without_a_supervisor() -> None:
    none(
        [
            f"{where(file, node)}: {node.attr}; expected a task with a name and a supervisor"
            for file in product()
            for node in ast.walk(tree(file))
            if isinstance(node, ast.Attribute) and node.attr in ("create_task", "ensure_future")
        ]
    )


def test_nothing_outside_sim_asks_whether_it_is_simulated() -> None:
    findings = []
    for module, file in modules().items():
        if below(module, "sim") or module in MARKERS:
            continue
        for node in ast.walk(tree(file)):
            asked: list[ast.expr] = []
            if isinstance(node, ast.If | ast.IfExp | ast.While | ast.Assert):
                asked = [node.test]
            elif isinstance(node, ast.BoolOp):
                asked = node.values
            found = {name for one in asked for name in names(one) if "simulat" in name.lower()}
            if isinstance(node, Function) and node.name.startswith("is_simulat"):
                found.add(node.name)
            findings += [
                f"{where(file, node)}: asks {name}; expected another port or clock"
                for name in sorted(found)
            ]
    none(findings)


def test_every_module_says_what_it_is() -> None:
    files = product() + sorted((ROOT / "tests").glob("**/*.py"))
    none(
        [
            f"{where(file)}: no module docstring"
            for file in files
            if tree(file).body and ast.get_docstring(tree(file)) is None
        ]
    )


def test_everything_public_says_what_it_does() -> None:
    none(
        [
            f"{where(file, node)}: {node.name} has no docstring"
            for file in product()
            for owner, node in public(file)
            if ast.get_docstring(node) is None
            and not documented_above(owner, node.name, frozenset())
        ]
    )


def test_no_file_of_the_product_passes_400_lines() -> None:
    none(
        [
            f"{where(file)}: {count} lines; expected at most {LINES_MAX}"
            for file in product()
            if (count := len(file.read_text().splitlines())) > LINES_MAX
        ]
    )


#: records that carry what somebody showed or typed: which argument that is
CARRIERS = {"CardRead": 0, "CodeRead": 0, "KeyRead": 0, "Step": 1, "Lookup": 2}


def test_what_somebody_showed_or_typed_is_held_by_a_secret_in_every_record() -> None:
    found, findings = set(), []
    for module, file in modules().items():
        for node in ast.walk(tree(file)):
            name = ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
            if not isinstance(node, ast.Call) or name not in CARRIERS:
                continue
            found.add(name)
            given = ast.unparse(node.args[CARRIERS[name]])
            if not given.startswith(("Secret(", "secret.Secret(")) and given != "step.digits":
                findings.append(f"{where(file, node)}: {module}: {name} of {given}")
    none(findings)
    assert found == set(CARRIERS)


def test_no_secret_is_put_into_an_error_or_a_printed_line() -> None:
    findings = []
    for module, file in modules().items():
        if module.split(".")[0] not in ("firmware", "hal"):
            continue
        for node in ast.walk(tree(file)):
            told: list[ast.AST] = []
            if isinstance(node, ast.Raise) and node.exc is not None:
                told = [node.exc]
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "print":
                told = list(node.args)
            elif isinstance(node, ast.FormattedValue):
                told = [node.value]
            found = {name for one in told for name in names(one) if name in SECRETS}
            findings += [f"{where(file, node)}: tells {name}" for name in sorted(found)]
    none(findings)
