"""Why a connection to the broker ended or never began, in a line for people."""

import socket


class Broken(Exception):
    """The connection is over, or never began.

    text      str   one line for people
    protocol  str   the MQTT version to ask with next time, "" for no change
    at_once   bool  the same broker, asked in another version: no need to wait
    silent    bool  it took the connection and did not answer
    garbled   bool  what it sent made no sense
    """

    def __init__(
        self,
        text: str,
        protocol: str = "",
        at_once: bool = False,
        silent: bool = False,
        garbled: bool = False,
    ) -> None:
        super().__init__(text)
        self.silent = silent
        self.garbled = garbled
        self.protocol = protocol
        self.at_once = at_once


def reason_of(error: Exception) -> str:
    """Why, in a few words of the system's."""
    if isinstance(error, socket.gaierror):
        return "no such name"
    if isinstance(error, TimeoutError):
        return "no answer"
    verify = getattr(error, "verify_message", "")
    reason = getattr(error, "reason", "") or ""
    text = verify or reason.replace("_", " ") or getattr(error, "strerror", "") or str(error)
    return words_of(text)


def words_of(text: str) -> str:
    """`text` on one line, without numbers of errors and of places in OpenSSL's code."""
    text = text.split("(_ssl.c")[0].split("] ")[-1]
    return "".join(c for c in text.strip().lower()[:120] if c.isprintable())
