"""A story as the tables of a scenario file: checked, and written as the text of one."""

import json
from typing import Any

from sim import scenario

Tables = dict[str, Any]

_LISTS = ("person", "step", "expect", "expect_not", "expect_world")


def checked(tables: Tables, path: str = "soak") -> scenario.Scenario:
    """The scenario that `tables` hold. Raises `sim.scenario.ScenarioError`."""
    return scenario.check(path, tables)


def text(tables: Tables, comment: list[str]) -> str:
    """The scenario file of `tables`, `comment` first."""
    lines = [f"# {line}".rstrip() for line in comment]
    lines += ["# needs: 3", ""]
    for key in ("board", "start", "end_ms"):
        if key in tables:
            lines.append(f"{key} = {_value(tables[key])}")
    if tables.get("override"):
        lines += ["", "[override]"]
        for path in sorted(tables["override"]):
            lines.append(f"{json.dumps(path)} = {_value(tables['override'][path])}")
    for kind in _LISTS:
        for entry in tables.get(kind, []):
            lines += ["", f"[[{kind}]]"]
            lines += [f"{key} = {_value(entry[key])}" for key in entry]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        inside = ", ".join(f"{json.dumps(key)} = {_value(value[key])}" for key in value)
        return "{ %s }" % inside
    if isinstance(value, list):
        return "[%s]" % ", ".join(_value(one) for one in value)
    # JSON's strings, numbers and booleans are TOML's, but for a DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
