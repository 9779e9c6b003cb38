"""The project's own source as syntax trees, for the lint tests."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = ("firmware", "hal", "sim", "host_tools", "bench")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def modules() -> dict[str, Path]:
    """Every module of the product: its dotted name, its file."""
    found = {}
    for part in PARTS:
        for file in sorted((ROOT / part).glob("**/*.py")):
            dotted = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            found[dotted.removesuffix(".__init__")] = file
    return found


@cache
def tree(file: Path) -> ast.Module:
    """The syntax tree of one file."""
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def where(file: Path, node: ast.AST | None = None) -> str:
    """How a finding names its place."""
    line = getattr(node, "lineno", 1)
    return f"{file.relative_to(ROOT)}:{line}"


def imports(module: str) -> Iterator[tuple[str, ast.stmt, bool]]:
    """What `module` imports, anywhere in it: the dotted name, the statement, whether only for types."""
    for node, typing_only in _statements(tree(modules()[module]), False):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node, typing_only
        elif isinstance(node, ast.ImportFrom):
            assert node.module, f"{module}: a relative import; expected the full name"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield (inner if inner in modules() else node.module), node, typing_only


def _statements(node: ast.AST, typing_only: bool) -> Iterator[tuple[ast.stmt, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child, typing_only
        guarded = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        yield from _statements(child, typing_only or guarded)


def names(node: ast.AST) -> set[str]:
    """Every value that stands in `node`, by its last name: of ``pin.MIN_DIGITS`` the ``MIN_DIGITS``."""
    found = set()
    owners = [child.value for child in ast.walk(node) if isinstance(child, ast.Attribute)]
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and child not in owners:
            found.add(child.id)
        elif isinstance(child, ast.Attribute):
            found.add(child.attr)
    return found
