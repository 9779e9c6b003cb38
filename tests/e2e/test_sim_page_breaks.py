"""What breaks at a door, in its supply and in its people's hands, on the page: shown, said, taken back."""

from collections.abc import Iterator

import pytest
from page_browser import Demo, chromium, open_page
from playwright.sync_api import Browser, Page, expect

STORY_MS = 90_000


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


def test_a_forced_opening_shows_nothing_at_the_door(page: Page, demo: Demo) -> None:
    for key in "2581#":
        page.click(f"#pad-keys [data-key='{key}']")
    expect(page.locator("#door-front")).to_have_class("door open", timeout=10_000)
    expect(page.locator("#alarms .sentence")).to_have_text(
        "Front door, outside: someone may have been forced to open. Silent."
    )
    expect(page.locator("#rows")).to_contain_text("forced to open")
    expect(page.locator("#rows")).to_contain_text("Front door: Resident")
    expect(page.locator("#beacon")).to_have_class("beacon")
    expect(page.locator("#horn")).to_have_class("horn")
    expect(page.locator("#ap-front-in")).to_have_class("reader")


@pytest.mark.parametrize("story", ["visitor", "mains"])
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
