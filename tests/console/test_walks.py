"""The operator's morning: what failed last night is found, understood, mended and resumed, by what the pages say."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from riverstone.engine import Stone, TaskInfo

from ..features.sketch import line, service
from .conftest import Studio
from .looking import Looker

Bring = Callable[..., Looker]


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
def test_an_operator_finds_what_failed_last_night_mends_it_and_resumes_all(
    studio: Studio, somebody: Bring, language: str
) -> None:
    has_room = False

    class Server(Stone):
        """Makes a server, where there is room."""

        code = "Shop::Server"

        def start(self, task: TaskInfo) -> None:
            if not has_room:
                raise ValueError("no room left in region bcc")

        def rollback(self, task: TaskInfo) -> None:
            """Nothing was made."""

    studio.engine.register(Server)
    studio.engine.deploy(line("shop", service("server", "Shop::Server")))
    waiting = [
        studio.engine.start(key="shop", name=f"order {number}", variables={}, on_failure="pause") for number in range(3)
    ]
    gone = studio.engine.start(key="shop", name="an older order", variables={})
    for each in [*waiting, gone]:
        studio.engine.wait(each.process_instance_id, timeout=30)

    looker = somebody(language=language)
    chinese = language == "zh-CN"
    page = looker.page

    def word(english: str, translated: str) -> str:
        return translated if chinese else english

    looker.go()
    looker.button(word("Needs attention 3", "需要处理 3")).click()
    expect(page.locator(".processes tbody tr")).to_have_count(3)
    looker.button(word("Why they failed", "失败原因")).click()
    looker.sees("no room left in region bcc")
    looker.keep(f"walk-operator-reasons-{language}")
    assert looker.barriers() == []
    page.keyboard.press("Escape")
    looker.link("order 0").click()
    looker.sees("no room left in region bcc")
    expect(looker.element("server")).to_be_visible()
    looker.button(word("Explain", "说明")).click()
    looker.sees(word("has failed in start", "在 start 中失败"))
    looker.keep(f"walk-operator-why-{language}")
    page.keyboard.press("Escape")

    has_room = True
    page.go_back()
    looker.button(word("For all of these…", "对全部执行…")).click()
    looker.keep(f"walk-operator-batch-{language}")
    page.get_by_role("dialog").locator("button[type=submit]").click()
    looker.sees("3/3")
    assert [studio.engine.wait(each.process_instance_id, timeout=30).status for each in waiting] == ["success"] * 3
    looker.go("#/processes?state=failed")
    looker.sees("an older order")
    looker.sees(word("Failed, rolled back", "失败，已回滚"))
    looker.keep(f"walk-operator-end-{language}")
