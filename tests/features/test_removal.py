"""Models and versions go when nobody needs them any more, and what they are needed for is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from riverstone.api import create_app
from riverstone.api.cli import main
from riverstone.engine import Conflict, Engine, UnknownDeployment, UnknownDraft, UnknownModel, VirtualClock

from ..api.asking import Client
from .sketch import catch, definitions, flow, line, process, row, service
from .world import World, run

PAID = '<message id="paid" name="paid"/>'
WAIT = catch("wait", '<messageEventDefinition messageRef="paid"/>')


def shop(*nodes: str) -> bytes:
    return line("shop", *nodes)


@pytest.mark.parametrize("no_id", ["x", "' OR 1", "F" * 36, "00000000-0000-4000-8000-000000000000"])
def test_what_is_no_id_is_unknown_in_every_database(engine: Engine, no_id: str) -> None:
    """PostgreSQL, which keeps ids as such, would refuse to look for it."""
    engine.deploy(shop(service("a", "make")))
    source = shop(service("b", "make"))
    calls = (
        lambda: engine.deployment(no_id),
        lambda: engine.remove_deployment(no_id),
        lambda: engine.start(deployment_id=no_id, name="test"),
        lambda: engine.model(no_id),
        lambda: engine.save_model(source, model_id=no_id),
        lambda: engine.deploy_model(no_id),
        lambda: engine.remove_model(no_id),
        lambda: engine.protect_model(no_id),
        lambda: engine.draft(no_id),
        lambda: engine.write_draft(source, model_id=no_id),
        lambda: engine.save_draft(no_id),
        lambda: engine.discard_draft(no_id),
        lambda: engine.start(model_id=no_id, name="test"),
    )
    for call in calls:
        with pytest.raises((UnknownDeployment, UnknownModel, UnknownDraft)):
            call()

    assert engine.deployments(model_id=no_id).items == ()
    assert len(engine.deployments().items) == 1


def test_a_version_that_nobody_used_is_gone_and_its_key_means_the_one_before(engine: Engine) -> None:
    first = engine.deploy(shop(service("a", "make")))
    second = engine.deploy(shop(service("b", "make")))

    assert engine.remove_deployment(second.deployment_id) == second

    assert [known.deployment_id for known in engine.deployments(key="shop").items] == [first.deployment_id]
    assert engine.start(key="shop", name="test").deployment_id == first.deployment_id
    for action in (
        lambda: engine.deployment(second.deployment_id),
        lambda: engine.remove_deployment(second.deployment_id),
        lambda: engine.start(deployment_id=second.deployment_id, name="test"),
    ):
        with pytest.raises(UnknownDeployment):
            action()
    again = engine.deploy(shop(service("b", "make")))
    assert (again.version, again.deployment_id == second.deployment_id) == (3, False)


def test_a_version_stays_while_a_process_of_it_has_something_to_undo(engine: Engine) -> None:
    deployment = engine.deploy(shop(service("a", "make")))
    one, two = (run(engine, "shop").process_instance_id for _ in range(2))

    with pytest.raises(Conflict, match=f"2 processes need it to go on or to be undone \\({one}, {two}\\)") as refused:
        engine.remove_deployment(deployment.deployment_id)
    assert (refused.value.code, refused.value.related) == ("deployment-in-use", one)
    engine.delete(one)
    with pytest.raises(Conflict, match=f"1 process needs it .* \\({two}\\)"):
        engine.remove_deployment(deployment.deployment_id)
    engine.delete(two)

    engine.remove_deployment(deployment.deployment_id)

    assert engine.get(one).status == "delete.success"
    assert engine.delete(one).status == "delete.success"
    assert engine.tasks(two)[0].undo == "undone"


def test_a_version_stays_while_a_process_of_it_goes_on(engine: Engine) -> None:
    deployment = engine.deploy(line("shop", WAIT, before=PAID))
    started = engine.start(key="shop", name="test").process_instance_id

    with pytest.raises(Conflict, match=started):
        engine.remove_deployment(deployment.deployment_id)

    engine.message("paid")
    engine.remove_deployment(deployment.deployment_id)
    assert engine.get(started).status == "success"


def test_a_failed_rollback_still_needs_its_version(engine: Engine, world: World) -> None:
    deployment = engine.deploy(shop(service("a", "make"), service("b", "make")))
    world.wrong("start", "b", RuntimeError("no room"))
    world.wrong("rollback", "a", RuntimeError("in use"))
    assert run(engine, "shop").status == "rollback.failed"

    with pytest.raises(Conflict):
        engine.remove_deployment(deployment.deployment_id)


def test_what_is_called_is_needed_by_who_calls_it(engine: Engine) -> None:
    called = engine.deploy(line("inner", WAIT, before=PAID))
    engine.deploy(line("outer", service("a", "mail"), '<callActivity id="call" calledElement="inner"/>'))
    started = engine.start(key="outer", name="test").process_instance_id

    with pytest.raises(Conflict, match=started):
        engine.remove_deployment(called.deployment_id)
    # Another version would answer the next call, but this one is under way.
    newer = engine.deploy(line("inner", service("b", "mail")))
    with pytest.raises(Conflict, match=started):
        engine.remove_deployment(called.deployment_id)
    engine.remove_deployment(newer.deployment_id)

    engine.message("paid")
    assert engine.get(started).status == "success"
    engine.remove_deployment(called.deployment_id)


def test_what_will_be_called_is_needed_too(engine: Engine) -> None:
    innermost = engine.deploy(line("innermost", service("c", "mail")))
    engine.deploy(line("inner", '<callActivity id="deeper" calledElement="innermost"/>'))
    engine.deploy(line("outer", WAIT, '<callActivity id="call" calledElement="inner"/>', before=PAID))
    started = engine.start(key="outer", name="test").process_instance_id

    with pytest.raises(Conflict, match=started):
        engine.remove_deployment(innermost.deployment_id)

    engine.message("paid")
    assert engine.get(started).status == "success"
    engine.remove_deployment(innermost.deployment_id)


def test_a_message_starts_what_is_left(engine: Engine) -> None:
    begins = '<messageEventDefinition messageRef="paid"/>'
    first = engine.deploy(line("shop", service("a", "mail"), before=PAID, start=begins))
    second = engine.deploy(line("shop", service("b", "mail"), before=PAID, start=begins))

    engine.remove_deployment(second.deployment_id)
    assert engine.message("paid").deployment_id == first.deployment_id

    engine.delete(engine.message("paid").process_instance_id)
    for known in engine.instances(key="shop").items:
        engine.delete(known.process_instance_id)
    engine.remove_deployment(first.deployment_id)
    with pytest.raises(Conflict, match="No process waits"):
        engine.message("paid")


def test_a_model_goes_with_all_its_versions_unless_a_trial_run_needs_it(engine: Engine, world: World) -> None:
    model = engine.save_model(shop(service("a", "make")))
    deployments = [engine.deploy_model(model.model_id)]
    engine.save_model(shop(service("b", "make")), model_id=model.model_id)
    deployments.append(engine.deploy_model(model.model_id))
    trial = engine.start(model_id=model.model_id, name="test").process_instance_id

    with pytest.raises(Conflict, match=trial) as refused:
        engine.remove_model(model.model_id)
    assert refused.value.code == "model-in-use"
    engine.delete(trial)

    assert engine.remove_model(model.model_id).key == "shop"

    assert engine.deployments(key="shop").items == ()
    assert engine.models(key="shop").items == ()
    with pytest.raises(UnknownModel):
        engine.remove_model(model.model_id)
    with pytest.raises(UnknownDeployment):
        engine.start(key="shop", name="test")
    assert engine.get(trial).status == "delete.success"


def test_several_processes_of_one_bundle_are_versions_of_their_own(engine: Engine) -> None:
    simple = '<startEvent id="begin"/>' + service("b", "make") + flow("begin", "b")
    engine.deploy(definitions(row("one", service("a", "mail")), process("two", simple.replace("begin", "start"))))
    run(engine, "two")
    [one], [two] = (engine.deployments(key=key).items for key in ("one", "two"))

    engine.remove_deployment(one.deployment_id)
    with pytest.raises(Conflict):
        engine.remove_deployment(two.deployment_id)
    with pytest.raises(Conflict):
        engine.remove_model(two.model_id)


def test_the_model_of_an_undo_goes_with_it_and_not_alone(engine: Engine) -> None:
    engine.deploy(shop(service("a", "make")))
    undo = engine.get(engine.delete(run(engine, "shop").process_instance_id).delete_process_instance_id or "")

    with pytest.raises(Conflict, match="goes when that is purged"):
        engine.remove_deployment(undo.deployment_id)


def test_a_purge_forgets_what_was_removed_once_no_record_refers_to_it(engine: Engine) -> None:
    unused = engine.deploy(shop(service("a", "make")))
    used = engine.deploy(shop(service("b", "make")))
    started = run(engine, "shop").process_instance_id
    engine.delete(started)
    engine.remove_deployment(unused.deployment_id)
    engine.remove_deployment(used.deployment_id)
    stored = "SELECT `id` FROM `deployment` WHERE `version` > 0"

    assert isinstance(engine.clock, VirtualClock)
    engine.clock.advance(10)
    engine.purge(3600)
    assert len(engine._store.read(stored)) == 2
    engine.clock.advance(7200)

    assert engine.purge(3600, dry_run=True) == 1
    assert engine.purge(3600) == 1
    assert engine._store.read(stored) == []


# -- protection


def test_a_protected_model_keeps_what_its_processes_made(engine: Engine, world: World) -> None:
    model = engine.save_model(shop(service("a", "make"), service("b", "make")), protected=True)
    engine.deploy_model(model.model_id)
    started = run(engine, "shop").process_instance_id
    before = engine.get(started)

    for force in (False, True):
        with pytest.raises(Conflict, match=f"model {model.model_id} .* lift the protection") as refused:
            engine.delete(started, force=force)
        assert (refused.value.code, refused.value.status) == ("protected", "success")
    with pytest.raises(Conflict, match="lift the protection"):
        engine.remove_model(model.model_id)
    assert engine.get(started) == before
    assert world.exists == ["a", "b"]
    assert isinstance(engine.clock, VirtualClock)
    engine.clock.advance(10)
    assert engine.purge(0, even_undeleted=True) == 0

    assert engine.protect_model(model.model_id, False).protected is False
    assert engine.delete(started).status == "delete.success"
    assert world.exists == []


def test_a_protected_model_holds_up_no_rollback_and_no_cancel(engine: Engine, world: World) -> None:
    engine.deploy(line("shop", service("a", "make"), WAIT, service("b", "make"), before=PAID), protected=True)
    failing, cancelled = (engine.start(key="shop", name="test").process_instance_id for _ in range(2))
    world.wrong("start", "b", RuntimeError("no room"))

    engine.message("paid", process_instance_id=failing)
    engine.cancel(cancelled)

    assert engine.wait(failing, 60).status == "rollback.success"
    assert engine.wait(cancelled, 60).status == "cancel.success"
    assert world.exists == []


def test_protection_stays_through_edits_until_it_is_lifted(engine: Engine) -> None:
    model = engine.save_model(shop(service("a", "make")), protected=True)

    assert engine.save_model(shop(service("b", "make")), model_id=model.model_id).protected
    engine.deploy(shop(service("c", "make")))
    assert engine.model(model.model_id).protected
    engine.deploy(shop(service("c", "make")), protected=False)
    assert not engine.model(model.model_id).protected
    with pytest.raises(UnknownModel):
        engine.protect_model("no such model")


# -- over HTTP and from the command line


def test_http_removes_and_protects(engine: Engine, world: World) -> None:
    client = Client(create_app(engine))
    saved = client.post("/model?deleteProtection=true", data=shop(service("a", "make")), content_type="text/xml").json
    assert saved["deleteProtection"] is True
    model = f"/model/{saved['modelId']}"
    deployment = client.post(f"{model}/deployment").json
    started = client.post("/process", json={"key": "shop", "processName": "test", "variables": {}}).json
    process_path = f"/process/{started['processInstanceId']}"

    refused = client.put(f"{process_path}/delete")
    assert (refused.status_code, refused.json["code"], refused.json["currentStatus"]) == (409, "protected", "success")
    lifted = client.put(f"{model}/protection", json={"deleteProtection": False})
    assert (lifted.status_code, lifted.json["deleteProtection"]) == (200, False)
    refused = client.delete(f"/deployment/{deployment['deploymentId']}")
    assert (refused.status_code, refused.json["code"]) == (409, "deployment-in-use")
    assert refused.json["relatedProcessInstanceId"] == started["processInstanceId"]
    assert client.delete(model).status_code == 409
    assert client.put(f"{process_path}/delete").status_code == 200
    removed = client.delete(f"/deployment/{deployment['deploymentId']}")
    assert (removed.status_code, removed.json) == (200, deployment)
    assert client.get(f"/deployment/{deployment['deploymentId']}").status_code == 404
    assert client.delete(model).json["modelId"] == saved["modelId"]
    assert client.get(model).status_code == client.delete(model).status_code == 404
    assert [entry.action for entry in engine.audit.entries().items][:2] == ["deleteModel", "deleteModel"]


def test_the_command_line_removes_and_protects(tmp_path: Path) -> None:
    file = tmp_path / "shop.bpmn"
    file.write_bytes(definitions(process("shop", '<startEvent id="begin"/>')))
    db = f"sqlite:///{tmp_path}/river.db"

    def riverstone(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["--db", db, *words])
        return result.exit_code, result.output

    deployment = json.loads(riverstone("deploy", "--protect", str(file))[1])
    model_id = deployment["modelId"]

    code, text = riverstone("remove", "--model", model_id)
    assert (code, "lift the protection" in text) == (1, True)
    assert riverstone("protect", "--model", model_id, "--off") == (0, "")
    assert json.loads(riverstone("remove", "--deployment", deployment["deploymentId"])[1]) == deployment
    assert json.loads(riverstone("remove", "--model", model_id)[1])["modelId"] == model_id
    assert riverstone("remove", "--model", model_id)[0] == 1
    assert riverstone("remove")[0] == riverstone("protect")[0] == 2


def test_how_to_drain_is_said_over_http_and_on_the_command_line(engine: Engine, world: World, tmp_path: Path) -> None:
    client = Client(create_app(engine))
    fork = '<startEvent id="begin"/><parallelGateway id="fork"/>' + service("a", "make") + service("b", "watch")
    text = definitions(process("shop", fork, flow("begin", "fork"), flow("fork", "b"), flow("fork", "a")))
    engine.deploy(text)
    world.wrong("start", "a", RuntimeError("no room"))
    body = {"key": "shop", "processName": "test", "variables": {}}

    started = client.post("/process", json={**body, "drain": "all"}).json["processInstanceId"]

    assert engine.wait(started, 60).status == "rollback.success"
    assert world.of("monitor") == ["b"] * 3
    refused = client.post("/process", json={**body, "drain": "some"})
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["drain"])
    file = tmp_path / "shop.bpmn"
    file.write_bytes(definitions(process("shop", '<startEvent id="begin"/>')))
    db = ["--db", f"sqlite:///{tmp_path}/other.db"]
    assert CliRunner().invoke(main, [*db, "deploy", str(file)]).exit_code == 0
    options = ["--key", "shop", "--name", "test", "--drain"]
    assert [CliRunner().invoke(main, [*db, "start", *options, how]).exit_code for how in ("all", "some")] == [0, 2]


def test_who_sees_one_owner_is_told_no_ids_of_others(engine: Engine) -> None:
    """Models are shared, and processes are not: how many there are has to be told, and no more."""
    deployed = engine.deploy(shop('<userTask id="ask"/>'))
    keys = {each: engine.keys.add(each, scopes=["read", "run", "deploy"])[1] for each in ("ann", "eve")}
    client = Client(create_app(engine))
    started: dict[str, list[str]] = {}
    for name in ("ann", "ann", "eve"):
        body = {"key": deployed.key, "processName": "test", "variables": {}}
        answer = client.post("/process", json=body, headers={"X-API-Key": keys[name]})
        started.setdefault(name, []).append(answer.json["processInstanceId"])
    for path in (f"/deployment/{deployed.deployment_id}", f"/model/{deployed.model_id}"):
        told = client.delete(path, headers={"X-API-Key": keys["eve"]})
        (own,) = started["eve"]
        assert f"3 processes need it to go on or to be undone ({own} and 2 more)" in told.json["detail"]
        assert told.json["relatedProcessInstanceId"] == own
    client.put(f"/process/{started['eve'][0]}/cancel", headers={"X-API-Key": keys["eve"]})
    told = client.delete(f"/model/{deployed.model_id}", headers={"X-API-Key": keys["eve"]})
    assert "2 processes need it to go on or to be undone (of other owners)" in told.json["detail"]
    assert "relatedProcessInstanceId" not in told.json
