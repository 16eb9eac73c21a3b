"""The page at /docs, in a real browser: what is called from there, and with which key."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from riverstone.api import create_app
from riverstone.api.docs import FILES
from riverstone.api.server import Server
from riverstone.engine import Engine

from .asking import Client


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page that notes everything that it complains of and every address that it asks for."""
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.complaints, page.asked = [], []
    page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    yield page
    page.close()


def test_the_calls_are_tried_from_the_page(page: Any, address: str, engine: Engine, key: str) -> None:
    page.goto(f"{address}/docs")
    page.wait_for_selector(".opblock")
    assert len(drawn(page)) == len(operations(engine))
    page.evaluate("scrollTo(0, 0)")

    page.locator("#operations-process-postProcesses .opblock-summary-control").click()
    body = page.locator("#operations-process-postProcesses textarea")
    assert '"Bingo::RS::FRONT::RSBILLING"' in body.input_value()
    body.fill(f'{{"key": "{key}", "processName": "from the page", "variables": {{}}}}')
    page.locator("#operations-process-postProcesses .execute").click()
    page.wait_for_selector("#operations-process-postProcesses .live-responses-table")

    assert [found.process_name for found in engine.search(text="from the page").items] == ["from the page"]
    assert page.complaints == []
    assert {url for url in page.asked if not url.startswith((f"{address}/", "data:"))} == set()


def test_behind_a_proxy_that_takes_a_part_of_the_path_off_calls_go_there_too(page: Any, engine: Engine) -> None:
    app = create_app(engine)

    def proxied(environ: dict[str, Any], start_response: Any) -> Any:
        assert environ["PATH_INFO"].startswith("/engine")
        return app({**environ, "PATH_INFO": environ["PATH_INFO"].removeprefix("/engine")}, start_response)

    outside: Any = proxied
    server = Server(outside, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        page.goto(f"{server.url}/engine/docs")
        page.wait_for_selector(".opblock")
        page.locator("#operations-process-getProcesses .opblock-summary-control").click()
        page.locator("#operations-process-getProcesses .execute").click()
        page.wait_for_selector("#operations-process-getProcesses .live-responses-table")
    finally:
        server.stop()
        thread.join()
    assert page.complaints == []
    assert [url for url in page.asked if url.startswith(f"{server.url}/engine/process")]


def test_who_reads_chinese_is_told_that_the_page_is_in_english(browser: Any, address: str) -> None:
    for locale, told in (("zh-CN", True), ("en-GB", False)):
        page = browser.new_page(locale=locale)
        page.goto(f"{address}/docs")
        page.wait_for_selector(".opblock")
        assert page.get_by_text("本页的说明只有英文").is_visible() == told
        page.close()


def test_where_a_key_is_needed_the_page_asks_for_it_and_keeps_it_to_itself(
    page: Any, address: str, engine: Engine
) -> None:
    _, secret = engine.keys.add("me", scopes=["read"])
    page.goto(f"{address}/docs/")
    page.fill("#key", "rsk_wrong")
    page.click("#entrance button")
    page.wait_for_function("document.getElementById('why').textContent.length > 0")
    page.fill("#key", secret)
    page.click("#entrance button")
    page.wait_for_selector(".opblock")
    drawn(page, until="operations-client-getCaller")
    page.locator("#operations-client-getCaller .opblock-summary-control").click()
    page.locator("#operations-client-getCaller .execute").click()
    page.wait_for_selector("#operations-client-getCaller .live-responses-table")

    assert '"key:me"' in page.locator("#operations-client-getCaller .live-responses-table").inner_text()
    assert page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])") == '[{},{},""]'


def test_the_page_can_be_left_out_and_lets_nothing_foreign_in(engine: Engine) -> None:
    assert Client(create_app(engine, console=False)).get("/docs/").status_code == 404
    answer = Client(create_app(engine)).get("/docs/", buffered=True)
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert (Path(FILES) / "swagger-ui" / "LICENSE.txt").exists()


def drawn(page: Any, until: str = "") -> set[str]:
    """The ids of all operations, or of those up to one: Swagger UI draws what is in sight, where there are many."""
    found: set[str] = set()
    moved = True
    while moved and until not in found:
        found |= set(page.evaluate("[...document.querySelectorAll('.opblock')].map(each => each.id)"))
        moved = until not in found and page.evaluate(
            """async () => {
                const before = scrollY;
                scrollBy(0, innerHeight / 3);
                for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
                return scrollY > before;
            }"""
        )
    return found


def operations(engine: Engine) -> list[str]:
    described = Client(create_app(engine)).get("/openapi.json").json
    return [name for path in described["paths"].values() for name in path if name != "parameters"]
