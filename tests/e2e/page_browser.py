"""A browser for the page's tests: pages, states, axe, and streams of events made up on the spot."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any, Protocol

from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = (360, 768, 1280)
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]


class Demo(Protocol):
    """A running simulator, as the fixture ``demo`` gives it."""

    url: str

    def act(self, do: str, **args: object) -> object: ...

    def world(self) -> dict[str, Any]: ...

    def wait_for(self, type: str, after_seq: int = 0, **fields: Any) -> dict[str, Any]: ...


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        try:
            yield browser
        finally:
            browser.close()


def open_page(
    browser: Browser,
    demo: Demo,
    *,
    width: int = 1280,
    lang: str = "en",
    dark: bool = False,
    touch: bool = False,
    still: bool = False,
) -> Page:
    """A fresh visitor's page, once it shows the building. It fails the test on any script error."""
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce" if still else "no-preference",
        has_touch=touch,
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{demo.url}?lang={lang}")
    expect(page.locator("body")).not_to_have_class("loading")
    expect(page.locator("#people .person").first).to_be_enabled()
    assert errors == []
    return page


def axe(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 A and AA, one line a finding."""
    if not page.evaluate("() => 'axe' in window"):
        source = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
        page.evaluate(source)
    found = page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}}).then(r => r.violations)",
        AXE_TAGS,
    )
    return [f"{v['id']}: {[n['target'] for n in v['nodes']]}" for v in found]


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    width: int = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    return max(0, width)


def focused(page: Page) -> str:
    """The id or the data of what has the focus."""
    name: str = page.evaluate(
        "() => { const e = document.activeElement;"
        " return e.id || e.dataset.person || e.dataset.key || e.textContent; }"
    )
    return name


def tab_to(page: Page, name: str, most: int = 60) -> None:
    """Press Tab until the named thing has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if focused(page) == name:
            return
    raise AssertionError(f"{name}: not reached with {most} presses of Tab")


def event(seq: int, **fields: object) -> dict[str, object]:
    base: dict[str, object] = {
        "v": 1,
        "id": f"c-01:0badcafe:{seq}",
        "journal": "0badcafe",
        "seq": seq,
        "time": f"2026-11-21T08:{seq // 60 % 60:02d}:{seq % 60:02d}.000Z",
        "type": "portal.opened",
        "portal": "front",
    }
    return base | fields


def stream(page: Page, events: list[dict[str, object]]) -> None:
    """From the next visit on, the page hears these events and then nothing but silence."""
    body = "".join(f"event: event\ndata: {json.dumps(e)}\n\n" for e in events)

    def answer(route: Route) -> None:
        route.fulfill(body=f"retry: 600000\n\n{body}", content_type="text/event-stream")

    page.route("**/api/events*", answer)
