"""The link as a service of its own, with a user of its own: it calls the door process, which listens.

One link at a time. A newer one takes the place of the one before: that one hangs, or it would not have been
started again. Between two there is a pause that grows (`Link`), so that whoever calls again and again
costs the door next to nothing.
"""

import socket
from typing import Any

from firmware.runtime import aio
from firmware.services import link
from firmware.services.link_listener import BACKLOG, Listener
from hal.errors import HalError


class LinkSocket(link.Link):
    """See `Link`; here the other process comes to `listener`, and systemd starts it again."""

    def __init__(
        self,
        section: dict[str, Any],
        site: str,
        controller: str,
        loop: aio.Loop,
        will_payload: str,
        listener: Listener,
    ) -> None:
        super().__init__(section, site, controller, loop, will_payload)
        self._listener = listener
        self._place: socket.socket | None = None
        self._listening = False
        self._listen_timer: aio.Timer | None = None

    def stop(self) -> None:
        """See `Link.stop`; then be called no more."""
        super().stop()
        self._close()

    def kill(self) -> None:
        """See `Link.kill`."""
        super().kill()
        self._close()

    def _begin(self) -> None:
        if self._place is None:
            try:
                self._place = self._listener.open()
            except HalError as error:
                self._say(False, f"{error}; trying again")
                self._later()
                return
        self._listen()

    def _let_go(self) -> None:
        """The closed channel ends the link itself; until `_begin` nobody may call."""
        if self._listen_timer is not None:
            self._listen_timer.cancel()
            self._listen_timer = None
        if self._place is not None and self._listening:
            self._listening = False
            self._loop.waiter.remove_reader(self._place.fileno())

    def _listen(self) -> None:
        self._listen_timer = None
        if self._place is not None and not self._listening:
            self._listening = True
            self._loop.waiter.add_reader(self._place.fileno(), self._called)

    def _called(self) -> None:
        """Somebody called: take the last of those who wait, then none for a while."""
        pause_ms = link.RESTART_MS
        newest = self._newest()
        if newest is None:
            self._let_go()  # no descriptor is left, or whoever called has gone
        elif self._channel is None:
            self._let_go()
            self._attach(newest)
        else:
            pause_ms = self._pause_ms()
            self._end()
            self._say(False, "link: another one came; expected one at a time; the newer one stays")
            self._attach(newest)
            self._tell_up(False)
        self._listen_timer = self._loop.call_at(self._loop.now_ms() + pause_ms, self._listen)

    def _newest(self) -> socket.socket | None:
        newest = None
        for _ in range(BACKLOG + 1):
            try:
                assert self._place is not None
                one, _ = self._place.accept()
            except OSError:
                break
            if newest is not None:
                newest.close()
            newest = one
        return newest

    def _close(self) -> None:
        self._listener.close()
        self._place = None
