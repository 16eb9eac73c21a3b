"""Workers and callers of Camunda 8: theirs are the clients, ours what they talk to."""

from __future__ import annotations

import importlib.util
import io
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from riverstone.api.camunda import jobs, workers
from riverstone.engine import Engine

from ..features.sketch import line, service
from ..services import skip
from .conftest import HERE, Begin, Worker

ZEEBE = 'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
FIVE = {"type", "title", "status", "detail", "instance"}


def job(node: str, kind: str, retries: str = "") -> str:
    told = f' retries="{retries}"' if retries else ""
    extension = f'<extensionElements><zeebe:taskDefinition {ZEEBE} type="{kind}"{told}/></extensionElements>'
    return f'<serviceTask id="{node}">{extension}</serviceTask>'


def caught() -> bytes:
    from ..features.sketch import definitions, flow, process

    border = '<boundaryEvent id="b" attachedToRef="a"><errorEventDefinition errorRef="e"/></boundaryEvent>'
    parts = (
        '<startEvent id="s"/>',
        job("a", "bounce"),
        border,
        '<endEvent id="x"/>',
        job("c", "mail"),
        '<endEvent id="y"/>',
    )
    flows = flow("s", "a"), flow("a", "x"), flow("b", "c"), flow("c", "y")
    return definitions('<error id="e" errorCode="bounced"/>', process("bounces", *parts, *flows))


def started(engine: Engine, model: bytes, variables: dict[str, Any] | None = None, **more: Any) -> str:
    key = engine.deploy(model, external=True).key
    return engine.start(key=key, name="test", variables=variables or {}, **more).process_instance_id


def activate(url: str, kind: str, **more: Any) -> requests.Response:
    body = {"type": kind, "worker": "w", "timeout": 20000, "maxJobsToActivate": 5, "requestTimeout": -1, **more}
    return requests.post(f"{url}/v2/jobs/activation", json=body, timeout=30)


def tell(url: str, key: str, what: str, **body: Any) -> requests.Response:
    return requests.post(f"{url}/v2/jobs/{key}/{what}", json=body, timeout=60)


def clients() -> list[str]:
    """Of the client's version 9 Node.js 22 is what it needs at least."""
    found = shutil.which("node")
    told = subprocess.run([found, "--version"], capture_output=True, text=True).stdout if found else ""
    return ["sdk", "oca", *(["oca9"] if int(re.sub(r"\D", " ", told or "0").split()[0]) >= 22 else [])]


@pytest.mark.parametrize("which", clients())
def test_each_client_completes_fails_and_throws(engine: Engine, url: str, node: Begin, which: str) -> None:
    flaky = started(engine, line("flaky", job("a", "flaky", "3")), rollback=False)
    bounces = started(engine, caught())
    plain = started(engine, line("plain", job("a", "mail")), {"to": "me", "n": [1]})
    worker = node("eight.mjs", url, which, "mail,flaky,bounce")
    assert worker.says("gateway")["gateway"].startswith("8.")
    said = [worker.says("job") for _ in range(6)]
    assert [each["retries"] for each in said if each["type"] == "flaky"] == [3, 2, 1]
    assert len({each["job"] for each in said if each["type"] == "flaky"}) == 1
    assert {"to": "me", "n": [1]} in [each["variables"] for each in said if each["type"] == "mail"]
    assert "full" in [each["variables"].get("box") for each in said if each["type"] == "mail"]
    assert engine.wait(plain, 60).native_output_values == {"a": {"done": True, "list": [1]}}
    assert engine.wait(bounces, 60).status == "success"
    assert engine.wait(flaky, 60).status == "failed"


@pytest.mark.parametrize("lease", ["", "leased"])
def test_the_python_client_goes_on_after_a_failure(engine: Engine, url: str, lease: str) -> None:
    if importlib.util.find_spec("camunda_orchestration_sdk") is None:
        skip("camunda-orchestration-sdk is not installed")
    number = started(engine, line("shop", job("a", "mail")), {"to": "me"})
    worker = Worker([sys.executable, str(HERE / "orchestration_worker.py"), url, "mail", lease])
    try:
        assert worker.says("job")["variables"] == {"to": "me"}
        assert engine.wait(number, 60).status == "success"
        failed = engine.start(key="shop", name="t", variables={"fail": True}, rollback=False).process_instance_id
        assert worker.says("job")["variables"] == {"fail": True}
        again = engine.start(key="shop", name="t").process_instance_id
        assert engine.wait(again, 60).status == "success"
        engine.cancel(failed, force=True)
    finally:
        worker.end()


@pytest.mark.parametrize("lease", ["", "leased"])
def test_the_python_client_throws_and_comes_again(engine: Engine, url: str, lease: str) -> None:
    if importlib.util.find_spec("camunda_orchestration_sdk") is None:
        skip("camunda-orchestration-sdk is not installed")
    bounces = started(engine, caught(), {"throw": True})
    worker = Worker([sys.executable, str(HERE / "orchestration_worker.py"), url, "bounce", lease])
    try:
        assert worker.says("job")["variables"] == {"throw": True}
        until(lambda: [task.element_id for task in engine.tasks(bounces)] == ["a", "c"])
        (found,) = activate(url, "mail").json()["jobs"]
        assert found["variables"]["box"] == "full"
        again = started(engine, line("again", job("a", "bounce", "2")), {"retries": 2}, rollback=False)
        said = [worker.says("job")["job"] for _ in range(2)]
        assert len(set(said)) == 1
        engine.cancel(again, force=True)
    finally:
        worker.end()


def test_a_client_that_hears_that_its_job_is_gone_goes_on_and_harms_nobody(engine: Engine, url: str) -> None:
    """Its complete is a 404, whereupon it says by itself that the job has failed, which is one too."""
    if importlib.util.find_spec("camunda_orchestration_sdk") is None:
        skip("camunda-orchestration-sdk is not installed")
    number = started(engine, line("shop", job("a", "mail")), {"slow": 2})
    worker = Worker([sys.executable, str(HERE / "orchestration_worker.py"), url, "mail"])
    try:
        assert worker.says("job")["variables"] == {"slow": 2}
        engine.cancel(number, force=True)
        until(lambda: engine.get(number).status.startswith("cancel"))
        again = engine.start(key="shop", name="t").process_instance_id
        assert engine.wait(again, 60).status == "success"
        (task,) = engine.tasks(number)
        assert (engine.get(number).status.startswith("cancel"), task.status) == (True, "unknown")
    finally:
        worker.end()


def test_a_job_has_all_that_any_client_reads(engine: Engine, url: str) -> None:
    started(engine, line("shop", job("a", "mail")), {"x": 1}, business_key="k")
    (found,) = activate(url, "mail", withLease=True, tenantIds=["<default>"]).json()["jobs"]
    texts = "jobKey processInstanceKey processDefinitionKey elementInstanceKey rootProcessInstanceKey".split()
    assert all(found[name].isdigit() for name in texts)
    assert found["variables"] == {"x": 1}
    assert (found["retries"], found["kind"], found["tags"], found["businessId"]) == (3, "BPMN_ELEMENT", [], "k")
    assert found["deadline"] > time.time() * 1000
    assert found["jobLeaseToken"]
    assert tell(url, found["jobKey"], "completion", jobLeaseToken="999").status_code == 409
    done = tell(url, found["jobKey"], "completion", jobLeaseToken=found["jobLeaseToken"], variables=None)
    assert (done.status_code, done.content) == (204, b"")
    gone = tell(url, found["jobKey"], "failure", retries=0)
    assert gone.status_code == 404
    assert gone.headers["Content-Type"] == "application/problem+json"
    assert gone.json().keys() >= FIVE


def test_waiting_is_no_hot_loop_and_none_is_none(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        # However busy the machine is: whoever waited would be given up.
        patch.setattr(jobs, "WAIT", workers.LONGEST_WAIT)
        assert activate(url, "mail", requestTimeout=-1).json() == {"jobs": []}
    begun = time.monotonic()
    assert activate(url, "mail", requestTimeout=1500).json() == {"jobs": []}
    assert time.monotonic() - begun > 0.8
    begun = time.monotonic()
    assert activate(url, "mail", requestTimeout=0).json() == {"jobs": []}
    assert time.monotonic() - begun > 5


def test_timeouts_and_retries_are_changed(engine: Engine, url: str) -> None:
    started(engine, line("shop", job("a", "mail")))
    (found,) = activate(url, "mail").json()["jobs"]
    path = f"{url}/v2/jobs/{found['jobKey']}"
    both: dict[str, Any] = {"changeset": {"timeout": 60000, "retries": 7}}
    assert requests.patch(path, json=both, timeout=60).status_code == 204
    assert requests.patch(path, json={"changeset": {}}, timeout=60).status_code == 400
    engine.external.unlock(engine.external.find(_every(), limit=1)[0].id)
    assert tell(url, found["jobKey"], "completion").status_code == 409
    (again,) = activate(url, "mail").json()["jobs"]
    assert again["retries"] == 7


def _every() -> Any:
    from riverstone.models import ExternalFilter

    return ExternalFilter()


def test_what_is_wrong_has_all_five_members(url: str) -> None:
    bodies: list[dict[str, Any]] = [{}, {"type": "a"}, {"type": "a", "timeout": 1, "maxJobsToActivate": 0}]
    for body in bodies:
        answer = requests.post(f"{url}/v2/jobs/activation", json=body, timeout=60)
        assert answer.status_code == 400
        assert answer.json().keys() >= FIVE
    for key in ("x", "1", "99999", "10001"):
        assert tell(url, key, "completion").status_code == 404


def test_camunda_modeler_deploys_and_starts_and_callers_send_messages(engine: Engine, url: str) -> None:
    catching = '<intermediateCatchEvent id="w"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>'
    subscription = f'<extensionElements><zeebe:subscription {ZEEBE} correlationKey="=order"/></extensionElements>'
    message = f'<message id="m" name="paid">{subscription}</message>'
    model = line("shop", catching, job("a", "mail"), before=message)
    files = {"resources": ("shop.bpmn", io.BytesIO(model), "text/xml")}
    deployed = requests.post(f"{url}/v2/deployments", files=files, data={"tenantId": "<default>"}, timeout=60).json()
    definition = deployed["deployments"][0]["processDefinition"]
    body: dict[str, Any] = {"processDefinitionKey": definition["processDefinitionKey"], "variables": {"order": "7"}}
    begun = requests.post(f"{url}/v2/process-instances", json=body, timeout=60).json()
    by_id: dict[str, Any] = {"processDefinitionId": "shop", "variables": {"order": "8"}}
    other = requests.post(f"{url}/v2/process-instances", json=by_id, timeout=60).json()
    assert begun["processDefinitionVersion"] == definition["processDefinitionVersion"] == 1
    sent: dict[str, Any] = {"name": "paid", "correlationKey": "7", "variables": {"sum": 12}}
    correlated = requests.post(f"{url}/v2/messages/correlation", json=sent, timeout=60)
    assert correlated.json()["processInstanceKey"] == begun["processInstanceKey"]
    assert requests.post(f"{url}/v2/messages/correlation", json=sent, timeout=60).status_code == 404
    assert requests.post(f"{url}/v2/messages/publication", json=sent, timeout=60).status_code == 200
    (found,) = activate(url, "mail").json()["jobs"]
    assert found["variables"]["sum"] == 12
    key = other["processInstanceKey"]
    assert requests.post(f"{url}/v2/process-instances/{key}/cancellation", json={}, timeout=60).status_code == 204
    assert engine.wait(key, 30).status == "cancel.success"


@pytest.mark.parametrize(
    ("host", "told"),
    [("localhost:8080", ("localhost", 8080)), ("[::1]:81", ("[::1]", 81)), ("[::1]", ("[::1]", 80))],
)
def test_the_topology_names_the_host_that_was_asked(url: str, host: str, told: tuple[str, int]) -> None:
    (broker,) = requests.get(f"{url}/v2/topology", headers={"Host": host}, timeout=60).json()["brokers"]
    assert (broker["host"], broker["port"]) == told


@pytest.mark.parametrize("definition", [[None], {"a": None}, True, 1.5])
def test_a_definition_key_that_is_no_text_is_refused(url: str, definition: Any) -> None:
    answer = requests.post(f"{url}/v2/process-instances", json={"processDefinitionKey": definition}, timeout=60)
    assert (answer.status_code, answer.json()["title"]) == (400, "INVALID_ARGUMENT")


def test_refusals_are_problems_of_camunda(engine: Engine, url: str) -> None:
    _, key = engine.keys.add("worker", scopes=["work"], topics=["mail"], every_owner=True)
    empty = requests.get(f"{url}/v2/topology", headers={"Authorization": ""}, timeout=60)
    assert (empty.status_code, empty.json().keys() >= FIVE) == (401, True)
    assert requests.get(f"{url}/v2/topology", auth=("w", key), timeout=60).status_code == 200
    body: dict[str, Any] = {"type": "bill", "timeout": 1000, "maxJobsToActivate": 1}
    refused = requests.post(f"{url}/v2/jobs/activation", json=body, auth=("w", key), timeout=60)
    assert refused.status_code == 403


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def test_headers_of_the_model_reach_the_worker(engine: Engine, url: str) -> None:
    header = f'<zeebe:taskHeaders {ZEEBE}><zeebe:header key="team" value="blue"/></zeebe:taskHeaders>'
    started(engine, line("shop", job("a", "mail").replace("</extensionElements>", f"{header}</extensionElements>")))
    (found,) = activate(url, "mail").json()["jobs"]
    assert found["customHeaders"]["team"] == "blue"
    assert found["customHeaders"]["riverstone.event"] == "start"


def begin(url: str, **body: Any) -> requests.Response:
    body = {"processDefinitionId": "shop", "awaitCompletion": True, **body}
    return requests.post(f"{url}/v2/process-instances", json=body, timeout=70)


def test_a_start_awaits_the_end_and_gets_the_variables(engine: Engine, url: str) -> None:
    engine.deploy(line("shop", job("a", "mail")), external=True)
    with ThreadPoolExecutor(2) as pool:
        waiting = [
            pool.submit(begin, url, variables={"order": "7"}, requestTimeout=60_000, **more)
            for more in ({}, {"fetchVariables": ["sum", "nothing"]})
        ]
        for _ in waiting:
            (found,) = activate(url, "mail", requestTimeout=20_000, maxJobsToActivate=1).json()["jobs"]
            assert tell(url, found["jobKey"], "completion", variables={"sum": 12}).status_code == 204
        every, some = (each.result(60) for each in waiting)
    assert (every.status_code, some.status_code) == (200, 200)
    assert every.json()["variables"] == {"order": "7", "sum": 12}
    assert some.json()["variables"] == {"sum": 12}
    assert engine.get(every.json()["processInstanceKey"]).status == "success"


def test_a_start_that_awaits_is_told_of_a_bad_end_and_of_none_in_time(engine: Engine, url: str) -> None:
    engine.deploy(line("shop", job("a", "mail")), external=True)
    late = begin(url, requestTimeout=600)
    assert (late.status_code, late.json().keys() >= FIVE) == (504, True)
    assert engine.counts()["running"] == 1
    assert begin(url, requestTimeout=-1).status_code == 400
    assert engine.counts()["running"] == 1
    engine.external.declare({"code": "mail", "hooks": ["start"]})
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(begin, url, requestTimeout=60_000)
        until(lambda: engine.counts()["running"] == 2)
        for found in activate(url, "mail", requestTimeout=20_000).json()["jobs"]:
            tell(url, found["jobKey"], "failure", retries=0, errorMessage="no network")
        bad = waiting.result(60)
    assert (bad.status_code, bad.json()["title"]) == (409, "INVALID_STATE")
    assert "no network" in bad.json()["detail"]


def test_the_clients_await_completion(engine: Engine, url: str, node: Begin) -> None:
    engine.stone("double")(lambda task: task.add_output("sum", 2 * task.parameters["n"]))
    engine.deploy(line("sums", service("a", "double", {"n": "${n}"})))
    for which in clients():
        worker = node("eight.mjs", url, which, "", "sums")
        assert worker.says("ended")["ended"] == {"n": 21}
