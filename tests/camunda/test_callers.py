"""What callers of Camunda 7 ask beside workers: retries of what has failed, deployments, starts and messages."""

from __future__ import annotations

import gc
import io
import weakref
from typing import Any
from urllib.parse import urljoin

import pytest
import requests

from riverstone.api.camunda.definitions import version_of
from riverstone.engine import Engine, ModelInvalid

from ..features.sketch import catch, definitions, line, process, service
from .test_wire import fetch, started, tell, until

TABLE = b"""<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="urn:t">
<decision id="fee" name="Fee"><variable name="fee"/><literalExpression><text>1 + 1</text></literalExpression></decision>
</definitions>"""
MESSAGE = '<message id="M" name="paid"/>'
PAID = '<messageEventDefinition messageRef="M"/>'


def paused(engine: Engine, url: str) -> tuple[str, dict[str, Any]]:
    """A process whose task has failed for good and stands still."""
    number = started(engine, service("a", "mail"), on_failure="pause")
    (task,) = fetch(url, "mail").json()
    assert tell(url, task, "failure", errorMessage="no", retries=0).status_code == 204
    until(lambda: engine.get(number).attention == 1)
    return number, task


def test_more_retries_reach_a_task_that_has_none_left(engine: Engine, url: str) -> None:
    number, task = paused(engine, url)
    base = f"{url}/engine-rest/external-task"
    for query in (f"processInstanceId={number}", f"processInstanceId={number}&noRetriesLeft=true"):
        (shown,) = requests.get(f"{base}?{query}", timeout=60).json()
        assert (shown["id"], shown["retries"], shown["errorMessage"]) == (task["id"], 0, "no")
        assert requests.get(f"{base}/count?{query}", timeout=60).json() == {"count": 1}
    assert requests.get(f"{base}?processInstanceId={number}&withRetriesLeft=true", timeout=60).json() == []
    assert requests.get(f"{base}?noRetriesLeft=true", timeout=60).status_code == 400
    assert requests.get(f"{base}/{task['id']}", timeout=60).json()["id"] == task["id"]
    assert fetch(url, "mail").json() == []
    assert requests.put(f"{base}/{task['id']}/retries", json={"retries": 3}, timeout=60).status_code == 204
    (again,) = fetch(url, "mail", wait=20_000).json()
    assert again["retries"] == 3
    assert tell(url, again, "complete").status_code == 204
    assert engine.wait(number, 30).status == "success"
    assert requests.put(f"{base}/{task['id']}/retries", json={"retries": 3}, timeout=60).status_code == 404


def test_a_worker_alone_starts_nothing_again(engine: Engine, url: str) -> None:
    number, task = paused(engine, url)
    path = f"{url}/engine-rest/external-task/{task['id']}/retries"
    keys = {
        name: engine.keys.add(name, scopes=scopes, topics=["mail"], every_owner=True)[1]
        for name, scopes in (("w", ["work"]), ("o", ["work", "run"]))
    }
    assert requests.put(path, json={"retries": 1}, auth=("", keys["w"]), timeout=60).status_code == 403
    assert engine.get(number).attention == 1
    assert requests.put(path, json={"retries": 1}, auth=("", keys["o"]), timeout=60).status_code == 204


def test_a_process_that_is_being_taken_back_has_not_ended(engine: Engine, url: str) -> None:
    number = started(engine, service("a", "mail"), '<userTask id="u"/>')
    engine.declare_stone("mail", hooks=["start", "cancel"])
    (task,) = fetch(url, "mail").json()
    assert tell(url, task, "complete").status_code == 204
    engine.cancel(number)
    path = f"{url}/engine-rest/process-instance/{number}"
    assert requests.get(path, timeout=60).json()["ended"] is False
    (undo,) = fetch(url, "mail.cancel", wait=20_000).json()
    assert tell(url, undo, "complete").status_code == 204
    assert engine.wait(number, 30).status == "cancel.success"
    assert requests.get(path, timeout=60).json()["ended"] is True


def deploy(url: str, *files: tuple[str, bytes]) -> requests.Response:
    form = {"deployment-name": "d", "deployment-source": "my pipeline"}
    parts = {name: (name, io.BytesIO(content), "text/xml") for name, content in files}
    return requests.post(f"{url}/engine-rest/deployment/create", data=form, files=parts, timeout=60)


def test_decisions_are_told_apart_from_processes(engine: Engine, url: str) -> None:
    alone = deploy(url, ("fees.dmn", TABLE)).json()
    assert (alone["deployedProcessDefinitions"], alone["source"]) == (None, "my pipeline")
    ((identifier, decision),) = alone["deployedDecisionDefinitions"].items()
    assert (decision["id"], decision["key"], decision["resource"]) == (identifier, "fee", "fees.dmn")
    both = deploy(url, ("fees.dmn", TABLE), ("my shop.bpmn", line("shop", service("a", "mail")))).json()
    ((_, definition),) = both["deployedProcessDefinitions"].items()
    assert (definition["key"], definition["resource"]) == ("shop", "my shop.bpmn")
    assert [each["key"] for each in both["deployedDecisionDefinitions"].values()] == ["fee"]


def test_every_finding_of_a_model_is_told_and_topics_are_none(engine: Engine, url: str) -> None:
    broken = line(
        "shop", service("a", "mail"), service("b", "mail", {"x": "${1 +}"}), service("c", "mail", {"x": "${S(y)}"})
    )
    refused = deploy(url, ("shop.bpmn", broken))
    assert (refused.status_code, refused.json()["type"]) == (400, "ParseException")
    errors = refused.json()["details"]["shop.bpmn"]["errors"]
    assert [each["mainElementId"] for each in errors] == ["b", "c"]
    assert all(each["line"] for each in errors)
    assert "Its findings list 1 more error." in refused.json()["message"]


def test_a_message_tells_whether_it_was_awaited_or_started_something(engine: Engine, url: str) -> None:
    engine.deploy(line("waits", catch("m", PAID), before=MESSAGE))
    engine.deploy(
        line("starts", service("a", "mail"), before=MESSAGE.replace("paid", "order"), start=PAID), external=True
    )
    number = engine.start(key="waits", name="test").process_instance_id
    until(lambda: bool(engine.get(number).waits_for))
    path = f"{url}/engine-rest/message"

    def send(name: str) -> requests.Response:
        return requests.post(path, json={"messageName": name, "resultEnabled": True}, timeout=60)

    (awaited,) = send("paid").json()
    assert (awaited["resultType"], awaited["processInstance"]) == ("Execution", None)
    assert awaited["execution"]["processInstanceId"] == number
    (begun,) = send("order").json()
    assert (begun["resultType"], begun["execution"]) == ("ProcessDefinition", None)
    assert begun["processInstance"]["definitionKey"] == "starts"
    nobody = send("paid")
    assert (nobody.status_code, nobody.json()["type"]) == (400, "MismatchingMessageCorrelationException")


@pytest.mark.parametrize(
    "more",
    [
        {"correlationKeys": {"orderId": {"value": 7, "type": "Integer"}}},
        {"localCorrelationKeys": {"orderId": {"value": 7}}},
        {"processVariablesLocal": {"a": {"value": 1}}},
        {"all": True},
    ],
)
def test_a_message_that_says_more_than_is_known_reaches_nobody(engine: Engine, url: str, more: dict[str, Any]) -> None:
    engine.deploy(line("waits", catch("m", PAID), before=MESSAGE))
    number = engine.start(key="waits", name="test", variables={"orderId": 8}).process_instance_id
    until(lambda: bool(engine.get(number).waits_for))
    path = f"{url}/engine-rest/message"
    refused = requests.post(path, json={"messageName": "paid", **more}, timeout=60)
    assert refused.status_code == 400
    assert next(iter(more)) in refused.json()["message"]
    assert engine.get(number).status == "running"
    nothing = dict.fromkeys(more)
    assert requests.post(path, json={"messageName": "paid", **nothing}, timeout=60).status_code == 204


def test_a_start_in_the_middle_is_refused(engine: Engine, url: str) -> None:
    engine.deploy(definitions(process("shop", '<startEvent id="s"/>')))
    asked = {"startInstructions": [{"type": "startBeforeActivity", "activityId": "s"}]}
    refused = requests.post(f"{url}/engine-rest/process-definition/key/shop/start", json=asked, timeout=60)
    assert refused.status_code == 400
    assert engine.instances().items == ()


def test_a_start_answers_with_variables_where_they_are_wanted(engine: Engine, url: str) -> None:
    engine.deploy(definitions(process("shop", '<startEvent id="s"/>')))
    path = f"{url}/engine-rest/process-definition/key/shop/start"
    body: dict[str, Any] = {"variables": {"a": {"value": 1, "type": "Integer"}}}
    assert "variables" not in requests.post(path, json=body, timeout=60).json()
    answer = requests.post(path, json={**body, "withVariablesInReturn": True}, timeout=60).json()
    assert answer["variables"] == {"a": {"value": 1, "type": "Integer", "valueInfo": {}}}


@pytest.mark.parametrize("path", ["task", "history/process-instance/count", "process-instance/1/modification"])
def test_what_is_not_answered_points_at_what_is(engine: Engine, url: str, path: str) -> None:
    for method in ("GET", "POST"):
        answer = requests.request(method, f"{url}/engine-rest/{path}", timeout=9)
        assert answer.status_code == 404
        assert "/engine-rest/openapi.json" in answer.json()["message"]
        assert type(answer.json()["code"]) is int


def test_a_401_names_the_way_that_these_clients_have(engine: Engine, url: str) -> None:
    engine.keys.add("w", scopes=["work"], topics=["*"])
    told = requests.get(f"{url}/engine-rest/version", timeout=60).json()["message"]
    assert "Basic" in told


def test_a_delegate_says_what_is_to_be_done_and_topics_of_the_file_are_no_stones(engine: Engine) -> None:
    delegate = '<serviceTask id="d" camunda:delegateExpression="${mailer}"/>'
    model = line("shop", service("a", "mail-it"), delegate)
    codes = [(each.code, each.element_id) for each in engine.lint(model, external=True)]
    assert codes == [("unknown-stone", "d")]
    engine.deploy(line("other", service("a", "mailing")), external=True)
    with pytest.raises(ModelInvalid, match="write a stone with this code") as refused:
        engine.deploy(model, external=True)
    assert "mailing" not in refused.value.message
    assert "Its findings" not in refused.value.message


def test_why_says_whose_key_a_worker_needs_and_which_hooks_are_known(engine: Engine, url: str) -> None:
    number = started(engine, service("a", "mail"), '<userTask id="u"/>', owner="shop")
    assert "owner 'shop'" in " ".join(engine.why(number).sentences)
    (task,) = fetch(url, "mail").json()
    assert fetch(url, "mail.rollback").json() == []
    assert tell(url, task, "complete").status_code == 204
    engine.cancel(number)
    wanted = "riverstone stone declare mail --hook start --hook rollback"
    until(lambda: wanted in engine.why(number).commands)


def test_why_shows_a_form_before_anybody_answers_it(engine: Engine) -> None:
    form = '<camunda:formData><camunda:formField id="ok" type="boolean"/></camunda:formData>'
    task = f'<userTask id="u"><extensionElements>{form}</extensionElements></userTask>'
    engine.deploy(line("shop", task))
    number = engine.start(key="shop", name="test").process_instance_id
    (open_task,) = engine.tasks(number)
    assert f"riverstone task show {open_task.task_id}" in engine.why(number).commands
    assert not [each for each in engine.why(number).commands if "complete" in each]


def test_deployments_are_listed_whatever_their_number(engine: Engine, url: str) -> None:
    for number in range(103):
        engine.deploy(line(f"k{number}", '<userTask id="ask"/>'))
    path = f"{url}/engine-rest/deployment"
    page = requests.get(path, timeout=60)
    every = [each["id"] for each in page.json()]
    assert len(every) == 100
    rest = requests.get(urljoin(path, page.links["next"]["url"]), timeout=60)
    every += [each["id"] for each in rest.json()]
    assert len(set(every)) == 103
    assert "next" not in rest.links
    part = requests.get(path, params={"firstResult": 100, "maxResults": 2}, timeout=60).json()
    assert [each["id"] for each in part] == every[100:102]
    assert requests.get(path, params={"maxResults": 0}, timeout=60).json() == []


def test_what_a_list_does_not_know_is_refused_and_not_passed_over(engine: Engine, url: str) -> None:
    """A list that leaves nothing out, or comes in another order, looks like the one that was asked for."""
    started(engine, service("a", "mail"))
    base = f"{url}/engine-rest"
    ordered = "sortBy=deploymentTime&sortOrder=desc"
    for known in ("", "?maxResults=5", f"?{ordered}"):
        assert requests.get(f"{base}/deployment{known}", timeout=60).status_code == 200
    for query in (
        "nameLike=x",
        "sortBy=name&sortOrder=asc",
        f"{ordered[:-4]}asc",
        "sortBy=deploymentTime",
        "firstResult=10001",
    ):
        assert requests.get(f"{base}/deployment?{query}", timeout=60).status_code == 400, query
    tasks = f"{base}/external-task"
    assert requests.get(f"{tasks}?sortBy=taskPriority&sortOrder=desc", timeout=60).status_code == 200
    for query in ("maxResults=0&colour=red", "sortBy=id&sortOrder=asc", "sortBy=taskPriority&sortOrder=asc"):
        assert requests.get(f"{tasks}?{query}", timeout=60).status_code == 400, query
    by_id, by_time = {"sortBy": "id", "sortOrder": "asc"}, {"sortBy": "createTime", "sortOrder": "up"}
    wrong: list[Any] = ["createTime", {}, [{}], [by_id], [by_time]]
    both = [{"sortBy": "createTime", "sortOrder": order} for order in ("asc", "desc")]
    for sorting in (*wrong, both):
        assert requests.post(tasks, json={"sorting": sorting}, timeout=60).status_code == 400, sorting
        body: dict[str, Any] = {"workerId": "w", "maxTasks": 1, "topics": [], "sorting": sorting}
        assert requests.post(f"{tasks}/fetchAndLock", json=body, timeout=60).status_code == 400, sorting
    assert fetch(url, "mail").json() != []


def test_what_a_query_says_and_nobody_reads_is_refused(engine: Engine, url: str) -> None:
    number = started(engine, service("a", "mail"))
    for method, path in (
        ("DELETE", f"/engine-rest/process-instance/{number}?skipSubprocesses=true"),
        ("DELETE", f"/engine-rest/process-instance/{number}?failIfNotExists=false"),
        ("POST", "/engine-rest/process-definition/key/shop/start?tenantId=x"),
        ("POST", "/v2/messages/publication?colour=red"),
        ("GET", "/engine-rest/version?colour=red"),
    ):
        assert requests.request(method, f"{url}{path}", timeout=60).status_code == 400, path
    assert engine.get(number).status == "running"
    usual = "skipCustomListeners=false&failIfNotExists=true"
    path = f"{url}/engine-rest/process-instance/{number}?{usual}"
    assert requests.delete(path, timeout=60).status_code == 204


def test_a_closed_engine_is_not_kept_for_the_versions_that_it_had(sqlite: str) -> None:
    engine = Engine(sqlite)
    deployed = engine.deploy(line("shop", '<userTask id="ask"/>'))
    assert version_of(engine, deployed.deployment_id) == version_of(engine, deployed.deployment_id) == 1
    engine.close()
    gone = weakref.ref(engine)
    del engine
    gc.collect()
    assert gone() is None


def test_a_filter_that_is_neither_true_nor_false_is_refused(engine: Engine, url: str) -> None:
    started(engine, service("a", "mail"))
    base = f"{url}/engine-rest/external-task"
    for name in ("locked", "notLocked", "active", "withRetriesLeft"):
        assert requests.get(f"{base}?{name}=yes", timeout=60).status_code == 400
        assert requests.post(base, json={name: 1}, timeout=60).status_code == 400
        assert len(requests.post(base, json={name: False}, timeout=60).json()) == 1
        assert len(requests.get(f"{base}?{name}=false", timeout=60).json()) == 1
