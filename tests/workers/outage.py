"""A broker of its own is killed under load, stays away and comes back empty: what is lost, and how soon is all done?

``python -m tests.workers.outage [--broker redis|rabbitmq] [--store sqlite|postgresql|mariadb] [--seconds 30]``
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path

from riverstone.engine.dispatch.celery import consumer, sweeper

from ..features.sketch import line, service
from ..models import stores
from . import brokers
from .crew import Crew, until


def measure(kind: str, store: str, seconds: float, before: int, meanwhile: int) -> None:
    """Run it and print what came of it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        broker = brokers.RedisServer(folder) if kind == "redis" else brokers.RabbitServer(folder)
        broker.start()
        with stores.fresh(store, folder) as url:
            crew = Crew(url, broker.url, folder, sign=3.0)
            try:
                crew.worker("--concurrency", "2")
                with crew.river() as engine:
                    model = line("shop", *(service(f"s{number}", "quick") for number in range(5)))
                    engine.deploy(model)
                    started = [engine.start(key="shop", name="x").process_instance_id for _ in range(before)]
                    until(lambda: len(crew.called()) > before, 60)
                    broker.kill()
                    killed, done = time.monotonic(), len(crew.called())
                    started += [engine.start(key="shop", name="x").process_instance_id for _ in range(meanwhile)]
                    time.sleep(max(0.0, seconds - (time.monotonic() - killed)))
                    broker.start()
                    back = time.monotonic()
                    statuses = Counter(engine.wait(each, timeout=300).status for each in started)
                    drained = time.monotonic() - back
                    again = Counter(task.attempt for each in started for task in engine.tasks(each))
                calls = crew.times()
                print(
                    f"{kind} on {store}: away for {back - killed:.0f} s; {done} of {5 * before} calls were made before"
                )
                print(f"{dict(statuses)} of {len(started)} processes, all at an end {drained:.1f} s after it was back")
                print(f"{len(calls)} tasks, {sum(calls.values()) - len(calls)} called twice; attempts {dict(again)}")
            finally:
                crew.close()
                broker.kill()
    times = f"patience {sweeper.PATIENCE:g} s, settling {sweeper.SETTLED:g} s, lease {consumer.LEASE:g} s"
    print(f"signs each 3 s, {times}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--broker", choices=["redis", "rabbitmq"], default="rabbitmq")
    parser.add_argument("--store", choices=["sqlite", "postgresql", "mariadb"], default="postgresql")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--before", type=int, default=200)
    parser.add_argument("--meanwhile", type=int, default=100)
    given = parser.parse_args()
    measure(given.broker, given.store, given.seconds, given.before, given.meanwhile)
