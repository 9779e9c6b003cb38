"""One operator's hand: signs commands for one controller and believes only that controller's replies.

No I/O and no clock: the caller passes the time, sends what is made to the topic `command`, and brings what
came on `reply/<id>`. The seed is shown in no repr and no error (law 7).
"""

import datetime
import os
from collections import namedtuple
from typing import Any

from firmware.trust import order, signing

LIFE_S = 30  #: from a command's `issued` to its `expires`, where nobody says otherwise

#: What a reply says.
#:
#: ok       bool         whether it was done
#: result   dict         what came of it; empty where it was not done
#: code     str or None  why not, one of the contract's words
#: message  str or None  the same for people, in English
Answer = namedtuple("Answer", "ok result code message")


class ReplyError(Exception):
    """What came as a reply is not the controller's answer to this command."""


class Signer:
    """Makes commands of one operator to one controller.

    name        str    the operator's id
    seed        bytes  its Ed25519 seed
    to          str    site/controller
    public_key  dict   the controller's, as `status` carries it: ``seal`` and ``sign``. Without the first
                       nothing can be sealed to it, without the second no reply be believed.

    Raises `firmware.trust.signing.KeyTextError`.
    """

    def __init__(self, name: str, seed: bytes, to: str, public_key: dict[str, str]) -> None:
        self.name = name
        self._seed = seed
        self._to = to
        keys = {kind: signing.key_bytes(text) for kind, text in public_key.items()}
        self._seal_key, self._sign_key = keys.get("seal"), keys.get("sign")
        self._last_n = 0

    def command(
        self,
        op: str,
        args: dict[str, Any],
        *,
        now_ms: int,
        n: int,
        life_s: int = LIFE_S,
        nonce: str | None = None,
    ) -> dict[str, Any]:
        """A signed command that ends `life_s` after `now_ms` (UTC, of the controller's site).

        `n` is the least number it may carry: it rises with every command, whatever the clock does.
        Raises `firmware.trust.canonical.CanonicalError` for arguments that no JSON can carry.
        """
        self._last_n = max(n, self._last_n + 1)
        return order.make(
            op,
            args,
            id=os.urandom(16).hex(),
            to=self._to,
            by=self.name,
            seed=self._seed,
            issued=_utc(now_ms // 1000),
            expires=_utc(now_ms // 1000 + life_s),
            seal_key=self._seal_key,
            n=self._last_n,
            nonce=nonce,
        )

    def answer(self, command: dict[str, Any], reply: Any) -> Answer:
        """What the controller says to `command`. Raises `ReplyError` unless it is signed and meant."""
        if not isinstance(reply, dict) or reply.get("id") != command["id"]:
            raise ReplyError("reply: is not to this command; expected its id")
        if self._sign_key is None or not signing.is_signed(reply, self._sign_key):
            raise ReplyError("reply: the signature is wrong; expected the controller's own")
        if reply.get("ok") is True:
            result = reply.get("result")
            return Answer(True, result if isinstance(result, dict) else {}, None, None)
        error = reply.get("error")
        if not isinstance(error, dict):
            raise ReplyError("reply: says neither done nor why not; expected one of them")
        return Answer(False, {}, str(error.get("code")), str(error.get("message") or ""))

    def __repr__(self) -> str:
        return f"Signer({self.name!r})"


def _utc(at_s: int) -> str:
    """UTC seconds as the contract writes them: ``2026-11-21T08:15:00Z``."""
    return datetime.datetime.fromtimestamp(at_s, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
