"""What authors draw is kept with its errors, is never overwritten unseen, and changes nothing that runs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from riverstone.api import create_app
from riverstone.api.cli import main
from riverstone.engine import Conflict, Engine, Malformed, ModelInvalid, RiverstoneError, UnknownDraft, UnknownModel

from ..api.asking import Client
from .sketch import line, service
from .world import World, run


def shop(*nodes: str, key: str = "shop") -> bytes:
    return line(key, *nodes)


GOOD = shop(service("a", "make"))
BETTER = shop(service("a", "make"), service("b", "make"))
WRONG = shop('<callActivity id="call"/>')


def tried(engine: Engine, model_id: str) -> str:
    """What comes of a trial run."""
    return engine.wait(engine.start(model_id=model_id, name="trial").process_instance_id, 3600).status


def test_a_draft_with_errors_is_kept_and_what_is_saved_runs(engine: Engine) -> None:
    model = engine.save_model(GOOD, name="Shop")
    draft = engine.write_draft(WRONG, model_id=model.model_id, who="ann")

    assert (draft.name, draft.key, draft.who, draft.new, draft.outdated) == ("Shop", "shop", "ann", False, False)
    assert engine.draft(model.model_id).files == draft.files
    assert tried(engine, model.model_id) == "success"
    with pytest.raises(ModelInvalid):
        engine.save_draft(model.model_id)
    assert engine.model(model.model_id).files == model.files

    mended = engine.write_draft(BETTER, model_id=model.model_id, revision=draft.revision)
    saved = engine.save_draft(model.model_id, revision=mended.revision)

    assert (saved.model_id, 'id="b"' in saved.xml) == (model.model_id, True)
    with pytest.raises(UnknownDraft):
        engine.draft(model.model_id)


def test_a_model_begins_with_a_draft_that_a_list_shows(engine: Engine) -> None:
    draft = engine.write_draft(WRONG, name="New shop", parameter_template=[{"Key": "size", "Type": "Nonsense"}])

    assert [(each.model_id, each.new) for each in engine.drafts().items] == [(draft.model_id, True)]
    with pytest.raises(UnknownModel):
        engine.start(model_id=draft.model_id, name="trial")
    mended = engine.write_draft(GOOD, model_id=draft.model_id, revision=draft.revision, name="New shop")
    assert engine.save_draft(draft.model_id, revision=mended.revision).name == "New shop"
    assert tried(engine, draft.model_id) == "success"
    assert engine.drafts().items == ()


def test_nobody_overwrites_what_they_have_not_seen(engine: Engine) -> None:
    model_id = engine.save_model(GOOD).model_id
    first = engine.write_draft(GOOD, model_id=model_id, who="ann")

    for revision in (None, "another"):
        with pytest.raises(Conflict, match="by ann") as refused:
            engine.write_draft(BETTER, model_id=model_id, revision=revision)
        assert refused.value.code == "draft-changed"
        if revision:
            for act in (engine.save_draft, engine.discard_draft):
                with pytest.raises(Conflict):
                    act(model_id, revision=revision)
    assert engine.draft(model_id) == first
    engine.discard_draft(model_id, revision=first.revision)
    with pytest.raises(Conflict, match="no more"):
        engine.write_draft(BETTER, model_id=model_id, revision=first.revision)


def test_of_two_engines_that_write_at_once_one_is_refused(url: str) -> None:
    with Engine(url, stones=World().stones()) as one, Engine(url, stones=World().stones()) as other:
        model_id = one.save_model(GOOD).model_id

        def write(engine: Engine, revision: str | None) -> str:
            try:
                return engine.write_draft(BETTER, model_id=model_id, revision=revision).revision
            except RiverstoneError as error:
                return error.code

        revision = None
        with ThreadPoolExecutor(2) as threads:
            for _ in range(10):
                came = list(threads.map(write, (one, other), (revision, revision)))
                (revision,) = {each for each in came if each != "draft-changed"}
                assert len(came) == 2
                assert came.count("draft-changed") == 1
        assert one.draft(model_id).revision == revision


def test_a_draft_of_a_model_that_was_saved_meanwhile_replaces_it_only_on_purpose(engine: Engine) -> None:
    model_id = engine.save_model(GOOD).model_id
    draft = engine.write_draft(BETTER, model_id=model_id)
    engine.save_model(shop(service("c", "make")), model_id=model_id)

    assert engine.draft(model_id).outdated
    with pytest.raises(Conflict) as refused:
        engine.save_draft(model_id, revision=draft.revision)
    assert refused.value.code == "model-changed"
    assert 'id="b"' in engine.save_draft(model_id, revision=draft.revision, replace=True).xml


def test_a_model_keeps_its_key(engine: Engine) -> None:
    model_id = engine.save_model(GOOD).model_id
    other = shop(service("a", "make"), key="store")
    engine.write_draft(other, model_id=model_id)

    for act in (partial(engine.save_draft, model_id), partial(engine.save_model, other, model_id=model_id)):
        with pytest.raises(Conflict, match="save it as a new model") as refused:
            act()
        assert refused.value.code == "key-changed"
    assert engine.model(model_id).key == "shop"


def test_a_draft_goes_with_its_model(engine: Engine, world: World) -> None:
    deployed = engine.deploy(GOOD)
    draft = engine.write_draft(BETTER, model_id=deployed.model_id)
    done = run(engine, "shop").process_instance_id
    with pytest.raises(Conflict):
        engine.remove_model(deployed.model_id)
    assert engine.draft(deployed.model_id) == draft
    engine.delete(done)
    engine.remove_model(deployed.model_id)
    assert engine.drafts().items == ()
    with pytest.raises(UnknownModel):
        engine.write_draft(BETTER, model_id=deployed.model_id)


def test_what_is_no_xml_is_no_draft(engine: Engine) -> None:
    with pytest.raises(Malformed):
        engine.write_draft(b"<definitions>")


def test_over_http_the_revision_is_the_etag(engine: Engine) -> None:
    client = Client(create_app(engine))
    xml = {"Content-Type": "application/xml"}
    model_id = engine.save_model(GOOD).model_id
    path = f"/model/{model_id}/draft"
    assert client.get(path).status_code == 404

    written = client.put(path, data=WRONG, headers=xml)
    tag = written.headers["ETag"]
    assert (written.status_code, tag) == (200, f'"{written.json["revision"]}"')
    read = client.get(path)
    assert (read.headers["ETag"], client.get(path, headers={"If-None-Match": tag}).status_code) == (tag, 304)
    assert client.put(path, data=GOOD, headers=xml).status_code == 412
    again = client.put(path, data=GOOD, headers={**xml, "If-Match": tag})
    assert again.status_code == 200
    late = client.delete(path, headers={"If-Match": tag})
    assert (late.status_code, late.json["code"]) == (412, "draft-changed")
    saved = client.post(f"{path}/save", headers={"If-Match": again.headers["ETag"]})
    assert (saved.status_code, saved.json["modelId"]) == (200, model_id)
    assert [each.action for each in engine.audit.entries().items] == ["postDraftSave", "deleteDraft"]
    begun = client.post("/draft?name=Other", data=WRONG, headers=xml)
    assert begun.json["new"] is True
    assert [each["modelId"] for each in client.get("/draft").json["items"]] == [begun.json["modelId"]]


@pytest.mark.parametrize("tag", ['""', "W/", '"x"'])
def test_a_tag_that_no_draft_has_changes_nothing(engine: Engine, tag: str) -> None:
    """The empty one is a tag too (RFC 9110, 8.8.3)."""
    client = Client(create_app(engine))
    path = f"/model/{engine.save_model(GOOD).model_id}/draft"
    assert client.put(path, data=GOOD, headers={"Content-Type": "application/xml"}).status_code == 200

    assert client.delete(path, headers={"If-Match": tag}).status_code == 412
    assert client.post(f"{path}/save", headers={"If-Match": tag}).status_code == 412

    assert client.get(path).status_code == 200


def test_on_the_command_line_drafts_are_listed_saved_and_discarded(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'store.db'}"
    with Engine(store) as engine:
        kept, gone = (engine.write_draft(shop('<userTask id="a"/>'), name=name).model_id for name in ("Kept", "Gone"))

    def asked(*words: str) -> str:
        result = CliRunner().invoke(main, ["--db", store, "draft", *words])
        assert result.exit_code == 0, result.output
        return result.output

    assert "Kept" in asked("list")
    assert kept in asked("save", kept)
    assert gone in asked("discard", gone)
    assert asked("list") == "There is no draft.\n"
    with Engine(store) as engine:
        assert engine.model(kept).key == "shop"
