"""The smallest BPMN files that the stories need."""

from __future__ import annotations

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="urn:tests">'
)


def bpmn(key: str, middle: str, *, node: str = "middle", before: str = "") -> bytes:
    """A process of a start, one node in the middle, and an end."""
    return (
        f'{HEAD}{before}<process id="{key}" name="{key}" isExecutable="true">'
        '<startEvent id="begin"/>'
        f'<sequenceFlow id="in" sourceRef="begin" targetRef="{node}"/>'
        f"{middle}"
        f'<sequenceFlow id="out" sourceRef="{node}" targetRef="done"/>'
        '<endEvent id="done"/>'
        "</process></definitions>"
    ).encode()


def serviced(key: str, stone: str) -> bytes:
    """A process of one service task."""
    return bpmn(
        key,
        f'<serviceTask id="middle" name="中间" camunda:type="external" camunda:topic="{stone}"/>',
    )


def making() -> bytes:
    """A process whose only task works."""
    return serviced("making", "make")


def breaking() -> bytes:
    """A process whose only task fails."""
    return serviced("breaking", "break")


def asking() -> bytes:
    """A process that waits for a person."""
    return bpmn("asking", '<userTask id="middle" name="Approve"/>')


def catching(definition: str) -> str:
    """A node that waits for an event."""
    return f'<intermediateCatchEvent id="middle">{definition}</intermediateCatchEvent>'


def listening() -> bytes:
    """A process that waits for the message ``paid``."""
    middle = catching('<messageEventDefinition id="m" messageRef="paid"/>')
    return bpmn("listening", middle, before='<message id="paid" name="paid"/>')


def hearing() -> bytes:
    """A process that waits for the signal ``alarm``."""
    middle = catching('<signalEventDefinition id="s" signalRef="alarm"/>')
    return bpmn("hearing", middle, before='<signal id="alarm" name="alarm"/>')
