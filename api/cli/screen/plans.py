"""What a repair and a rewind would do, as lines or as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from .terminal import in_runs, print_record, printable

if TYPE_CHECKING:
    from ....engine.views.undo import MigrationPlan, RepairPlan, RewindPlan


def show_repair(plan: RepairPlan, *, as_json: bool) -> None:
    """What a repair would do, a line for each fact."""
    from ...wire.records import RepairPlanRecord

    if as_json:
        print_record(RepairPlanRecord, plan)
        return
    for step in plan.steps:
        lines = [f"{plan.action:<12} {step.task_id or step.element_id}  {step.name}  {step.stone or '-'}"]
        if step.hook == "rollback":
            lines.append("first        its rollback undoes what an attempt may have made")
        if step.beside:
            lines.append("keeps        what its attempts may have made; a new task takes its place")
        if step.attempt is not None:
            lines.append(f"begins       attempt {step.attempt} with {json.dumps(step.parameters, ensure_ascii=False)}")
        if step.made:
            lines.append("counts       as made, and is undone like any other")
        lines += [
            f"output       {name} = {json.dumps(value, ensure_ascii=False)}" for name, value in step.outputs.items()
        ]
        lines += [f"missing      {name}" for name in step.missing]
        lines += [f"stops        {step.reason}"] if step.reason is not None else []
        for line in lines:
            click.echo(printable(line))
    for element_id in plan.next:
        click.echo(printable(f"next         {element_id}"))


def show_rewind(plan: RewindPlan, *, as_json: bool) -> None:
    """What a rewind would do, a line for each fact."""
    from ...wire.records import RewindPlanRecord

    if as_json:
        print_record(RewindPlanRecord, plan)
        return
    for step in plan.steps:
        click.echo(printable(f"{step.action:<9} {step.task_id}  {in_runs(step.name, step.runs)}  {step.stone or '-'}"))
    for name, value in plan.variables.items():
        click.echo(printable(f"variable  {name} = {json.dumps(value, ensure_ascii=False)}"))
    told = (
        ("opens", plan.opened_again),
        ("begins", plan.begins_again),
        ("forgets", plan.people),
        ("stays", plan.fired),
    )
    for word, places in told:
        for place in places:
            click.echo(printable(f"{word:<9} {place}"))
    if plan.migration is not None:
        _show_move(plan.migration)


def _show_move(plan: MigrationPlan) -> None:
    """What would be moved to the other version, and what stands against that."""
    lines = [f"moves     {old} to {new}" for old, new in plan.moves.items()]
    lines += [f"against   {element}: {text}" for element, text in plan.findings.items()]
    lines += [f"drops     {element}" for element in plan.dropped]
    lines += [f"timer     {each.element_id}: {each.before or '-'} becomes {each.after or '-'}" for each in plan.timers]
    lines += [f"waits for {task_id}, whose hook is in hand" for task_id in plan.running]
    for line in lines:
        click.echo(printable(line))
