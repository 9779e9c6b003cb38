"""One OSDP reader through libosdp: its secure channel, what it says, what is sent to it.

A `Link` gives the library one context a reader and stands between it and the wire: it hands over what the
library wants sent (`out`) and takes whole replies (`answered`), so that whoever owns the wire decides when
who is asked, how often again, and when a reader is lost. The library's own times for that (1 s for a
reply that was lost, 8 s until a reader is, 300 s until the next try) never begin.

With ENFORCE_SECURE the library takes nothing in plain or under the default key (SCBK-D); besides, what is
said counts only while the secure channel stands. A reader is up with its first right answer inside that
channel: a handshake alone proves only that somebody passes it on. OSDP gives a card no age, and readers keep
cards while nobody asks. So a reader that was away is first asked until it has nothing more to tell; cards and
keys that come with that are dropped, and only then it is back. None that is shown once it is back is lost.

Not safe between threads: all calls come from the one that owns the wire, `want` excepted.
"""

from collections.abc import Callable
from typing import Any

from hal.backends import osdp_frames as frames
from hal.ports import BITS, LEVEL, POWER, Frame

POLL_MS = 51  #: the library asks a reader that is on line so long after its last reply
BUSY_MS = 100  #: a reader that is busy is asked again after this
SILENT_MS = (
    1500  #: no word in the secure channel for so long, and a reply missed or wrong: it is lost
)
MISSES = 3  #: so many replies missed, one after the other, are as good
RETRY_MS = 1000  #: a reader that refuses is tried again after this
SOUND_MS = 10_000  #: how long a buzzer sounds by itself if nobody says any more
KEPT = 32  #: answers of a reader that was away that may hold what it kept; no more is taken for old
SET_BACK_MS = 100  #: a clock set back by less is waited for: a new channel takes as long
AGAIN_MS = 8000  #: so a sound that goes on is sent again
BEEP_MS = 100  #: a sound that was over before its turn came lasts so long, OSDP's unit of time

_REFUSALS = 2  # one may be noise
_BREAKS = 4  # channels, in a row, that did not stand so long are a reader that cannot be used
_STANDS_MS = 500
_STEPS = 8  # of the library, from wherever it is to a reader that is disabled
_KEYS = {ord("*"): 10, 0x7F: 10, ord("#"): 11, 0x0D: 11}
_KEYS.update({ord(str(digit)): digit for digit in range(10)})

_SILENT = "does not answer; expected it powered and wired, at this address and baud rate"
_BROKEN = (
    "answers in its secure channel in plain, with a wrong MAC or a refusal; expected no other device "
    "on its wire, and a reader that works"
)
_REFUSED = {
    frames.ID: "does not say what it is; expected an OSDP reader at this address",
    frames.CAPABILITIES: "offers no secure channel; expected a reader that has one",
    frames.CHALLENGE: "does not know its key; expected the one that --osdp-install gave it",
    frames.SERVER_CRYPTOGRAM: "refuses its key; expected the one that --osdp-install gave it",
}


class Link:
    """One reader at `address`.

    library  module  osdp_sys
    key      bytes   its secure channel's key, 16 bytes
    say      callable (kind, data)  a card or a key (BITS), its housing (LEVEL), its power (POWER)
    state    callable (problem)     it is lost, one line; None: it is back
    install  bool  SCBK-D is good enough to give it its key
    """

    id = 1  # what the library calls the wire; 0 would be none

    def __init__(
        self,
        library: Any,
        address: int,
        key: bytes,
        say: Callable[[str, Any], None],
        state: Callable[[str | None], None],
        install: bool = False,
    ) -> None:
        self.address = address
        #: bytes or None  a command that waits to be sent, or for its reply
        self.out: bytes | None = None
        #: int  when to call `ready` or to send `out` next
        self.due_ms = 0
        #: int  replies missed since the last one
        self.misses = 0
        #: bool  it has answered since it was last given up
        self.answers = False
        #: bool  it is lost, and that was told
        self.lost = False
        #: bytes or None  a key to give it, and whether it has taken that; from any thread
        self.new_key: bytes | None = None
        self.key_taken = False
        #: bool  it was on line in its secure channel, and has answered at all; for any thread
        self.seen_up = self.heard = False
        self._library = library
        self._say = say
        self._state = state
        self._install = install
        self._in = b""
        self._went_off = False
        self._restarting = False
        self._heard_ms: int | None = None  # a right answer in the secure channel
        self._replied_ms = 0  # anything
        self._proven = False  # there was one since the handshake
        self._stands_since_ms = 0
        self._breaks = 0  # of channels, in a row, that did not stand for `_STANDS_MS`
        self._old = KEPT  # so many answers may yet hold what it kept while it was away
        self._refusals = 0  # in a row, with no such answer between
        self._wrong = ""  # what the last one was
        self._light = self._lit = 0
        self._sound = self._sounding = False
        self._beep = False  # a sound was wanted and is not sent yet
        self._sound_ms = 0
        self._status_asked = False
        self._sent: dict[int, int] = {}  # command: how often it was refused in a row
        flags = library.FLAG_ENABLE_NOTIFICATION
        if not install:
            flags |= library.FLAG_ENFORCE_SECURE
        self._panel = library.ControlPanel(
            [
                {
                    "name": f"reader-{address}",
                    "address": address,
                    "flags": flags,
                    "scbk": key,
                    "channel": self,
                }
            ]
        )
        self._panel.set_event_callback(self._event)

    # ---- what the library calls ---------------------------------------------------------------------

    def read(self, most: int) -> bytes:
        """The reply that has come."""
        data, self._in = self._in[:most], self._in[most:]
        return data

    def write(self, data: bytes) -> int:
        """The library wants `data` sent."""
        self.out = bytes(data)
        return len(data)

    def flush(self) -> None:
        """Forget what has come."""
        self._in = b""

    # ---- what the wire's owner calls -----------------------------------------------------------------

    @property
    def up(self) -> bool:
        """Whether it is on line in its secure channel."""
        return bool(self._panel.status() & 1 and self._panel.sc_status() & 1)

    def ready(self, now_ms: int) -> bytes | None:
        """What is to be sent now; None: nothing before `due_ms`."""
        if self._heard_ms is None:
            self._heard_ms = now_ms
        if self.out is None:
            self._next(now_ms)
        return self.out

    def answered(self, reply: bytes, now_ms: int) -> None:
        """The whole reply to `out` has come."""
        if frames.is_busy(reply):
            self.due_ms = now_ms + BUSY_MS
            self.look(now_ms)
            return
        asked = frames.command_of(self.out or b"S\0\0\0\0\0")
        self.out = None
        self.misses = 0
        self.answers = self.heard = True
        self._in = reply
        self._replied_ms = now_ms
        self._panel.refresh()
        if self._went_off:
            self._gave_up(asked, now_ms, frames.command_of(reply) in frames.SHOWN)
            return
        if self.up and asked not in frames.HANDSHAKE:
            if not self._proven:
                self._stands_since_ms = now_ms
            elif now_ms - self._stands_since_ms >= _STANDS_MS:
                self._breaks = 0
            self._proven = True
            self._heard_ms = now_ms
            self._refusals = 0
            self._wrong = ""
            self._old = max(0, self._old - 1) if frames.command_of(reply) != frames.ACK else 0
            if not self._old and self._breaks < _BREAKS:
                self.seen_up = True
                if self.lost:
                    self.lost = False
                    self._state(None)
        if self.out is None:
            self._next(now_ms)

    def missed(self, now_ms: int) -> None:
        """No reply to `out` came in its time; it is to be sent again."""
        self.misses += 1
        self.look(now_ms)
        if self.misses >= MISSES:
            stood_ms = (self._heard_ms or 0) - self._stands_since_ms
            if self._proven and stood_ms < _STANDS_MS:
                self._breaks += 1
            self._lose(_SILENT)
            self.restart(now_ms)

    def look(self, now_ms: int) -> None:
        """Has it been silent for too long? What is lost already keeps its reason."""
        if self.lost:
            return
        silent_ms = now_ms - (now_ms if self._heard_ms is None else self._heard_ms)
        failed = self.misses or self._refusals
        if silent_ms >= 3 * SILENT_MS or (silent_ms >= SILENT_MS and failed):
            self._lose(self._wrong or _SILENT)

    def gone(self, problem: str) -> None:
        """Its wire has gone."""
        self._lose(problem)
        self.restart(0)

    def restart(self, now_ms: int) -> None:
        """Begin anew, with a fresh secure channel."""
        self.misses = 0
        self.answers = self._proven = False
        self._restarting = True
        self._panel.disable_pd(0)
        for _ in range(_STEPS):
            if not self._panel.is_pd_enabled(0):
                break
            self._in = frames.spoilt(self.address)  # it gives up what it waits for
            self._panel.refresh()
        self._in = b""
        self.out = None
        self._panel.enable_pd(0)
        self._panel.refresh()
        self._restarting = False
        self._went_off = False
        self._lit = 0
        self._sounding = False
        self._status_asked = False
        self.due_ms = now_ms

    # ---- what its owner wants of it ------------------------------------------------------------------

    def want(self, light: int, sound: bool) -> None:
        """Its light, one of the library's LED_COLOR_ numbers, and its buzzer; sent now or once it is back.

        A sound that is over before the wire had time for it is heard all the same, a reader that is lost
        excepted. From any thread.
        """
        self._light = light
        if not self.lost:
            self._beep = self._beep or sound
            self.due_ms = 0
        self._sound = sound

    # ---- how -----------------------------------------------------------------------------------------

    def _next(self, now_ms: int) -> None:
        """Have the library say what it wants sent, if anything is due."""
        online = self._panel.status() & 1
        if online and self._proven and not self._old:
            command = self._wanted(now_ms)
            if command is not None:
                self._panel.submit_command(0, command)
        for _ in range(3):  # it takes its steps one at a time
            self._panel.refresh()
            if self.out is not None:
                self.due_ms = now_ms
                return
            if self._went_off:
                self._gave_up(0, now_ms)
                return
        if online and now_ms - self._replied_ms - POLL_MS > SET_BACK_MS:
            # It reckons by the time of day, and would ask nothing until the day is where it was.
            self.restart(now_ms)
            self.answers = True
            self.look(now_ms)  # who is asked nothing, again and again, is as good as silent
            return
        self.due_ms = max(now_ms + 1, self._replied_ms + POLL_MS) if online else now_ms + POLL_MS

    def _wanted(self, now_ms: int) -> dict[str, Any] | None:
        """A command for what is wanted and not so yet; a reader is not told twice what it refuses."""
        library = self._library
        if self.new_key is not None:
            key, self.new_key = self.new_key, None
            return {"command": library.CMD_KEYSET, "type": 1, "data": key}
        if not self._status_asked and self._takes(library.CMD_STATUS, None):
            self._status_asked = True
            return {"command": library.CMD_STATUS, "type": library.STATUS_REPORT_LOCAL}
        light = self._light
        if light != self._lit and self._takes(library.CMD_LED, library.CAP_READER_LED_CONTROL):
            self._lit = light
            return {
                "command": library.CMD_LED,
                "reader": 0,
                "led_number": 0,
                "control_code": 1,
                "on_count": 1,
                "off_count": 0,
                "on_color": light,
                "off_color": light,
            }
        sound, sounded_ms = self._beep or self._sound, now_ms - self._sound_ms
        if sound == self._sounding and not (sound and sounded_ms >= AGAIN_MS):
            if sound:
                self._beep = False
            return None
        if self._sounding and not sound and sounded_ms < BEEP_MS:
            return None
        if not self._takes(library.CMD_BUZZER, library.CAP_READER_AUDIBLE_OUTPUT):
            return None
        self._beep = False
        self._sounding = sound
        self._sound_ms = now_ms
        return {
            "command": library.CMD_BUZZER,
            "reader": 0,
            "control_code": 2 if sound else 1,
            "on_count": SOUND_MS // 100 if sound else 0,
            "off_count": 0,
            "rep_count": 1,
        }

    def _takes(self, command: int, capability: int | None) -> bool:
        """Whether it has what `command` is for, and has not refused it."""
        if self._sent.get(command, 0) >= _REFUSALS:
            return False
        return capability is None or self._panel.check_capability(0, capability)[0] > 0

    def _gave_up(self, asked: int, now_ms: int, shown: bool = False) -> None:
        """The library has taken it off line. A channel that stood is made anew at once.

        shown  bool  by an answer that was to carry a card or keys, which are lost: that is told
        """
        self._breaks += 1
        stood = self._proven and self._breaks < _BREAKS and not shown
        if not stood:
            self._wrong = _BROKEN if self._proven else _REFUSED.get(asked, _BROKEN)
            self._refusals += 1
            if self._proven or self._refusals >= _REFUSALS:
                self._lose(self._wrong)
        self.restart(now_ms)
        self.answers = stood
        if not stood:
            self.due_ms = now_ms + (RETRY_MS if self.lost else POLL_MS)
        self.look(now_ms)

    def _lose(self, problem: str) -> None:
        self.lost = True
        self._old = KEPT
        self._beep = False
        self._state(problem)

    def _event(self, index: int, event: dict[str, Any]) -> int:
        """What the library tells; it never lets go of `event` itself, so that is emptied."""
        told = dict(event)
        event.clear()
        library = self._library
        kind = told.get("event")
        if kind == library.EVENT_NOTIFICATION:
            self._notified(told)
        elif not self.up or (
            (self._old or self.lost) and kind in (library.EVENT_CARDREAD, library.EVENT_KEYPRESS)
        ):
            return 0
        elif kind == library.EVENT_CARDREAD and "length" in told:
            bits = "".join(f"{byte:08b}" for byte in told["data"])
            self._say(BITS, Frame(bits[: told["length"]]))
        elif kind == library.EVENT_KEYPRESS:
            for byte in told["data"]:
                if byte in _KEYS:
                    self._say(BITS, Frame(f"{_KEYS[byte]:04b}"))
        elif kind == library.EVENT_STATUS and told["type"] == library.STATUS_REPORT_LOCAL:
            tampered, unpowered = told["report"][:2]
            self._say(LEVEL, not tampered)
            self._say(POWER, not unpowered)
        return 0

    def _notified(self, told: dict[str, Any]) -> None:
        library = self._library
        if told["type"] == library.EVENT_NOTIFICATION_PD_STATUS and not told["arg0"]:
            self._went_off = True
        elif told["type"] == library.EVENT_NOTIFICATION_COMMAND and not self._restarting:
            if told["arg0"] == library.CMD_KEYSET:
                self.key_taken = bool(told["arg1"])
            refused = 0 if told["arg1"] else self._sent.get(told["arg0"], 0) + 1
            self._sent[told["arg0"]] = refused
