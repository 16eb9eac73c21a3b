"""The console's files as they are served: to anybody, whole, and with nothing allowed that they do not need."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urljoin

import pytest
from flask import Flask
from playwright.sync_api import expect

from riverstone.api import create_app, create_blueprint, create_console
from riverstone.api.console import FILES
from riverstone.api.http.bundle import bundled
from riverstone.api.http.static_files import TYPES
from riverstone.api.wire.record import camel
from riverstone.bpmn_samples import path
from riverstone.engine import Engine
from riverstone.engine.calls.repair.batch_requests import SEARCHED
from riverstone.engine.findings import Severity
from riverstone.engine.views.history import HistoryAction, HistoryKind
from riverstone.engine.views.processes import AwaitedKind
from riverstone.engine.views.tasks import Undone
from riverstone.models.vocabulary import InstanceKind, ProcessState, ProcessStatus, WaitKind

from .conftest import Studio
from .looking import Looker

ROOT = Path(__file__).parents[2]
TEXTS = FILES / "texts"
VENDORED = ("bpmn-js", "modeler")
"""Folders of what others have made: bpmn.io's viewer, and its modeler as `console-modeler/` bundles it."""


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine("sqlite:///:memory:") as engine:
        yield engine


def get(app: Flask, path: str, **options: Any) -> Any:
    return app.test_client().get(path, buffered=True, **options)


def test_the_console_is_served_to_those_who_have_no_key_yet(engine: Engine) -> None:
    engine.keys.add("shop", scopes=["read"])
    app = create_app(engine)

    entered, page = get(app, "/console"), get(app, "/console/")

    assert (entered.status_code, entered.headers["Location"]) == (308, "console/")
    assert page.status_code == 200
    assert "<title>riverstone</title>" in page.text
    assert get(app, "/process").status_code == 401


def test_it_can_be_left_out(engine: Engine) -> None:
    app = create_app(engine, console=False)

    assert get(app, "/console/").status_code == 404


def test_every_file_comes_with_its_type_and_a_policy_that_lets_nothing_foreign_in(engine: Engine) -> None:
    app = create_app(engine)
    files = [file for file in FILES.rglob("*") if file.is_file()]

    assert {file.suffix for file in files} <= TYPES.keys()
    for file in files:
        answer = get(app, f"/console/{file.relative_to(FILES).as_posix()}")
        assert answer.mimetype == TYPES[file.suffix]
        assert answer.data == file.read_bytes()
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cache-Control"] == "no-cache"
        assert "Set-Cookie" not in answer.headers


def test_a_page_names_its_files_so_that_a_browser_may_keep_them(engine: Engine) -> None:
    app = create_app(engine)
    page = get(app, "/console/")
    assert page.headers["Cache-Control"] == "no-cache"
    assert get(app, "/console/", headers={"If-None-Match": page.headers["ETag"]}).status_code == 304
    named = re.findall(r' (?:href|src)="([^"]*)"', page.text)
    assert any(name.endswith("/all.js") for name in named)
    for name in named:
        for encoding in ("gzip", "identity"):
            answer = get(app, f"/console/{name}", headers={"Accept-Encoding": encoding})
            assert answer.status_code == 200
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    # What a page of another version names is there, and not kept.
    for file in ("console.js", "all.js"):
        other = get(app, f"/console/{'0' * 16}/{file}")
        assert (other.status_code, other.headers["Cache-Control"]) == (200, "no-cache")
    # Where another process of the same server has given the page.
    assert (
        get(create_app(engine), f"/console/{named[-1].partition('/')[0]}/all.js").data
        == get(app, f"/console/{'0' * 16}/all.js").data
    )
    assert get(app, f"/console/{'0' * 16}/../__init__.py").status_code == 404
    assert 'src="docs.js"' not in get(app, "/docs/").text


def test_a_page_asks_for_few_files(studio: Studio, looker: Looker) -> None:
    """What blocks the first paint is counted, since times are those of the machine."""
    asked: list[str] = []
    looker.page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    looker.go("#/inbox")
    expect(looker.page.get_by_role("heading", name="Inbox")).to_be_visible()
    assert {name for name in asked if name.endswith((".js", ".css"))} == {"all.css", "theme.js", "all.js"}
    # The others came too, so that another page is there at once, and also without a server.
    looker.context.set_offline(True)
    looker.link("Stones").click()
    expect(looker.page.get_by_role("heading", name="Stones")).to_be_visible()
    looker.context.set_offline(False)
    asked.clear()
    model = studio.engine.save_model(path("timer"))
    looker.go(f"#/edit/{model.model_id}")
    looker.page.reload()
    expect(looker.page.locator(".designer-canvas[data-ready]")).to_be_visible()
    assert "navigated-viewer.js" not in asked
    assert asked.index("modeler.js") < asked.index("draft")


def test_the_joined_modules_are_those_of_the_folder() -> None:
    texts = {
        file.relative_to(FILES).as_posix(): file.read_text("utf-8")
        for file in FILES.rglob("*")
        if file.suffix in (".js", ".css", ".html")
    }
    joined = bundled(texts["index.html"], texts)
    modules = set(re.findall(r'^\$modules\.set\("\./([^"]+)"', joined.files["all.js"], re.MULTILINE))
    apart = {"theme.js", "texts/zh-sentences.js", "bpmn-js/navigated-viewer.js", "modeler/modeler.js"}
    assert modules == {name for name in texts if name.endswith(".js")} - apart
    assert not re.search(r"^\s*(?:import|export)\b", joined.files["all.js"], re.MULTILINE)


@pytest.mark.parametrize("line", ['import * as all from "./b.js";', 'export { a } from "./b.js";', "export let a = 1;"])
def test_a_module_that_cannot_be_joined_is_named(line: str) -> None:
    page = '<head>\n  <script src="a.js" type="module"></script>\n</head>'
    with pytest.raises(ValueError, match=r"a\.js: '(import|export) .* cannot be joined"):
        bundled(page, {"a.js": f"{line}\n", "b.js": ""})


def test_a_style_sheet_that_needs_its_own_place_is_named() -> None:
    page = '<head>\n  <link rel="stylesheet" href="a.css">\n  <script src="a.js" type="module"></script>\n</head>'
    with pytest.raises(ValueError, match=r"a\.css names another file"):
        bundled(page, {"a.js": "", "a.css": "a { background: url('b.svg') }"})


def test_what_a_browser_has_is_not_sent_again(engine: Engine) -> None:
    app = create_app(engine)
    first = get(app, "/console/console.js")

    assert get(app, "/console/console.js", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize(
    "path", ["../__init__.py", "..%2f__init__.py", "/etc/passwd", "texts", "no.js", "%00", "index.html/"]
)
def test_nothing_else_is_served(engine: Engine, path: str) -> None:
    answer = get(create_app(engine), f"/console/{path}")

    assert answer.status_code in (404, 308)
    assert b"import" not in answer.data


def test_another_application_puts_it_beside_the_calls(engine: Engine) -> None:
    host = Flask("host")
    host.register_blueprint(create_blueprint(engine), url_prefix="/river")
    host.register_blueprint(create_console(), url_prefix="/river")

    assert get(host, "/river/console").headers["Location"] == "console/"
    assert get(host, "/river/console/").status_code == 200
    assert get(host, "/river/client").status_code == 200


def test_no_file_of_the_console_names_a_foreign_host_or_holds_a_script_of_its_page() -> None:
    own = [file for file in FILES.rglob("*") if file.is_file() and file.parent.name not in VENDORED]
    page = (FILES / "index.html").read_text(encoding="utf-8")

    for file in own:
        text = file.read_text(encoding="utf-8")
        # A sentence says of what form an origin is.
        named = set(re.findall(r"https?://[\w./-]+", text)) - {"https://HOST"}
        assert named <= {"http://www.w3.org/2000/svg"}, file
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text), file
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|style=", page)


def test_the_viewer_is_there_with_its_licence() -> None:
    viewer = (FILES / "bpmn-js" / "navigated-viewer.js").read_text(encoding="utf-8")

    assert "This file must not be changed or exchanged" in viewer
    assert "watermark" in (FILES / "bpmn-js" / "LICENSE.txt").read_text(encoding="utf-8")


def test_the_address_alone_leads_to_the_console(engine: Engine) -> None:
    engine.keys.add("shop", scopes=["read"])
    entered = get(create_app(engine), "/")
    assert (entered.status_code, entered.headers["Location"]) == (302, "console/")
    assert get(create_app(engine, console=False), "/").status_code in (401, 404)


@pytest.mark.parametrize("before", ["", "/engine"])
@pytest.mark.parametrize("mounted", ["", "/a/b:c"])
@pytest.mark.parametrize("asked", ["/", "/console", "/docs"])
def test_a_browser_is_led_below_the_address_that_it_has_asked(
    engine: Engine, asked: str, before: str, mounted: str
) -> None:
    """``before`` is what a proxy takes off, of which nobody tells; ``mounted`` is what a server is mounted under."""
    environ = {"SCRIPT_NAME": mounted, "PATH_INFO": asked}
    entered = get(create_app(engine), "/", environ_overrides=environ)
    led = urljoin(f"https://bpm.example.com{before}{mounted}{asked}", entered.headers["Location"])
    wanted = "/docs/" if asked == "/docs" else "/console/"
    assert led == f"https://bpm.example.com{before}{mounted}{wanted}"


def test_a_large_file_is_packed_for_those_who_can_read_it_so(engine: Engine) -> None:
    app, path = create_app(engine), "/console/modeler/modeler.js"
    plain, packed = get(app, path), get(app, path, headers={"Accept-Encoding": "gzip"})
    assert (plain.headers.get("Content-Encoding"), packed.headers["Content-Encoding"]) == (None, "gzip")
    assert len(packed.data) < len(plain.data) / 3
    assert gzip.decompress(packed.data) == plain.data
    again = get(app, path, headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]})
    assert again.status_code == 304


def test_the_modeler_is_there_with_its_licences() -> None:
    listed = (FILES / "modeler" / "LICENSES.txt").read_text(encoding="utf-8")

    assert "bpmn-js 18.31.1" in listed
    assert "watermark" in listed
    assert "no licence file in the package" not in listed or "didi" in listed


def test_the_modeler_is_what_its_lock_file_makes(tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("npm is not here, so nobody knows what the console's modeler was made of.")
        pytest.skip("npm is not here: the console's modeler is not built anew")
    project = tmp_path / "console-modeler"
    shutil.copytree(ROOT / "console-modeler", project, ignore=shutil.ignore_patterns("node_modules"))
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(["npm", "ci", "--prefix", str(project), *quiet], check=True, timeout=300)
    shutil.copytree(FILES / "modeler", project / "out")
    made = subprocess.run(
        ["node", "build.mjs", "--check"], cwd=project, capture_output=True, text=True, timeout=120, check=False
    )
    assert made.returncode == 0, made.stderr


def texts_of(language: str) -> dict[str, str]:
    source = (TEXTS / f"{language}.js").read_text(encoding="utf-8")
    found = re.findall(r'^  "?([\w.-]+)"?:\s+"((?:[^"\\]|\\.)*)",$', source, re.MULTILINE)
    assert len(found) == len(dict(found)) == source.count(",\n")
    return dict(found)


def test_both_languages_say_the_same_things_with_the_same_values() -> None:
    english, chinese = texts_of("en"), texts_of("zh")

    assert list(english) == list(chinese)
    for key, text in english.items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", chinese[key])), key


@pytest.mark.parametrize(
    ("prefix", "words"),
    [
        ("process", ProcessStatus),
        ("kind", InstanceKind),
        ("results", Undone),
        ("wait", WaitKind),
        ("awaits", AwaitedKind),
        ("history", HistoryKind),
        ("action", HistoryAction),
        ("state", ProcessState),
        ("finding", Severity),
    ],
)
def test_every_word_that_a_server_answers_has_a_text(prefix: str, words: Any) -> None:
    assert {f"{prefix}.{word}" for word in get_args(words)} - set(texts_of("en")) == set()


def test_all_that_can_be_searched_for_has_a_text() -> None:
    assert {f"searched.{camel(name)}" for name in SEARCHED} - set(texts_of("en")) == set()


def test_every_text_that_is_used_is_there() -> None:
    known = set(texts_of("en"))
    used = {
        key
        for file in FILES.glob("*.js")
        for key in re.findall(r'\b(?:t|counted)\(\s*"([\w.]+)"', file.read_text(encoding="utf-8"))
    }

    assert used - known == set()


def test_no_module_calls_what_another_one_exports_and_it_has_not_imported() -> None:
    """Browsers tell that only when somebody gets there."""
    texts = {file.name: file.read_text("utf-8") for file in FILES.glob("*.js")}
    exported = {
        name for text in texts.values() for name in re.findall(r"^export (?:async )?\w+ (\w+)", text, re.MULTILINE)
    }
    assert len(exported) > 150
    unknown = []
    for file, text in texts.items():
        code = re.sub(r"//.*|/\*[\s\S]*?\*/", "", text)
        for name in {*re.findall(r"(?<![.\w#])(\w+)\(", code)} & exported:
            declared = (
                rf"\b(?:function|const|let|class) {name}\b|[({{,]\s*(?:\w+ as )?{name}\s*[,)}}=:]|\({{[^)]*\b{name}\b"
            )
            if not re.search(declared, code) and not re.search(
                rf"^  (?:async |#|static )*{name}\(", code, re.MULTILINE
            ):
                unknown.append(f"{file}: {name}")
    assert unknown == []
