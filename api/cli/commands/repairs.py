"""The commands about what has failed and stands still: try it again, skip it, say it was done, or roll back."""

from __future__ import annotations

import click

from ..invocation import Invocation, invoked
from ..screen.following import Following, dispatcher_for, followable
from ..screen.plans import show_repair, show_rewind
from ..screen.terminal import json_option, mapped, print_record

of_attempt = click.option(
    "--attempt", type=int, metavar="NUMBER", help="The last attempt as you saw it; with another one nothing is done."
)


@click.command()
@click.argument("process_instance_id")
@click.option("--element", "element_id", metavar="ELEMENT", help="Only what has failed at this element of the model.")
@click.option("--retain", multiple=True, metavar="TASK", help="Give up this task that could not be undone.")
@click.option("--preview", is_flag=True, help="Only show what would be done, and change nothing.")
@followable
@invoked
def retry(
    invocation: Invocation,
    /,
    process_instance_id: str,
    element_id: str | None,
    retain: tuple[str, ...],
    preview: bool,
    follow: bool,
    as_json: bool,
) -> None:
    """Try again what has failed and stands still. A failed rollback, cancel or delete goes on too."""
    if preview:
        if retain:
            raise click.UsageError("--preview shows a retry of what has failed and stands still: leave --retain out.")
        with invocation.asking(passive=True) as engine:
            show_repair(engine.preview_element_repair(process_instance_id, "retry", element_id), as_json=as_json)
        return
    with invocation.changing(process_instance_id, dispatcher_for(follow)) as engine:
        following = Following(engine, process_instance_id, follow=follow, as_json=as_json)
        engine.retry(process_instance_id, element_id=element_id, retain=retain)
        following.end(process_instance_id, "success", "rollback.success", "cancel.success", "delete.success")


@click.command()
@click.argument("task_id")
@click.option("--parameters", metavar="JSON|@FILE", help="Values that replace the task's parameters.")
@of_attempt
@click.option("--preview", is_flag=True, help="Only show what would be done, and change nothing.")
@followable
@invoked
def rerun(
    invocation: Invocation,
    /,
    task_id: str,
    parameters: str | None,
    attempt: int | None,
    preview: bool,
    follow: bool,
    as_json: bool,
) -> None:
    """Run a failed task again."""
    from ...wire.records import TaskRecord

    values = json_option("--parameters", parameters)
    if preview:
        with invocation.asking(passive=True) as engine:
            plan = engine.preview_repair(task_id, "retry", parameters=values, attempt=attempt)
            show_repair(plan, as_json=as_json)
        return
    with invocation.changing(task_id, dispatcher_for(follow)) as engine:
        process_instance_id = engine.task(task_id).process_instance_id
        following = Following(engine, process_instance_id, follow=follow, as_json=as_json)
        task = engine.rerun(task_id, values, attempt=attempt)
        following.end(process_instance_id, "success", otherwise=lambda: print_record(TaskRecord, task))


@click.command()
@click.argument("task_id", required=False)
@click.option("--process", "process_instance_id", metavar="PROCESS", help="With --element: the process.")
@click.option("--element", "element_id", metavar="ELEMENT", help="An element that has failed in no task.")
@of_attempt
@click.option("--preview", is_flag=True, help="Only show what would be done, and change nothing.")
@followable
@invoked
def skip(
    invocation: Invocation,
    /,
    task_id: str | None,
    process_instance_id: str | None,
    element_id: str | None,
    attempt: int | None,
    preview: bool,
    follow: bool,
    as_json: bool,
) -> None:
    """Go on without a failed task. What it may have made is rolled back before."""
    if (task_id is None) == (process_instance_id is None or element_id is None):
        raise click.UsageError("Name either a task or, with --process and --element, an element of a process.")
    if attempt is not None and task_id is None:
        raise click.UsageError("--attempt is one of a task: name that.")
    if preview:
        with invocation.asking(passive=True) as engine:
            if task_id is not None:
                plan = engine.preview_repair(task_id, "skip", attempt=attempt)
            else:
                plan = engine.preview_element_repair(str(process_instance_id), "skip", element_id)
            show_repair(plan, as_json=as_json)
        return
    with invocation.changing(task_id or process_instance_id, dispatcher_for(follow)) as engine:
        number = process_instance_id or engine.task(str(task_id)).process_instance_id
        following = Following(engine, number, follow=follow, as_json=as_json)
        if task_id is not None:
            engine.skip(task_id, attempt=attempt)
        else:
            engine.skip_element(number, str(element_id))
        following.end(number, "success")


@click.command()
@click.argument("task_id")
@click.option("--outputs", metavar="JSON|@FILE", help="What its stone would have put out.")
@of_attempt
@click.option("--preview", is_flag=True, help="Only show what would be done, and change nothing.")
@followable
@invoked
def done(
    invocation: Invocation,
    /,
    task_id: str,
    outputs: str | None,
    attempt: int | None,
    preview: bool,
    follow: bool,
    as_json: bool,
) -> None:
    """Say that a failed task was done by hand. A later undo covers it like any other task."""
    values = json_option("--outputs", outputs)
    if preview:
        with invocation.asking(passive=True) as engine:
            plan = engine.preview_repair(task_id, "done-by-hand", outputs=values, attempt=attempt)
            show_repair(plan, as_json=as_json)
        return
    with invocation.changing(task_id, dispatcher_for(follow)) as engine:
        process_instance_id = engine.task(task_id).process_instance_id
        following = Following(engine, process_instance_id, follow=follow, as_json=as_json)
        engine.done_by_hand(task_id, values, attempt=attempt)
        following.end(process_instance_id, "success")


@click.command()
@click.argument("task_id")
@followable
@invoked
def resume(invocation: Invocation, /, task_id: str, follow: bool, as_json: bool) -> None:
    """Give up a failed task: the process rolls back."""
    with invocation.changing(task_id, dispatcher_for(follow)) as engine:
        process_instance_id = engine.task(task_id).process_instance_id
        following = Following(engine, process_instance_id, follow=follow, as_json=as_json)
        engine.resume(task_id)
        following.end(process_instance_id, "rollback.success")


@click.command()
@click.argument("process_instance_id")
@followable
@invoked
def rollback(invocation: Invocation, /, process_instance_id: str, follow: bool, as_json: bool) -> None:
    """Roll back a process that stands still after a failure."""
    with invocation.changing(process_instance_id, dispatcher_for(follow)) as engine:
        following = Following(engine, process_instance_id, follow=follow, as_json=as_json)
        engine.roll_back(process_instance_id)
        following.end(process_instance_id, "rollback.success")


@click.command()
@click.argument("process_instance_id")
@click.argument("task_id")
@click.option("--preview", is_flag=True, help="Only show what would be undone, and change nothing.")
@click.option("--variables", metavar="JSON|@FILE", help="Variables of the process, set before the task begins again.")
@click.option("--parameters", metavar="JSON|@FILE", help="Values that the task is given in place of its own.")
@click.option("--retain", multiple=True, metavar="TASK", help="Give up this task that no rollback can undo.")
@click.option("--deployment", metavar="ID", help="Another version of the model, on which the task begins again.")
@click.option("--map", "pairs", multiple=True, metavar="OLD=NEW", help="Which element replaces which in that version.")
@followable
@invoked
def rewind(
    invocation: Invocation,
    /,
    process_instance_id: str,
    task_id: str,
    preview: bool,
    variables: str | None,
    parameters: str | None,
    retain: tuple[str, ...],
    deployment: str | None,
    pairs: tuple[str, ...],
    follow: bool,
    as_json: bool,
) -> None:
    """Go back to a task and begin it again. What came after it is undone first."""
    mapping = mapped("--map", pairs)
    if preview:
        with invocation.asking(passive=True) as engine:
            plan = engine.preview_rewind(process_instance_id, task_id, deployment_id=deployment, mapping=mapping)
            show_rewind(plan, as_json=as_json)
        return
    given = {"variables": variables, "parameters": parameters}
    values = {name: json_option(f"--{name}", text) for name, text in given.items()}
    with invocation.changing(process_instance_id, dispatcher_for(follow)) as engine:
        following = Following(engine, process_instance_id, follow=follow, as_json=as_json)
        engine.rewind(process_instance_id, task_id, retain=retain, deployment_id=deployment, mapping=mapping, **values)
        following.end(process_instance_id, "success")


@click.command()
@click.argument("process_instance_id")
@click.argument("deployment_id")
@click.option("--map", "pairs", multiple=True, metavar="OLD=NEW", help="This element's place is taken by another.")
@click.option("--timeout", type=click.FloatRange(0, 3600), default=0.0, help="Seconds to wait for hooks in hand.")
@click.option("--preview", is_flag=True, help="Only show what would be moved, and change nothing.")
@invoked
def migrate(
    invocation: Invocation,
    /,
    process_instance_id: str,
    deployment_id: str,
    pairs: tuple[str, ...],
    timeout: float,
    preview: bool,
) -> None:
    """Move a process to another version of its model."""
    from ...wire.records import MigrationPlanRecord, ProcessRecord

    mapping = mapped("--map", pairs)
    if preview:
        with invocation.asking(passive=True) as engine:
            plan = engine.plan_migration(process_instance_id, deployment_id, mapping=mapping)
            print_record(MigrationPlanRecord, plan)
        return
    with invocation.changing(process_instance_id) as engine:
        moved = engine.migrate(process_instance_id, deployment_id, mapping=mapping, timeout=timeout)
        print_record(ProcessRecord, moved)


@click.command("set")
@click.argument("process_instance_id")
@click.option("--variables", metavar="JSON|@FILE", required=True, help="New values by name, a JSON object.")
@click.option("--task", "task_id", metavar="TASK", help="As they are seen from this open task.")
@invoked
def set_variables(invocation: Invocation, /, process_instance_id: str, variables: str, task_id: str | None) -> None:
    """Set variables of a process that has not ended."""
    from ...wire.records import ProcessRecord

    values = json_option("--variables", variables)
    with invocation.changing(process_instance_id) as engine:
        print_record(ProcessRecord, engine.set_variables(process_instance_id, values or {}, task_id=task_id))
