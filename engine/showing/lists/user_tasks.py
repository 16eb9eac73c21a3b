"""Tasks of people as these see them in lists."""

from __future__ import annotations

from ....models import FoundTask
from ...clock import moment
from ...instance.tasks.user_tasks import candidates
from ...views.people import UserTask


def show_user_task(found: FoundTask) -> UserTask:
    """One task of a person."""
    row = found.task
    users, groups = candidates(row)
    return UserTask(
        task_id=str(row.id),
        process_instance_id=str(row.process_instance_id),
        name=found.name or found.node,
        element_id=found.node.partition(":")[0],
        process_name=found.process_name,
        key=found.key,
        business_key=found.business_key,
        created=moment(row.created),
        due=moment(row.due),
        follow_up=moment(row.follow_up),
        priority=row.priority,
        assignee=row.assignee,
        delegated_by=row.delegated_by,
        users=tuple(sorted(users)),
        groups=tuple(sorted(groups)),
        ended=moment(row.ended),
        done_by=row.done_by,
    )
