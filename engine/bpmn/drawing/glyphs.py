"""The small signs inside events, gateways and tasks, as SVG paths in a square of 24 (BPMN 2.0, figures 10.x)."""

from __future__ import annotations

_ENVELOPE = "M2,5 H22 V19 H2 Z M2,5 L12,13 L22,5"

EVENT_GLYPHS = {
    "messageEventDefinition": _ENVELOPE,
    "timerEventDefinition": "M12,1 A11,11 0 1 1 11.9,1 Z M12,5 V12 L17,15 M12,1 V3 M12,21 V23 M1,12 H3 M21,12 H23",
    "errorEventDefinition": "M3,21 L8,4 L15,14 L21,3 L16,20 L9,11 Z",
    "signalEventDefinition": "M12,2 L23,21 H1 Z",
    "escalationEventDefinition": "M12,1 L21,22 L12,14 L3,22 Z",
    "compensateEventDefinition": "M11,4 V20 L1,12 Z M22,4 V20 L12,12 Z",
    "conditionalEventDefinition": "M4,2 H20 V22 H4 Z M7,7 H17 M7,12 H17 M7,17 H17",
    "linkEventDefinition": "M1,8 H13 V3 L23,12 L13,21 V16 H1 Z",
    "terminateEventDefinition": "M12,1 A11,11 0 1 1 11.9,1 Z",
    "cancelEventDefinition": "M5,2 L12,9 L19,2 L22,5 L15,12 L22,19 L19,22 L12,15 L5,22 L2,19 L9,12 L2,5 Z",
}
"""By the name of the event definition."""

GATEWAY_GLYPHS = {
    "exclusiveGateway": "M5,2 L19,22 M19,2 L5,22",
    "parallelGateway": "M12,0 V24 M0,12 H24",
    "inclusiveGateway": "M12,1 A11,11 0 1 1 11.9,1 Z",
    "complexGateway": "M12,0 V24 M0,12 H24 M4,4 L20,20 M20,4 L4,20",
    "eventBasedGateway": "M12,0 A12,12 0 1 1 11.9,0 Z M12,4 L20,10 L17,19 H7 L4,10 Z",
}
"""By the kind of gateway."""

TASK_GLYPHS = {
    "serviceTask": (
        "M10,1 H14 L15,5 L18,3 L21,6 L19,9 L23,10 V14 L19,15 L21,18 L18,21 L15,19 L14,23 H10 L9,19 L6,21 L3,18 L5,15 "
        "L1,14 V10 L5,9 L3,6 L6,3 L9,5 Z M12,8 A4,4 0 1 1 11.9,8 Z"
    ),
    "userTask": "M12,2 A5,5 0 1 1 11.9,2 Z M2,22 V18 C3,14 7,13 12,13 C17,13 21,14 22,18 V22 Z",
    "manualTask": "M2,8 L8,4 H14 V7 H22 V10 H14 M22,10 V13 H14 M21,13 V16 H14 M20,16 V19 H6 L2,16 Z",
    "scriptTask": "M6,2 H20 C15,8 22,14 17,22 H3 C8,14 1,8 6,2 Z M8,7 H15 M8,12 H16 M8,17 H15",
    "businessRuleTask": "M2,4 H22 V20 H2 Z M2,9 H22 M2,14 H22 M9,9 V20",
    "sendTask": _ENVELOPE,
    "receiveTask": _ENVELOPE,
    "loop": "M9,21 A9,9 0 1 1 15,21 M9,21 H3 M9,21 V15",
    "parallel": "M5,3 V21 M12,3 V21 M19,3 V21",
    "sequential": "M3,5 H21 M3,12 H21 M3,19 H21",
    "compensation": EVENT_GLYPHS["compensateEventDefinition"],
    "collapsed": "M2,2 H22 V22 H2 Z M12,6 V18 M6,12 H18",
    "adHoc": "M2,14 C6,6 10,10 12,12 C14,14 18,18 22,10",
}
"""By the kind of task, and what stands at the bottom of any activity."""
