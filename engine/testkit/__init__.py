"""For authors of flows and stones: rehearse a flow with its failures, and hold a stone to its contract."""

from .contract import check_stone
from .coverage import Coverage
from .fakes import fake_of
from .fault_proxy import CloudCall, CloudFault, FaultProxy
from .faults import Call, Injected
from .rehearsal import Rehearsal
from .report import Check, ContractReport
from .run import Run

__all__ = [
    "Call",
    "Check",
    "CloudCall",
    "CloudFault",
    "ContractReport",
    "Coverage",
    "FaultProxy",
    "Injected",
    "Rehearsal",
    "Run",
    "check_stone",
    "fake_of",
]
