"""Doors of which never two may be open at once (a sluice, a cash room).

Pure. A group's portal may be released for somebody while every other one is closed and locked. The way
out and a fire do not ask.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.access.portal import Portal


class Interlock:
    """The groups of one site: dict name -> tuple of portals; `doors` is dict name -> Portal."""

    def __init__(self, groups: "dict[str, tuple[str, ...]]", doors: "dict[str, Portal]") -> None:
        self._others: dict[str, list[Portal]] = {}
        for name in sorted(doors):
            others: set[str] = set()
            for group in groups:
                if name in groups[group]:
                    others.update(groups[group])
            others.discard(name)
            self._others[name] = [doors[other] for other in sorted(others)]

    def holds(self, name: str) -> bool:
        """Whether portal `name` has to stay locked: another of its groups is open or unlocked."""
        return any(door.door_open or door.unlocked for door in self._others[name])

    def others(self, name: str) -> "list[str]":
        """The other portals of the groups of portal `name`."""
        return [door.name for door in self._others[name]]
