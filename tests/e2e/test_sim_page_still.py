"""What comes and goes on the page moves nothing that is read or aimed at, and a key answers at once."""

from collections.abc import Iterator
from typing import Any

import pytest
from page_browser import WIDTHS, Demo, axe, chromium, open_page, overflow
from playwright.sync_api import Browser, Page, Route, expect

STAYS = ".window, #people, #world-box, #stories-box, #list-box, #keypad, #views"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


def places(page: Page) -> dict[str, list[float]]:
    """Where the parts of the page are, and how large."""
    found: dict[str, list[float]] = page.evaluate(
        """(stays) => Object.fromEntries([...document.querySelectorAll(stays)]
          .filter((e) => e.checkVisibility())
          .map((e) => [e, e.getBoundingClientRect()])
          .map(([e, r]) => [e.id || e.className, [r.left, r.top, r.width].map(Math.round)]))""",
        STAYS,
    )
    return found


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", WIDTHS)
def test_alarms_that_come_move_nothing(browser: Browser, demo: Demo, width: int, lang: str) -> None:
    page = open_page(browser, demo, width=width, lang=lang)
    before = places(page)
    assert len(before) >= 4
    demo.act("force_door", portal="front")
    expect(page.locator("#alarms .alarm")).to_have_count(1)
    assert places(page) == before
    demo.act("press_panic", point="lobby-panic")
    demo.act("tamper", device="enclosure", on=True)
    expect(page.locator("#alarms .alarm")).to_have_count(3)
    assert places(page) == before
    demo.act("press_ack")
    expect(page.locator("#alarms .alarm.seen")).to_have_count(2)
    assert places(page) == before
    page.context.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_what_else_is_wrong_is_behind_one_button(browser: Browser, demo: Demo, width: int) -> None:
    demo.act("force_door", portal="front")
    demo.act("press_panic", point="lobby-panic")
    page = open_page(browser, demo, width=width, still=True)
    more = page.locator("#alarms .more")
    expect(more).to_have_text("and 1 more")
    expect(page.locator("#alarms .alarm").nth(1)).to_be_hidden()
    before = places(page)
    more.click()
    expect(page.locator("#alarms .more")).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#alarms .alarm").nth(1)).to_contain_text("opened without permission.")
    assert places(page) == before
    assert axe(page) == []
    assert overflow(page) == 0
    page.keyboard.press("Enter")  # the focus stays on the button
    expect(page.locator("#alarms .alarm").nth(1)).to_be_hidden()
    page.context.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_a_storys_words_move_nothing(browser: Browser, demo: Demo, width: int) -> None:
    page = open_page(browser, demo, width=width)
    page.evaluate("() => document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    page.evaluate("() => document.querySelector('#drawing').scrollIntoView({ block: 'nearest' })")
    page.locator("[data-story=network]").evaluate("(button) => button.click()")
    expect(page.locator("#caption-text")).to_contain_text("Without network:")
    shown = places(page)
    page.locator("#story-stop").evaluate("(button) => button.click()")
    expect(page.locator("#caption")).to_be_hidden()
    assert places(page) == shown
    page.context.close()


def test_every_key_answers_before_the_door_has_heard_of_it(browser: Browser, demo: Demo) -> None:
    page = open_page(browser, demo)
    asked: list[Any] = []

    def never(route: Route) -> None:
        asked.append(route.request.post_data_json)

    page.route("**/api/act", never)
    page.evaluate(
        """() => {
          window.lit = [];
          const pad = document.getElementById("keypad");
          new MutationObserver(() => window.lit.push(pad.classList.contains("beeping")))
            .observe(pad, { attributes: true, attributeFilter: ["class"] });
        }"""
    )
    for count, key in enumerate("2580", 1):
        page.click(f"#pad-keys [data-key='{key}']")
        page.wait_for_function("n => window.lit.filter(Boolean).length >= n", arg=count)
        expect(page.locator("#pad-digits")).to_have_text("•" * count)
    assert asked == []
    page.click("#pad-keys [data-key='#']")
    page.wait_for_function("() => window.lit.filter(Boolean).length >= 5")
    expect(page.locator("#pad-digits")).to_have_text("")
    page.context.close()
    assert asked == [{"do": "enter_pin", "access_point": "front-in", "digits": "2580"}]
