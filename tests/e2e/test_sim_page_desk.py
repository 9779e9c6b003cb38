"""What the page orders: signed, with a second press, and nothing said but the controller's own word."""

import json
from collections.abc import Iterator

import pytest
from host_rig import Demo, listening, port_of
from page_browser import (
    STORY_MS,
    WIDTHS,
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

FRONT = "[data-door=front]"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture(scope="module")
def house(shared_demo: Demo) -> Demo:
    """One simulator for this module; every test leaves it as it was."""
    with listening(port_of(shared_demo)) as host:
        host.last("status", state="online")  # from then on commands are heard
    return shared_demo


@pytest.fixture
def page(browser: Browser, house: Demo) -> Iterator[Page]:
    one = open_page(browser, house)
    yield one
    one.context.close()


def said(page: Page, text: str) -> None:
    expect(page.locator("#desk-said")).to_contain_text(text)


def test_a_door_is_opened_with_a_second_press_and_the_reply_says_so(page: Page) -> None:
    page.click(f"{FRONT} button >> nth=0")
    expect(page.locator("#desk-sure")).to_have_text("Open Front door now, 5 s")
    expect(page.locator("#plate-front .state")).to_have_text("Locked")
    page.click("#desk-sure")
    said(page, "Front door is open for 5 s (the demo's operator, ")
    wait_said(page, "plate-front", "Free to open")
    row = page.locator("#rows .row").first
    expect(row).to_contain_text("Front door: unlocked, by the demo's operator from the desk.")
    expect(row).to_contain_text("2 lines")
    row.locator(".row-head").click()
    row.locator("summary").last.click()
    expect(row.locator("pre", has_text="doorctl open front --demo")).to_be_visible()
    curl = row.locator("pre", has_text="curl -X POST")
    expect(curl).to_contain_text("api/command")
    expect(row.locator("pre", has_text="[[step]]")).to_contain_text('args = { portal = "front" }')
    expect(page.locator("#plate-front .state")).to_have_text("Locked")


def test_without_a_second_press_nothing_is_sent(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if r.url.endswith("/api/command") else None)
    page.click(f"{FRONT} button >> nth=0")
    page.mouse.move(0, 0)
    expect(page.locator("#desk-sure")).to_be_visible()
    expect(page.locator("#desk-sure")).to_be_hidden()
    assert asked == []


def test_a_door_is_opened_by_keyboard_alone(page: Page) -> None:
    opener = page.locator(f"{FRONT} button").first
    tab_to(page, "Open…")
    assert opener.evaluate("(one) => one === document.activeElement")
    page.keyboard.press("Enter")
    assert focused(page) == "desk-sure"
    page.keyboard.press("Escape")
    expect(page.locator("#desk-sure")).to_be_hidden()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    said(page, "Front door is open for 5 s")
    assert opener.evaluate("(one) => one === document.activeElement")
    expect(page.locator("#plate-front .state")).to_have_text("Locked")


def test_a_mode_is_chosen_changed_and_refuses_what_it_should(page: Page, house: Demo) -> None:
    change = page.locator(f"{FRONT} button").last
    expect(change).to_be_disabled()
    page.select_option(f"{FRONT} select", "blocked")
    change.click()
    said(page, "Front door is now “no entry with any key”")
    assert house.world()["portals"]["front"]["mode"] == "blocked"
    expect(page.locator("#plate-front .state")).to_contain_text("Blocked.")
    page.click(f"{FRONT} button >> nth=0")
    page.click("#desk-sure")
    said(page, "Front door: refused by c-01: could not be carried out. Why: this door is blocked.")
    page.select_option(f"{FRONT} select", "locked")
    change.click()
    said(page, "Front door is now “opens with a key”")


def test_the_whole_house_is_locked_down_and_the_lockdown_ends(page: Page, house: Demo) -> None:
    page.click("#desk-lockdown")
    expect(page.locator("#desk-sure")).to_have_text("Lock down every door now")
    page.click("#desk-sure")
    said(page, "Every door is in lockdown. The way out stays free")
    assert {p["mode"] for p in house.world()["portals"].values()} == {"locked_down"}
    expect(page.locator("#desk-lockdown")).to_have_text("End lockdown…")
    page.click("#desk-lockdown")
    page.click("#desk-sure")
    said(page, "The lockdown has ended")
    assert {p["mode"] for p in house.world()["portals"].values()} == {"locked"}


def test_an_alarm_is_silenced_set_aside_and_comes_back_as_one(page: Page, house: Demo) -> None:
    house.act("force_door", portal="front")
    expect(page.locator("#horn")).to_have_class("horn on")
    page.click("#desk-silence")
    said(page, "The siren is silent")
    expect(page.locator("#horn")).to_have_class("horn")
    page.click("#alarms .primary")
    expect(page.locator("#alarms .alarm.seen")).to_be_visible()
    assert [a["by"] for a in house.world()["alarms"]] == ["op-demo"]
    expect(page.locator("#desk-alarm")).to_contain_text("Front door: opened without permission")
    page.click("#desk-aside")
    said(page, "Front door: the alarm is set aside until ")
    house.act("close_door", portal="front")


def test_what_is_not_answered_is_said_to_be_so_and_when_it_ends(page: Page, house: Demo) -> None:
    house.act("cut_network")
    expect(page.locator(".house.cut")).to_be_visible()
    page.click(f"{FRONT} button >> nth=0")
    page.click("#desk-sure")
    said(page, "Sent. Waiting for the controller's word.")
    said(page, "Front door: sent, no answer in 5 s; c-01 is offline. The command ends at ")
    assert house.world()["portals"]["front"]["lock"] == "locked"
    house.act("restore_network")


def test_a_reply_that_cannot_be_believed_opens_nothing_on_the_page(page: Page) -> None:
    told = {
        "ok": False,
        "error": {"code": "unbelievable", "message": "reply: the signature is wrong"},
    }

    def forge(route: Route) -> None:
        route.fulfill(status=502, body=json.dumps(told), content_type="application/json")

    page.route("**/api/command", forge)
    page.click("#desk-silence")
    said(page, "That did not work: reply: the signature is wrong")


def test_checkpoints_stand_under_system_only(browser: Browser, house: Demo) -> None:
    page = browser.new_context().new_page()
    stream(page, [event(1), event(2, type="system.checkpoint", upto=1), event(3)])
    page.goto(house.url)
    expect(page.locator("#rows .row")).to_have_count(2)
    page.click("[data-filter=system]")
    expect(page.locator("#rows .row")).to_have_count(1)
    expect(page.locator("#rows .said")).to_have_text("The records were signed up to number 1.")
    page.context.close()


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_a_command_and_what_it_did_are_one_row_whichever_comes_first(
    browser: Browser, house: Demo, order: tuple[int, int]
) -> None:
    both = {
        1: event(1, type="command.accepted", op="alarm.silence", by="op-demo", command="0" * 32),
        2: event(2, type="alarm.silenced", by="op-demo"),
    }
    page = browser.new_context().new_page()
    stream(page, [both[seq] for seq in order])
    page.goto(house.url)
    expect(page.locator("#rows .said")).to_have_text(
        ["The siren was silenced by the demo's operator."]
    )
    expect(page.locator("#rows .row")).to_contain_text("2 lines")
    page.context.close()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_asking_and_answering_move_nothing_and_fit(
    browser: Browser, house: Demo, width: int, lang: str
) -> None:
    page = open_page(browser, house, width=width, lang=lang, still=True)
    page.evaluate("() => document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    below = "() => document.querySelector('#world-box').getBoundingClientRect().top + scrollY"
    before = page.evaluate(below)
    page.click("#desk-lockdown")
    assert page.evaluate(below) == before
    assert axe(page) == []
    assert overflow(page) == 0
    page.keyboard.press("Escape")
    page.click("#desk-silence")
    expect(page.locator("#desk-word")).to_have_class("said")
    assert page.evaluate(below) == before
    assert overflow(page) == 0
    page.context.close()


@pytest.mark.parametrize("story", ["lockdown", "old", "storage", "stranger"])
def test_a_story_of_commands_plays_to_its_end(browser: Browser, house: Demo, story: str) -> None:
    page = open_page(browser, house)
    end = page.evaluate(
        "async (id) => (await (await fetch('words/en.json')).json())[`story.${id}.end`]", story
    )
    page.click(f"[data-story={story}]")
    expect(page.locator("#caption-text")).to_contain_text(end, timeout=STORY_MS)
    expect(page.locator("#trouble")).to_be_empty()
    portals = house.world()["portals"]
    assert [(p["door"], p["lock"], p["mode"]) for p in portals.values()] == [
        ("closed", "locked", "locked")
    ] * 2
    page.context.close()


@pytest.mark.parametrize("mode", ["error", "full", "slow"])
def test_storage_that_fails_is_a_switch_a_lamp_and_no_reason_to_stay_outside(
    browser: Browser, demo: Demo, mode: str
) -> None:
    page = open_page(browser, demo)
    switch = page.locator("[data-switch=storage]")
    switch.click()
    page.click(f"[data-storage={mode}]")
    expect(page.locator(f"[data-storage={mode}]")).to_have_attribute("aria-pressed", "true")
    expect(switch).to_contain_text({"error": "Errors", "full": "Full", "slow": "Slow"}[mode])
    expect(page.locator("#lamp-record")).to_have_class("lamp bad")
    page.click("[data-person=resident]")
    wait_shown(page, "door-front", "door open")
    page.click("[data-storage=none]")
    expect(page.locator("#rows")).to_contain_text("Front door: Resident went in.")
    expect(page.locator("#lamp-record")).to_have_class("lamp ")
    page.context.close()
