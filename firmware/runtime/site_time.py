"""Wall time with a quality: what is believed of a clock that can jump, and since when.

Pure but for the two clocks that it is given. It follows the wall clock while that is to be believed;
while it is not, time goes on by the monotonic clock from the last time that was trusted, so that one bad
answer of a time server ends nobody's lease.

* A step back is followed, but decisions never see a time before one that was trusted (the floor). Within
  `LEAP_MS` the floor waits for the clock: most such steps put right one that was fast, and that heals by
  itself. A clock further back than that takes back no step forward that was believed, none of which was so
  long, so the floor goes on by the monotonic clock: a key ends when its time has passed, however wrong the
  clock. Schedules follow the clock. If the floor was the wrong one (the first source after a start was,
  see below), the owner says the time (`confirm`).
* Steps forward that together gain more than `LEAP_MS` on the furthest time ever believed, within a day of
  monotonic time, are a leap: not believed until the clock is set back, a second source says the same, or
  the owner sets the time.
* A board that started with nothing to go by leaves nothing behind: the first source is believed, unless
  it says a time that lies `START_MS` beyond the last trusted record, or a day before it.
* The owner's word (`confirm`) beats the floor, in both directions. What it moves back to is then the time:
  a key that ended only by the time that was wrong works again, uses and first uses stay spent, and what was
  cancelled or lost stays so.
"""

from firmware.access.credential import Moment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

TRUSTED = "trusted"  #: a source (NTP, an RTC) vouches for it
HOLDOVER = "holdover"  #: was trusted within the last day; runs on its own
UNTRUSTED = "untrusted"  #: booted with no source, or leapt ahead by more than `LEAP_MS`

STEP_MS = 2000  #: a wall clock that differs by more from what was expected has been set
LEAP_MS = 86400000  #: a gain of more is not believed
START_MS = 400 * LEAP_MS  #: longer than any outage
HOLDOVER_MS = 86400000
AGREE_MS = 60000  #: two sources that differ by no more say the same
HOUR_MS = 3600000


class SiteTime:
    """The time of one controller.

    floor_ms  int  UTC milliseconds of the last trusted record; 0: none
    lead_ms   int  `lead_ms` as it was kept before a restart; 0: the clock was believed

    ``on_step`` is told of every step, and of every change into or out of UNTRUSTED, as (delta_ms, quality).
    """

    def __init__(self, wall: "Any", clock: "Any", floor_ms: int, lead_ms: int = 0) -> None:
        self._wall = wall
        self._clock = clock
        self._floor_ms = floor_ms
        self._began_ms = self._mono_ms = clock.now_ms()
        self._wall_ms = self._utc_ms = wall.utc_ms()
        self._began_vouched = self._was_vouched = wall.vouched()
        self._vouched_ms: int | None = None
        self._leapt = lead_ms > 0
        self._lead_ms = lead_ms
        # What stands in for the wall clock, as UTC less monotonic time; None: it is followed.
        self._own_ms: int | None = None
        # The furthest that was believed, as UTC less monotonic time; None: nothing was yet.
        self._high_ms: int | None = None
        self._gains: list[tuple[int, int]] = []  # (hour of monotonic time, gained in it)
        self._room_ms = LEAP_MS
        # A source that was read when the clock may already have been wrong vouches for nothing.
        self._second_counts = False
        self._may_have_second = not self._leapt
        self.on_step: Callable[[int, str], None] | None = None
        self._judge(False)
        if self._own_ms is not None:
            self._utc_ms = self._mono_ms + self._own_ms
        self._told_untrusted = self.quality() == UNTRUSTED

    @property
    def floor_ms(self) -> int:
        """The latest trusted UTC time that is known, milliseconds; 0: none."""
        return self._floor_ms

    @property
    def read_at_ms(self) -> int:
        """When the wall clock was read last, monotonic milliseconds."""
        at_ms: int = self._mono_ms
        return at_ms

    @property
    def lead_ms(self) -> int:
        """How far the wall clock leapt ahead of what is believed; 0: it is believed. Kept over a restart."""
        return self._lead_ms if self._leapt else 0

    @property
    def behind(self) -> bool:
        """Whether records alone do not tell of the floor: the clock was set back, or has leapt."""
        return self._leapt or self._utc_ms < self._floor_ms

    def quality(self) -> str:
        """TRUSTED, HOLDOVER or UNTRUSTED."""
        if self._leapt or self._vouched_ms is None:
            return UNTRUSTED
        if self._mono_ms == self._vouched_ms:
            return TRUSTED
        return HOLDOVER if self._mono_ms - self._vouched_ms < HOLDOVER_MS else UNTRUSTED

    def moment(self, now_ms: int) -> Moment:
        """Now, for a decision. Never before a trusted time that was seen, so an ended key stays ended."""
        self._read(now_ms)
        utc_ms = self._utc_ms
        quality = self.quality()
        carried = self._leapt and self._high_ms is not None  # from a time that was trusted
        if (quality == TRUSTED or carried) and utc_ms > self._floor_ms:
            self._floor_ms = utc_ms
        utc_s = utc_ms // 1000
        return Moment(
            now_ms,
            max(utc_s, self._floor_ms // 1000),
            utc_s + self._wall.offset_s(utc_s),
            quality != UNTRUSTED,
        )

    def utc_ms_at(self, at_ms: int) -> int:
        """The wall time of a monotonic instant, by what was read last."""
        utc_ms: int = self._utc_ms + at_ms - self._mono_ms
        return utc_ms

    def witness(self, utc_ms: int) -> bool:
        """A second source says that it is `utc_ms` now; whether the wall clock is believed for it."""
        self._read(self._clock.now_ms())
        if abs(self._wall_ms - utc_ms) > AGREE_MS:
            return False
        if self.quality() == UNTRUSTED:
            self._adopt(self._wall_ms)
            self._vouched_ms = self._mono_ms
            self._settle(self._wall_ms - self._utc_ms, True)
        return True

    def confirm(self, utc_ms: int) -> int:
        """The owner says that it is `utc_ms` now: believed against the wall clock and the floor.

        The wall clock is followed again when it agrees, or when it is set anew to within a day of it.
        How far the time moved, in milliseconds, which the caller tells: ``on_step`` is not called.
        """
        self._read(self._clock.now_ms())
        before_ms = self._utc_ms
        agrees = abs(self._wall_ms - utc_ms) <= AGREE_MS
        self._floor_ms = 0
        self._adopt(self._wall_ms if agrees else utc_ms)
        if not agrees:
            self._own_ms = utc_ms - self._mono_ms
        self._vouched_ms = self._mono_ms
        self._utc_ms = self._floor_ms = self._wall_ms if agrees else utc_ms
        self._told_untrusted = False
        moved_ms: int = self._utc_ms - before_ms
        return moved_ms

    # ---- how ---------------------------------------------------------------------------------------

    def _read(self, now_ms: int) -> None:
        wall_ms: int = self._wall.utc_ms()
        passed_ms = now_ms - self._mono_ms
        delta_ms = wall_ms - (self._wall_ms + passed_ms)
        self._utc_ms += passed_ms
        self._wall_ms = wall_ms
        self._mono_ms = now_ms
        stepped = abs(delta_ms) > STEP_MS
        self._judge(stepped)
        self._settle(delta_ms, stepped)
        if self._utc_ms + LEAP_MS < self._floor_ms + passed_ms:
            self._floor_ms += passed_ms

    def _settle(self, delta_ms: int, stepped: bool) -> None:
        """Take the time that is believed now, and tell what has changed."""
        own_ms = self._own_ms
        self._utc_ms = self._wall_ms if own_ms is None else self._mono_ms + own_ms
        untrusted = self.quality() == UNTRUSTED
        if stepped or untrusted != self._told_untrusted:
            self._told_untrusted = untrusted
            if self.on_step is not None:
                self.on_step(delta_ms if stepped else 0, self.quality())

    def _judge(self, stepped: bool) -> None:
        """Whether the wall clock is to be followed, by what it says now."""
        vouched: bool = self._wall.vouched()
        if self._high_ms is None:
            self._judge_start(vouched)
        elif self._own_ms is None:
            self._judge_gain()
        else:
            self._judge_return(vouched, stepped or vouched and not self._was_vouched)
        self._was_vouched = vouched
        if vouched and self._own_ms is None:
            self._vouched_ms = self._mono_ms

    def _judge_start(self, vouched: bool) -> None:
        """Nothing was trusted since the start: is what the first source says likely?"""
        floor_ms = self._floor_ms
        base_ms = floor_ms + self._mono_ms - self._began_ms  # the least that it can be
        ahead_ms = self._wall_ms - base_ms
        most_ms = START_MS if self._lead_ms <= 0 else max(LEAP_MS, self._lead_ms - LEAP_MS)
        likely = not floor_ms or ahead_ms <= most_ms
        if floor_ms and not self._began_vouched and ahead_ms < -LEAP_MS:
            likely = False
        if vouched and likely and (floor_ms or not self._leapt):
            self._adopt(self._wall_ms)
            return
        if vouched and not self._leapt:
            self._leapt = True
            self._lead_ms = max(0, ahead_ms)
        if floor_ms:
            self._own_ms = None if likely and ahead_ms >= 0 else base_ms - self._mono_ms

    def _judge_gain(self) -> None:
        """The wall clock is followed: has it leapt?"""
        assert self._high_ms is not None
        gain_ms = self._wall_ms - self._mono_ms - self._high_ms
        if gain_ms <= 0:
            return
        hour = self._mono_ms // HOUR_MS
        self._gains = [entry for entry in self._gains if hour - entry[0] < 24]
        room_ms = LEAP_MS - sum([entry[1] for entry in self._gains])
        if gain_ms <= room_ms:
            self._high_ms += gain_ms
            if self._gains and self._gains[-1][0] == hour:
                gain_ms += self._gains.pop()[1]
            self._gains.append((hour, gain_ms))
            return
        self._own_ms = self._utc_ms - self._mono_ms
        self._leapt = True
        self._lead_ms = self._wall_ms - self._utc_ms
        self._room_ms = room_ms
        self._second_counts = self._may_have_second
        if self._second_counts:
            self._ask_second()

    def _judge_return(self, vouched: bool, news: bool) -> None:
        """The wall clock is not followed: is it to be again?"""
        assert self._high_ms is not None
        gain_ms = self._wall_ms - self._mono_ms - self._high_ms
        if self._leapt:
            if gain_ms <= self._room_ms:
                self._follow(gain_ms)
            elif self._second_counts:
                self._ask_second()
            return
        off_ms = abs(gain_ms)  # from the owner's time
        if off_ms <= AGREE_MS or vouched and news and off_ms <= LEAP_MS:
            self._follow(gain_ms)

    def _follow(self, gain_ms: int) -> None:
        """The wall clock is back where it may be believed."""
        assert self._high_ms is not None
        self._leapt = False
        self._lead_ms = 0
        self._own_ms = None
        if gain_ms > 0:
            self._high_ms += gain_ms
            self._gains.append((self._mono_ms // HOUR_MS, gain_ms))

    def _ask_second(self) -> None:
        second_ms = self._wall.second_ms()
        if second_ms is not None and abs(self._wall_ms - second_ms) <= AGREE_MS:
            self._adopt(self._wall_ms)

    def _adopt(self, utc_ms: int) -> None:
        """It is `utc_ms` now, whatever was believed before."""
        self._leapt = False
        self._lead_ms = 0
        self._own_ms = None
        self._high_ms = max(utc_ms, self._floor_ms) - self._mono_ms
        self._gains = []
        self._room_ms = LEAP_MS
