"""The made-up cloud behaves as a real one does where it matters: repeats, order, refusals, restarts."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

import pytest

from riverstone.bpmn_samples.cloud import Cloud, CloudError, Gone


@pytest.fixture(params=["memory", "file"])
def cloud(request: pytest.FixtureRequest, tmp_path: Path) -> Cloud:
    return Cloud(tmp_path / "cloud.db" if request.param == "file" else None)


def test_the_same_idempotency_key_makes_one_thing(cloud: Cloud) -> None:
    first = cloud.create("groups", "k", name="app")
    assert cloud.create("groups", "k", name="app") == first
    assert cloud.list("groups") == [first]
    assert cloud.made_by("groups", "k") == first
    assert cloud.made_by("groups", "other") is None


def test_a_server_with_a_volume_is_not_deleted_before_the_volume(cloud: Cloud) -> None:
    server = cloud.create("servers", "s", group="default")["id"]
    volume = cloud.create("volumes", "v", server=server, size=10)["id"]
    with pytest.raises(CloudError, match=volume):
        cloud.delete("servers", server)
    cloud.delete("volumes", volume)
    cloud.delete("servers", server)
    assert cloud.is_empty()


def test_a_group_with_a_server_or_a_port_is_not_deleted(cloud: Cloud) -> None:
    group = cloud.create("groups", "g", name="app")["id"]
    server = cloud.create("servers", "s", group=group)["id"]
    port = cloud.create("ports", "p", group=group, port=80)["id"]
    for kind, identifier in (("servers", server), ("ports", port)):
        with pytest.raises(CloudError, match="hangs on it"):
            cloud.delete("groups", group)
        cloud.delete(kind, identifier)
    cloud.delete("groups", group)


def test_what_lies_on_a_server_vanishes_with_it(cloud: Cloud) -> None:
    server = cloud.create("servers", "s", group="default")["id"]
    cloud.create("files", "f", server=server, path="/tmp/x")
    cloud.create("commands", "c", server=server, command="install")
    cloud.delete("servers", server)
    assert cloud.is_empty()


def test_what_does_not_exist_cannot_be_deleted_or_built_upon(cloud: Cloud) -> None:
    with pytest.raises(Gone):
        cloud.delete("servers", "i-00000001")
    with pytest.raises(Gone):
        cloud.create("volumes", "v", server="i-00000001", size=1)
    assert cloud.list("volumes") == []


def test_a_kind_that_is_broken_down_is_refused_until_it_is_repaired(cloud: Cloud) -> None:
    known = cloud.create("groups", "before", name="a")
    cloud.break_down("groups")
    with pytest.raises(CloudError, match="try again"):
        cloud.create("groups", "k", name="b")
    assert cloud.create("groups", "before", name="a") == known
    cloud.repair("groups")
    assert cloud.create("groups", "k", name="b")["name"] == "b"


def test_volumes_add_to_a_servers_disk(cloud: Cloud) -> None:
    server = cloud.create("servers", "s", group="default")["id"]
    assert cloud.disk(server) == 20
    cloud.create("volumes", "v", server=server, size=40)
    assert cloud.disk(server) == 60


def test_a_cloud_in_a_file_outlives_its_process(tmp_path: Path) -> None:
    made = Cloud(tmp_path / "cloud.db").create("groups", "k", name="app")
    assert Cloud(tmp_path / "cloud.db").list("groups") == [made]


def test_threads_do_not_lose_each_others_things(cloud: Cloud) -> None:
    def work(worker: int) -> None:
        for number in range(10):
            cloud.create("groups", f"{worker}-{number}", name="app")

    threads = [Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({thing["id"] for thing in cloud.list("groups")}) == 40
