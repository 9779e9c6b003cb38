"""What somebody showed or typed, held so that no repr, log line or exception tells it (law 7)."""


class Secret:
    """A text that shows as ``***``. Equal to the same text, held or plain."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text; for the one place that needs it."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __str__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return self._text == (other._text if isinstance(other, Secret) else other)

    def __hash__(self) -> int:
        return hash(self._text)


def plain(text: "str | Secret") -> str:
    """The text, whether it is held or plain."""
    return text.reveal() if isinstance(text, Secret) else text
