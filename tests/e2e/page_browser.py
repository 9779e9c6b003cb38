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
PATIENCE_MS = 60_000  #: on a busy machine; what is there is found at once
STORY_MS = 180_000  #: for a story to play to its end
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]

# Playwright's own patience is 5 s: less than two browsers and two simulators may take on two cores.
expect.set_options(timeout=PATIENCE_MS)

# What an element showed in passing: looked for later, it would be missed on a busy machine.
NOTE = """() => {
  window.shown = {};
  window.said = {};
  const note = (notes, id, what) => (notes[id] ??= new Set()).add(what);
  new MutationObserver((changes) => {
    for (const { type, target } of changes) {
      if (type === "attributes") { note(window.shown, target.id, target.getAttribute("class")); continue; }
      const element = target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement;
      const one = element?.closest("#plate-front, #plate-yard, #caption-text");
      if (one) note(window.said, one.id, one.textContent);
    }
  }).observe(document.body, {
    subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ["class"],
  });
}"""


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
    page.evaluate(NOTE)
    return page


def wait_shown(page: Page, id: str, classes: str) -> None:
    """Wait until the element has changed to these classes since `open_page`, if only in passing."""
    page.wait_for_function(
        "([id, classes]) => window.shown[id]?.has(classes)",
        arg=[id, classes],
        timeout=PATIENCE_MS,
    )


def wait_said(page: Page, id: str, part: str) -> None:
    """The same for words of a door's plate or of the story's caption."""
    page.wait_for_function(
        "([id, part]) => [...(window.said[id] ?? [])].some((text) => text.includes(part))",
        arg=[id, part],
        timeout=PATIENCE_MS,
    )


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
