"""`firmware.services.wall`: the site's zone while clocks change, and the chip that kept the time."""

import time
import zoneinfo
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from firmware.access import schedule
from firmware.services import wall
from firmware.services.wall import SystemWall
from sim.fakes import zone_offset

#: zone: an instant within the hour before each change of its clocks in 2026 and 2027, or none
ZONES = {
    "Europe/Berlin": ("2026-03-29T00:30", "2026-10-25T00:30", "2027-03-28T00:30"),
    "America/St_Johns": ("2026-03-08T05:00", "2026-11-01T04:00"),
    "Asia/Kolkata": ("2026-03-29T00:30", "2026-10-25T00:30"),
    "Australia/Lord_Howe": ("2026-04-04T14:30", "2026-10-03T15:00"),  # by half an hour
}
HOURS = "sat,sun 01:45-02:15"
NIGHT = "sat 22:00-03:00"


def by_the_wall(zone: zoneinfo.ZoneInfo, utc_s: int) -> tuple[bool, bool]:
    """Whether `HOURS` and `NIGHT` hold at an instant, read from a clock on a wall of that zone."""
    shown = datetime.fromtimestamp(utc_s, UTC).astimezone(zone).replace(tzinfo=None)
    minute = shown.hour * 60 + shown.minute
    hours = shown.weekday() in (5, 6) and 105 <= minute < 135
    night = shown.weekday() == 5 and minute >= 22 * 60 or shown.weekday() == 6 and minute < 180
    return hours, night


@pytest.mark.parametrize("name", sorted(ZONES))
def test_hours_are_those_of_a_clock_on_the_wall_also_while_clocks_change(name: str) -> None:
    zone = zoneinfo.ZoneInfo(name)
    hours, night = schedule.parse(HOURS), schedule.parse(NIGHT)
    fake = zone_offset(name)
    real = SystemWall(name, False)
    seen = set()
    for change in ZONES[name]:
        middle_s = int(datetime.fromisoformat(change + "+00:00").timestamp())
        for utc_s in range(middle_s - 6 * 3600, middle_s + 6 * 3600, 300):
            local_s = utc_s + real.offset_s(utc_s)
            assert local_s == utc_s + fake(utc_s)
            found = schedule.covers(hours, [], local_s), schedule.covers(night, [], local_s)
            assert found == by_the_wall(zone, utc_s), datetime.fromtimestamp(utc_s, UTC)
            seen.add(real.offset_s(utc_s))
    assert len(seen) == (1 if name == "Asia/Kolkata" else 2), seen


def spans(name: str, text: str, day: str) -> int:
    """For how many minutes of the two days from `day` (local) the hours hold."""
    offset_s = SystemWall(name, False).offset_s
    hours = schedule.parse(text)
    first = datetime.fromisoformat(day).replace(tzinfo=zoneinfo.ZoneInfo(name))
    start_s = int(first.timestamp())
    times = range(start_s, start_s + 2 * 86400, 60)
    return sum(schedule.covers(hours, [], utc_s + offset_s(utc_s)) for utc_s in times)


def test_the_hour_that_comes_twice_holds_twice_and_the_one_that_is_left_out_never() -> None:
    assert spans("Europe/Berlin", "sun 02:00-03:00", "2026-10-25") == 120
    assert spans("Europe/Berlin", "sun 02:00-03:00", "2026-03-29") == 0
    assert spans("Europe/Berlin", "sun 01:30-03:30", "2026-03-29") == 60
    assert spans("Australia/Lord_Howe", "sun 01:30-02:00", "2026-04-05") == 60
    assert spans("Australia/Lord_Howe", "sun 02:00-02:30", "2026-10-04") == 0
    assert spans("America/St_Johns", "sun 01:00-02:00", "2026-11-01") == 120
    assert spans("Asia/Kolkata", "sun 01:00-02:00", "2026-11-01") == 60


def test_a_day_of_the_site_begins_at_its_own_midnight() -> None:
    holiday = [schedule.day_number("2028-02-29")]
    for name in sorted(ZONES):
        offset_s = SystemWall(name, False).offset_s
        zone = zoneinfo.ZoneInfo(name)
        midnight = datetime(2028, 2, 29, tzinfo=zone)
        hours = schedule.parse("hol 00:00-24:00")
        for shift_s, holds in ((-1, False), (0, True), (86399, True), (86400, False)):
            utc_s = int((midnight + timedelta(seconds=shift_s)).timestamp())
            assert schedule.covers(hours, holiday, utc_s + offset_s(utc_s)) == holds, (
                name,
                shift_s,
            )


# ---- the clock chip --------------------------------------------------------------------------------


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time server was ever reached."""
    monkeypatch.setattr(wall, "_kernel_synchronised", lambda: False)


def chip(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "since_epoch"
    path.write_text(text)
    return path


def test_a_chip_that_kept_the_time_vouches_for_it(tmp_path: Path, no_server: None) -> None:
    kept = SystemWall("UTC", True, chip(tmp_path, f"{int(time.time())}\n"))
    assert kept.vouched()
    second_ms = kept.second_ms()
    assert second_ms is not None
    assert abs(second_ms - kept.utc_ms()) < 3000


def test_a_chip_is_read_once_and_then_carried_on(tmp_path: Path, no_server: None) -> None:
    path = chip(tmp_path, str(int(time.time())))
    kept = SystemWall("UTC", True, path)
    path.write_text(str(int(time.time()) + 86400 * 30))  # the kernel sets it by a bad answer
    before_ms = kept.second_ms()
    time.sleep(0.02)
    after_ms = kept.second_ms()
    assert before_ms is not None
    assert after_ms is not None
    assert 10 <= after_ms - before_ms < 1000
    assert abs(after_ms - kept.utc_ms()) < 3000


@pytest.mark.parametrize("text", ["0", "1704067200", "", "no number"])
def test_a_chip_with_an_empty_battery_counts_as_none(
    tmp_path: Path, no_server: None, text: str
) -> None:
    empty = SystemWall("UTC", True, chip(tmp_path, text))
    assert (empty.vouched(), empty.second_ms()) == (False, None)


def test_a_chip_that_says_another_time_than_the_system_vouches_for_nothing(
    tmp_path: Path, no_server: None
) -> None:
    other = SystemWall("UTC", True, chip(tmp_path, str(int(time.time()) + 3600)))
    assert not other.vouched()
    assert other.second_ms() is not None


def test_a_chip_that_is_not_fitted_is_not_asked(tmp_path: Path, no_server: None) -> None:
    path = chip(tmp_path, str(int(time.time())))
    assert (
        SystemWall("UTC", False, path).vouched(),
        SystemWall("UTC", False, path).second_ms(),
    ) == (
        False,
        None,
    )
    assert not SystemWall("UTC", True, tmp_path / "none").vouched()
