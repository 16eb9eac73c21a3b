"""Names, kinds and labels of the metrics, as an engine that has done something exposes them."""

from __future__ import annotations

from riverstone.engine import Engine
from riverstone.engine.metrics import Metrics

from .blocks import table

MODEL = b"""<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="http://example.com/m"
    xmlns:camunda="http://camunda.org/schema/1.0/bpmn"><process id="m" isExecutable="true"><startEvent id="s"/>
  <sequenceFlow id="a" sourceRef="s" targetRef="t"/>
  <serviceTask id="t" camunda:type="external" camunda:topic="nothing"/></process></definitions>"""


def metrics() -> str:
    """A row for each family; labels are those of its samples, or of what it declares where it has none yet."""
    with Engine("sqlite:///:memory:") as engine:
        engine.stone("nothing")(lambda task: None)
        told = Metrics(engine)
        engine.deploy(MODEL)
        engine.start(key="m", name="one")
        rows = [
            (
                f"`{family.name}{'_total' if family.type == 'counter' else ''}`",
                family.type,
                ", ".join(f"`{label}`" for label in getattr(family, "_labelnames", ())),
                family.documentation,
            )
            for family in told.registry.collect()
        ]
    return table(("metric", "kind", "labels", "what"), rows)
