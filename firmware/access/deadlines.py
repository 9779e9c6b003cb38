"""What several machines of one thing are due at: the caller waits for the first."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def earliest(dues: "Iterable[int | None]") -> "int | None":
    """The first of some deadlines, ms; None where there is none."""
    first: int | None = None
    for at_ms in dues:
        if at_ms is not None and (first is None or at_ms < first):
            first = at_ms
    return first
