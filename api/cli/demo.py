"""The demonstration: the sample process on a made-up cloud, started by model and by key."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from ...bpmn_samples import path
from ...bpmn_samples.cloud import Cloud
from ...bpmn_samples.stones import stones
from ...engine import Engine
from ...engine.views import ProcessInstance
from ..wire.records import ProcessRecord
from .following import follow

VARIABLES = {"regionId": "bcc", "projectId": "11111", "vpcId": "vpc-509A87BA", "subnetId": "subnet-439A34CC"}


def demonstrate(*, pace: float) -> None:
    """Deploy the sample into a temporary store and run it twice, showing each task as it goes.

    ``pace`` is how many seconds the made-up cloud takes for each piece of work.
    """
    with tempfile.TemporaryDirectory(prefix="riverstone-") as folder:
        url = f"sqlite:///{Path(folder, 'demo.db')}"
        with Engine(url, stones=stones(Cloud(), pace=pace), dispatcher="threads") as engine:
            deployment = engine.deploy(path("app_server"))
            print(f"Deployed {deployment.key} version {deployment.version}.")
            print("\nStarted by modelId: a trial run, in debug mode.")
            by_model = engine.start(model_id=deployment.model_id, name="trial", variables=VARIABLES)
            show_to_the_end(engine, by_model)
            print("\nStarted by key: the newest deployment.")
            by_key = engine.start(key=deployment.key, name="app server", variables=VARIABLES)
            show_to_the_end(engine, by_key)


def show_to_the_end(engine: Engine, instance: ProcessInstance) -> None:
    """Follow the process and print its record."""
    ended = follow(engine, instance.process_instance_id)
    print(json.dumps(ProcessRecord().dump(ended), indent=2, ensure_ascii=False))
