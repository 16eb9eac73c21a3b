"""Somebody who looks at the console: a page of a browser, with everything noted that a page must never do."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Locator, Page, expect

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
# A browser writes each refused request on its console, which says nothing of the page.
REFUSED = "Failed to load resource"
AXE = """async (rules) => {
    const options = rules.length > 0 ? { runOnly: { type: "rule", values: rules } } : {};
    const found = await axe.run(document, { resultTypes: ["violations"], ...options });
    return found.violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html}`));
}"""

# Only a bound: machines that are busy with other tests are slow.
expect.set_options(timeout=30_000)


class Looker:
    """Leaving fails if the page had an error, was refused something by its own policy, or asked a foreign host."""

    def __init__(
        self,
        browser: Browser,
        url: str,
        *,
        width: int = 1440,
        height: int = 900,
        language: str = "en-GB",
        colours: Any = "light",
    ) -> None:
        self.url = url
        self.context = browser.new_context(
            viewport={"width": width, "height": height},
            locale=language,
            color_scheme=colours,
            reduced_motion="reduce",
            has_touch=width < 500,
        )
        self.page: Page = self.context.new_page()
        self.wrong: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: self.wrong.append(f"dialog: {dialog.message}"))
        self.page.on("console", lambda message: self._heard(message.type, message.text))
        self.page.on("request", lambda request: self._asked(request.url))

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not text.startswith(REFUSED):
            self.wrong.append(f"{kind}: {text}")

    def _asked(self, url: str) -> None:
        if urlsplit(url).scheme != "data" and urlsplit(url).netloc != urlsplit(self.url).netloc:
            self.wrong.append(f"asked {url}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self.keep("failed")
        self.context.close()
        if kind is None:
            assert self.wrong == [], self.wrong

    def go(self, place: str = "") -> Self:
        """Enter the console at this place, such as ``#/models``."""
        self.page.goto(f"{self.url}/console/{place}")
        return self

    def button(self, name: str, **options: Any) -> Locator:
        return self.page.get_by_role("button", name=name, **options)

    def link(self, name: str, **options: Any) -> Locator:
        return self.page.get_by_role("link", name=name, **options)

    def field(self, name: str, **options: Any) -> Locator:
        return self.page.get_by_label(name, **options)

    def sees(self, text: str, **options: Any) -> None:
        """Wait until the text is there to be seen."""
        expect(self.page.get_by_text(text, **options).first).to_be_visible()

    def sees_status(self, word: str) -> None:
        """Wait until the page's process is in this state."""
        expect(self.page.locator(".status .badge")).to_have_text(word)

    def element(self, element_id: str, panel: int = 0) -> Locator:
        """An element of the diagram in one of the panels."""
        return self.page.locator(".panel").nth(panel).locator(f'.djs-element[data-element-id="{element_id}"]')

    def keep(self, name: str, *, whole: bool = False) -> None:
        """Keep a picture of the page."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=whole)

    def barriers(self, *rules: str) -> list[str]:
        """What axe finds that keeps people out, by all its rules or by these."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)
        found: list[str] = self.page.evaluate(AXE, list(rules))
        return found

    @property
    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        width: int = self.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        return width
