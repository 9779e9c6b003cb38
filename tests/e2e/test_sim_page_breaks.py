"""What breaks at a door, in its supply and in its people's hands, on the page: shown, said, taken back."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from page_browser import STORY_MS, WIDTHS, Demo, axe, chromium, open_page, overflow, wait_shown
from playwright.sync_api import Browser, Page, expect
from test_sim_serve_host_ack import board_with_host


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture
def page(browser: Browser, demo: Demo) -> Iterator[Page]:
    one = open_page(browser, demo)
    yield one
    one.context.close()


def test_mains_away_is_a_switch_that_stays_thrown(page: Page) -> None:
    page.click("[data-switch=mains]")
    expect(page.locator("[data-switch=mains]")).to_contain_text("Restore")
    expect(page.locator("#alarms .alarm.p3")).to_contain_text("Mains: mains or supply lost.")
    expect(page.locator("#horn")).to_have_class("horn")
    page.reload()
    expect(page.locator("[data-switch=mains]")).to_have_attribute("aria-checked", "true")
    page.click("[data-switch=mains]")
    page.click("#alarms .primary")
    expect(page.locator("#alarms")).to_be_hidden()


def test_an_empty_battery_says_what_to_do(page: Page) -> None:
    page.click("[data-switch=battery]")
    expect(page.locator("#alarms .todo")).to_have_text("Restore mains or replace the battery.")


def test_a_switch_that_is_thrown_moves_no_other(page: Page) -> None:
    where = "els => els.map((e) => [e.offsetLeft, e.offsetTop, e.offsetWidth])"
    before = page.eval_on_selector_all("#world button", where)
    page.click("[data-switch=network]")
    expect(page.locator("[data-switch=network]")).to_contain_text("Restore")
    assert page.eval_on_selector_all("#world button", where) == before


def test_a_cut_wire_is_no_open_door(page: Page, demo: Demo) -> None:
    page.click("#hot-front")
    page.click("[data-break=cut]")
    expect(page.locator("#alarms .sentence").first).to_have_text(
        "Front door contact: its wire was cut or shorted."
    )
    expect(page.locator("#door-front")).to_have_class(re.compile(r"\bp2\b"))
    expect(page.locator("#plate-front .state")).to_have_text("its wire was cut or shorted.")
    page.click("#alarms .primary")
    expect(page.locator("#plate-front .state")).to_have_text("Contact fault")
    page.click("#hot-front")
    expect(page.locator("[data-break=cut]")).to_have_text("Restore: Cut the contact's wire")
    page.click("[data-break=cut]")
    expect(page.locator("#plate-front .state")).to_have_text("Locked")
    expect(page.locator("#alarms")).to_be_hidden()


def test_a_jammed_lock_is_named_and_outlined_at_its_door(page: Page, demo: Demo) -> None:
    page.uncheck("#walk-in")
    page.click("[data-person=resident]")
    page.wait_for_selector("#door-front.unlocked")
    demo.act("jam_lock", portal="front", on=True)  # in the five seconds in which it is free
    expect(page.locator("#plate-front .state")).to_have_text("the lock does not do as told.")
    expect(page.locator("#door-front")).to_have_class(re.compile(r"\bp2\b"))
    expect(page.locator("#alarms .todo")).to_have_text("Try the door by hand; call the installer.")
    page.click("#alarms .primary")
    expect(page.locator("#plate-front .state")).to_have_text("Lock does not follow")
    demo.act("jam_lock", portal="front", on=False)
    expect(page.locator("#plate-front .state")).to_have_text("Locked")


def test_a_lock_is_jammed_and_freed_by_its_doors_menu(page: Page) -> None:
    page.click("#hot-front")
    page.click("[data-break=jam]")
    page.wait_for_function("() => document.getElementById('menu').hidden")
    page.click("[data-person=resident]")
    expect(page.locator("#plate-front .state")).to_have_text("the lock does not do as told.")
    page.click("#hot-front")
    expect(page.locator("[data-break=jam]")).to_have_text("Restore: Jam the lock")
    page.click("[data-break=jam]")
    page.click("#hot-front")
    expect(page.locator("[data-break=jam]")).to_have_text("Jam the lock")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", WIDTHS)
def test_with_faults_axe_finds_nothing_and_all_fits(
    browser: Browser, demo: Demo, width: int, lang: str
) -> None:
    demo.act("fail_line", device="front-contact", fault="short")
    demo.act("fail_mains", on=True)
    page = open_page(browser, demo, width=width, lang=lang, still=True)
    expect(page.locator("#alarms .alarm")).to_have_count(2)
    page.locator("#hot-front").evaluate("(button) => button.click()")
    expect(page.locator("#menu button")).to_have_count(9)
    assert axe(page) == []
    assert overflow(page) == 0
    page.context.close()


def test_a_forced_opening_shows_nothing_at_the_door(page: Page, demo: Demo) -> None:
    for key in "2581#":
        page.click(f"#pad-keys [data-key='{key}']")
    wait_shown(page, "door-front", "door open")
    expect(page.locator("#alarms .sentence")).to_have_text(
        "Front door, outside: someone may have been forced to open. Silent."
    )
    expect(page.locator("#rows")).to_contain_text("forced to open")
    expect(page.locator("#rows")).to_contain_text("Front door: Resident")
    expect(page.locator("#beacon")).to_have_class("beacon")
    expect(page.locator("#horn")).to_have_class("horn")
    expect(page.locator("#ap-front-in")).to_have_class("reader")
    page.click("#alarms .primary")  # the key switch knows nothing of it; the desk does
    expect(page.locator("#alarms")).to_be_hidden()
    expect(page.locator("#rows")).to_contain_text("the demo's operator has seen the alarm.")


def _be_at(house: Any, hour: int) -> None:
    """Put the clock to that hour of Shanghai's day, the nearer way: over a day forward is not believed."""
    now = datetime.fromisoformat(house.world()["clock"]["utc"]).hour + 8
    house.act("set_clock", jump_ms=((hour - now + 12) % 24 - 12) * 3_600_000)


@pytest.mark.parametrize("width", WIDTHS)
def test_watched_areas_are_shown_where_a_building_has_them(
    browser: Browser, start_demo: Any, width: int
) -> None:
    house = start_demo("--board", "board_configs/sim-all-rules.toml")
    page = open_page(browser, house, width=width, still=True)
    areas = page.locator("#watched li")
    expect(areas).to_have_count(2)
    expect(areas.first).to_contain_text("Cellar")
    _be_at(house, hour=12)
    expect(areas.first).to_contain_text("Not watched")
    _be_at(house, hour=23)
    expect(areas.first).to_contain_text("Watched in")
    expect(areas.nth(1)).to_contain_text("Not watched")
    assert axe(page) == []
    assert overflow(page) == 0
    page.context.close()


def test_what_waits_for_a_host_alone_is_sent_and_no_fault(
    browser: Browser, start_demo: Any, tmp_path: Path
) -> None:
    house = start_demo("--board", board_with_host(tmp_path))
    page = open_page(browser, house)
    expect(page.locator("#records")).to_contain_text("all sent; not stored by a host yet")
    expect(page.locator("#lamp-record")).not_to_have_class(re.compile("bad"))
    house.act("cut_network")
    house.act("present_card", access_point="front-in", number="w26:099:00001")
    expect(page.locator("#records")).to_contain_text("not sent yet")
    expect(page.locator("#lamp-record")).to_have_class(re.compile("bad"))
    page.context.close()


@pytest.mark.parametrize("story", ["visitor", "duress", "jam", "mains"])
def test_a_story_plays_to_its_end(browser: Browser, demo: Demo, story: str) -> None:
    page = open_page(browser, demo)
    end = page.evaluate(
        "async (id) => (await (await fetch('words/en.json')).json())[`story.${id}.end`]", story
    )
    page.click(f"[data-story={story}]")
    expect(page.locator("#caption-text")).to_contain_text(end, timeout=STORY_MS)
    expect(page.locator("#trouble")).to_be_empty()
    portals = demo.world()["portals"]
    assert [(p["door"], p["jammed"]) for p in portals.values()] == [("closed", False)] * 2
    page.context.close()
