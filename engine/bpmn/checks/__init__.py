"""Static checks of a BPMN file: the schema, then the rules of BPMN 2.0 (OMG formal/2011-01-03) that it cannot say."""

from __future__ import annotations

from collections.abc import Collection

from lxml import etree

from ...findings import Finding, Report
from ...limits import Limits
from .activities import check_activities
from .collaborations import check_collaborations
from .data import check_data
from .events import check_events
from .expressions import check_expressions
from .flows import check_flows
from .gateways import check_gateways
from .links import check_links
from .operations import check_operations
from .outline import Outline
from .processes import check_names, check_processes, check_size
from .reachability import check_reachability
from .references import check_imports, check_references
from .schema import check_schema


def check(
    root: etree._Element,
    *,
    limits: Limits,
    source: str | None = None,
    together: Collection[str] = (),
    strict: bool = False,
) -> list[Finding]:
    """Everything that is wrong or doubtful in the BPMN file under ``root``, in the order of its lines.

    ``root`` comes from ``read_xml`` and stays as it is; ``source`` is the file's name, for the findings, and
    ``together`` are the target namespaces of all files that it is deployed with. What keeps the file from being run as
    it says is an error. A breach of a formal rule of the specification or the schema is a warning, and an error with
    ``strict``. References into other files and elements that the engine cannot run are not judged here. A file over
    ``limits.model_nodes``, or one that is not BPMN at all, is not looked at any further.
    """
    outline = Outline(root)
    report = Report({root: source}, strict=strict)
    if not check_size(outline, report, limits):
        return report.findings
    check_schema(root, report)
    check_processes(outline, report)
    check_names(outline, report)
    check_references(outline, report)
    check_imports(outline, report, together)
    check_flows(outline, report)
    check_events(outline, report)
    check_links(outline, report)
    check_gateways(outline, report)
    check_activities(outline, report)
    check_expressions(outline, report)
    check_data(outline, report)
    check_operations(outline, report)
    check_collaborations(outline, report)
    check_reachability(outline, report)
    return sorted(report.findings, key=lambda finding: (finding.line or 0, finding.severity, finding.code))
