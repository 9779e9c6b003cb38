"""The simulator's page in a real browser, against a real simulator."""

import re
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from page_browser import (
    WIDTHS,
    Demo,
    axe,
    chromium,
    event,
    focused,
    open_page,
    overflow,
    stream,
    tab_to,
    wait_said,
    wait_shown,
)
from playwright.sync_api import Browser, Page, Route, expect

BYTES_MAX = 120_000
ROWS_MAX = 500
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
STATES: dict[str, list[tuple[str, dict[str, object]]]] = {
    "normal": [],
    "alarm": [("force_door", {"portal": "front"})],
    "network cut": [("cut_network", {})],
    "power cut": [("cut_power", {})],
}
SIGNS = {
    "normal": "body:not(.lost)",
    "alarm": "#alarms .alarm",
    "network cut": ".house.cut",
    "power cut": ".house.dark",
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture
def page(browser: Browser, demo: Demo) -> Iterator[Page]:
    one = open_page(browser, demo)
    yield one
    one.context.close()


def bring(demo: Demo, state: str) -> None:
    for do, args in STATES[state]:
        demo.act(do, **args)


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    browser: Browser, demo: Demo, state: str
) -> None:
    bring(demo, state)
    for width in WIDTHS:
        page = open_page(browser, demo, width=width, still=True)
        page.wait_for_selector(SIGNS[state])
        page.evaluate(
            "() => document.querySelectorAll('details').forEach((d) => { d.open = true; })"
        )
        for lang in ("en", "zh-CN"):
            if lang != "en":
                page.click("#lang")
            expect(page.locator("html")).to_have_attribute("lang", lang)
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                where = f"{state}, {width}, {lang}, {scheme}"
                assert axe(page) == [], where
                assert overflow(page) == 0, where
        page.context.close()


def test_front_door_opens_by_keyboard_alone(page: Page, demo: Demo) -> None:
    tab_to(page, "resident")
    page.keyboard.press("Enter")
    wait_shown(page, "door-front", "door open")
    expect(page.locator("#rows .said").first).to_contain_text("Front door")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("target", ["#hot-street", "#hot-front-in", "[data-person=resident]"])
def test_front_door_opens_by_one_tap(browser: Browser, demo: Demo, width: int, target: str) -> None:
    page = open_page(browser, demo, width=width, touch=True)
    page.tap(target)
    wait_shown(page, "door-front", "door open")
    page.context.close()


def test_a_pin_opens_the_front_door_from_the_keyboard(page: Page, demo: Demo) -> None:
    pin = next(p["pin"] for p in demo.world()["people"] if p["name"] == "resident")
    tab_to(page, "1")
    for key in f"{pin}#":
        page.keyboard.press(key)
    wait_shown(page, "door-front", "door open")


def test_a_locked_door_points_at_the_card(page: Page) -> None:
    page.click("#hot-front")
    wait_shown(page, "actor-street", "actor hinting")
    expect(page.locator("#hot-front")).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#menu")).to_be_hidden()


def test_an_alarm_is_acknowledged_by_keyboard_alone(page: Page, demo: Demo) -> None:
    demo.act("force_door", portal="front")
    expect(page).to_have_title("⚠ Front door: opened without permission.")
    tab_to(page, "I have seen it")
    page.keyboard.press("Enter")
    expect(page.locator("#alarms .alarm.seen")).to_be_visible()
    assert focused(page) == "status"
    demo.act("close_door", portal="front")
    expect(page.locator("#alarms")).to_be_hidden()


def test_an_alarm_is_acknowledged_by_tap_alone(browser: Browser, demo: Demo) -> None:
    demo.act("force_door", portal="front")
    page = open_page(browser, demo, width=360, touch=True)
    page.tap("#alarms button")
    expect(page.locator("#alarms .alarm.seen")).to_be_visible()
    page.context.close()


def test_an_urgent_alarm_is_said_at_once(page: Page, demo: Demo) -> None:
    demo.act("force_door", portal="front")
    expect(page.locator("#shout")).to_have_text("Front door: opened without permission.")


def test_a_visit_is_one_row_with_its_lines_inside(page: Page) -> None:
    page.click("[data-person=resident]")
    row = page.locator("#rows .row", has_text="Front door: Resident went in.").first
    expect(row).to_contain_text("6 lines")
    row.locator(".row-head").click()
    types = row.locator("ol small").all_inner_texts()
    assert {text.split(" ")[0] for text in types} == {
        "access.granted",
        "portal.released",
        "portal.opened",
        "access.taken",
        "portal.secured",
        "portal.closed",
    }
    row.locator("summary").last.click()
    expect(row.locator("pre", has_text="curl -X POST")).to_contain_text('"do":"present_card"')
    expect(row.locator("pre", has_text="[[step]]")).to_contain_text('person = "resident"')
    expect(row.locator("pre", has_text="doorctl watch --demo")).to_be_visible()


def test_a_refusal_says_why_in_both_languages(page: Page) -> None:
    page.click("[data-person=ended_lease]")
    said = page.locator("#rows .said").first
    expect(said).to_have_text("Front door: Lease ended refused, this key's time has ended.")
    page.click("#lang")
    expect(said).to_have_text("大门：拒绝租约到期通行，该凭证已过有效期。")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")


def test_the_language_and_the_colours_are_remembered(browser: Browser, demo: Demo) -> None:
    page = open_page(browser, demo)
    page.click("#lang")
    page.click("#theme")
    page.click("#theme")
    page.goto(demo.url)
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("#who-h")).to_have_text("来访者")
    page.context.close()


def test_without_network_the_page_says_who_decides_and_marks_what_was_kept(
    page: Page, demo: Demo
) -> None:
    page.click("[data-switch=network]")
    expect(page.locator("#status-text")).to_contain_text("Deciding alone.")
    page.click("[data-person=resident]")
    wait_shown(page, "door-front", "door open")
    page.click("[data-switch=network]")
    expect(page.locator("#rows .row.kept").first).to_contain_text("kept while offline")


def test_without_power_the_strike_stays_locked_and_the_magnet_lets_go(page: Page) -> None:
    page.click("[data-switch=power]")
    expect(page.locator("#plate-front .state")).to_have_text("No power: stays locked")
    expect(page.locator("#plate-yard .state")).to_have_text("No power: free")
    expect(page.locator("#status-text")).to_contain_text("Nothing is recorded now.")
    page.click("[data-switch=power]")
    expect(page.locator("#status-text")).to_contain_text("All quiet.")


def test_fire_frees_both_doors_and_the_switch_takes_it_back(page: Page) -> None:
    page.click("[data-switch=fire]")
    expect(page.locator("#plate-yard .state")).to_have_text("Fire alarm: unlocked")
    expect(page.locator("[data-switch=fire]")).to_contain_text("Restore")
    page.click("[data-switch=fire]")
    expect(page.locator("#plate-yard .state")).to_have_text("Locked")


def test_a_story_plays_with_its_captions_and_can_be_stopped(page: Page) -> None:
    page.click("[data-story=home]")
    wait_said(page, "caption-text", "Coming home:")
    page.click("#story-stop")
    expect(page.locator("#caption")).to_be_hidden()
    expect(page.locator("[data-story=ended]")).to_be_enabled()


def test_with_reduced_motion_nothing_moves(browser: Browser, demo: Demo) -> None:
    demo.act("force_door", portal="front")
    page = open_page(browser, demo, still=True)
    page.click("#hot-yard")
    page.click("[data-person=resident]")
    assert page.evaluate("() => document.getAnimations().length") == 0
    page.context.close()


def test_no_request_leaves_the_origin_and_little_is_fetched(browser: Browser, demo: Demo) -> None:
    context = browser.new_context()
    page = context.new_page()
    requests: list[Any] = []
    page.on("requestfinished", lambda request: requests.append(request))
    page.on("request", lambda r: pytest.fail(r.url) if not r.url.startswith(demo.url) else None)
    page.goto(demo.url)
    expect(page.locator("#people .person").first).to_be_enabled()
    page.click("[data-person=resident]")
    expect(page.locator("#rows .row").first).to_be_visible()
    own = [r for r in requests if "/api/" not in r.url]
    assert sum(r.sizes()["responseBodySize"] for r in own) < BYTES_MAX
    context.close()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_glyph_of_the_words_is_drawn(browser: Browser, demo: Demo, lang: str) -> None:
    page = open_page(browser, demo, lang=lang)
    same = page.evaluate(
        """async (lang) => {
          const words = await (await fetch(`words/${lang}.json`)).json();
          const glyphs = [...new Set(Object.values(words).join(""))].filter((c) => c > "\\u2fff");
          const canvas = document.createElement("canvas");
          canvas.width = canvas.height = 40;
          const pen = canvas.getContext("2d", { willReadFrequently: true });
          pen.font = `32px ${getComputedStyle(document.body).fontFamily}`;
          const draw = (c) => {
            pen.clearRect(0, 0, 40, 40);
            pen.fillText(c, 2, 34);
            return pen.getImageData(0, 0, 40, 40).data.join();
          };
          const box = draw("\\u{10ffff}");
          return glyphs.filter((c) => draw(c) === box);
        }""",
        lang,
    )
    assert same == []
    page.context.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_what_is_pressed_is_large_and_what_is_read_is_not_small(
    browser: Browser, demo: Demo, width: int
) -> None:
    demo.act("force_door", portal="front")
    page = open_page(browser, demo, width=width)
    page.wait_for_selector("#alarms button")
    small_targets = page.evaluate(
        """() => [...document.querySelectorAll("button, summary, label.walk")]
          .filter((e) => e.checkVisibility())
          .map((e) => [e.id || e.textContent, e.getBoundingClientRect()])
          .filter(([, r]) => r.width < 43.5 || r.height < 43.5)
          .map(([name, r]) => `${name}: ${r.width} x ${r.height}`)"""
    )
    assert small_targets == []
    small_texts = page.evaluate(
        """() => [...document.querySelectorAll("body *")]
          .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
          .filter((e) => e.checkVisibility() && e.tagName !== "SCRIPT")
          .map((e) => [e, parseFloat(getComputedStyle(e).fontSize) * (e.getScreenCTM?.().a ?? 1)])
          .filter(([, size]) => size < 13)
          .map(([e, size]) => `${e.textContent}: ${size}`)"""
    )
    assert small_texts == []
    page.context.close()


EVIL = "<img src=x onerror='window.hacked = 1'>"


def test_what_an_event_says_is_text_and_never_markup(browser: Browser, demo: Demo) -> None:
    page = browser.new_context().new_page()
    stream(
        page,
        [
            event(1, type="access.denied", reason=EVIL, access_point=EVIL),
            event(2, type="alarm.raised", point=EVIL, **{"class": EVIL}, priority=2),
            event(3, type="command.accepted", by=EVIL, op=EVIL),
            event(4, type="portal.opened", portal=EVIL),
            event(5, type=EVIL),
        ],
    )
    page.goto(demo.url)
    expect(page.locator("#rows")).to_contain_text("<img src=x")
    for head in page.locator(".row-head").all():
        head.click()
    for fold in page.locator(".row-body summary").all():
        fold.click()
    assert page.locator("main img").count() == 0
    assert page.evaluate("() => window.hacked") is None
    page.context.close()


def test_a_flood_of_events_leaves_no_more_rows_than_a_browser_likes(
    browser: Browser, demo: Demo
) -> None:
    page = browser.new_context().new_page()
    stream(page, [event(n, type="system.recovered", device=f"d-{n}") for n in range(1, 3001)])
    page.goto(demo.url)
    expect(page.locator("#rows .said").first).to_have_text("d-3000: works again.")
    assert page.locator("#rows li").count() <= ROWS_MAX
    page.context.close()


def test_rows_that_come_while_one_is_read_wait_behind_a_button(page: Page, demo: Demo) -> None:
    page.locator("#rows .row-head").first.focus()
    before = page.locator("#rows .said").first.inner_text()
    demo.act("present_card", access_point="front-in", person="ended_lease")
    expect(page.locator("#fresh")).to_have_text("1 new")
    assert page.locator("#rows .said").first.inner_text() == before
    page.click("#fresh")
    expect(page.locator("#rows .said").first).to_contain_text("refused")


def test_a_page_that_was_told_no_records_asks_again(browser: Browser, demo: Demo) -> None:
    page = browser.new_context().new_page()
    refused: list[str] = []

    def first(route: Route) -> None:
        if refused:
            route.continue_()
        else:
            refused.append(route.request.url)
            route.fulfill(status=503, body='{"ok": false}', content_type="application/json")

    page.route("**/api/events*", first)
    page.goto(demo.url)
    expect(page.locator("#rows .row-head").first).to_be_visible()
    assert refused
    page.context.close()


def test_the_page_says_so_when_the_simulator_is_gone_and_comes_back_by_itself(
    browser: Browser, demo: Demo
) -> None:
    demo.act("force_door", portal="front")
    demo.wait_for("alarm.raised", point="front")
    page = browser.new_context().new_page()
    asked = 0

    def once(route: Route) -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            route.continue_()
        else:
            route.abort()

    page.route("**/api/world", once)
    stream(page, [])
    page.goto(demo.url)
    expect(page.locator("#status-text")).to_contain_text("The simulator has stopped.")
    expect(page.locator("#hot-front")).to_be_disabled()
    expect(page.locator("#plate-front .state")).to_contain_text("Not known since")
    expect(page.locator("#horn")).to_have_class("horn")
    expect(page.locator("#door-front")).not_to_have_class(re.compile(r"\bp2\b"))
    demo.act("close_door", portal="front")
    demo.act("press_ack")
    page.unroute_all()
    expect(page.locator("#status-text")).to_contain_text("All quiet.")
    expect(page.locator("#hot-front")).to_be_enabled()
    page.context.close()
