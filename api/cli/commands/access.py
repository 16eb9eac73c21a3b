"""The commands about who may do what, and who did what."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from ..invocation import Invocation, invoked
from ..screen.table import print_table
from ..screen.terminal import local_time, printable

if TYPE_CHECKING:
    from ....engine.operating.access_keys import Key
    from ....engine.operating.audit import AuditEntry
    from ....engine.operating.sessions import Session

SCOPES = ["read", "run", "deploy", "work", "admin", "secrets"]
KEY_HEADER = ("ID", "CREATED", "NAME", "SCOPES", "OWNER", "TOPICS", "PERSON", "")
SESSION_HEADER = ("ID", "SINCE", "USED", "USER", "SCOPES", "GROUPS")
AUDIT_HEADER = ("TIME", "CLIENT", "ADDRESS", "ACTION", "TARGET", "OUTCOME", "REQUEST")


@click.group()
def key() -> None:
    """Keys by which clients are let in."""


@key.command("add")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(SCOPES))
@click.option("--topic", "topics", multiple=True, help="What it fetches with the scope work, such as 'mail.*'.")
@click.option("--owner", help="Whose processes it starts and sees; its own unless said otherwise.")
@click.option("--user", help="The person who gets it, as models name assignees and candidates.")
@click.option("--group", "groups", multiple=True, help="A group of that person; may be repeated.")
@click.option("--every-owner", is_flag=True, help="It sees everyone's processes, and starts some that are nobody's.")
@invoked
def add_key(
    invocation: Invocation,
    /,
    name: str,
    scopes: tuple[str, ...],
    topics: tuple[str, ...],
    owner: str | None,
    user: str | None,
    groups: tuple[str, ...],
    every_owner: bool,
) -> None:
    """Add a key and print it, this once."""
    with invocation.recording(name, passive=True) as engine:
        added, text = engine.keys.add(
            name, scopes=scopes, owner=owner, every_owner=every_owner, topics=topics, user=user, groups=groups
        )
    click.echo(text)
    click.echo(f"Key {added.key_id} of {added.name}; it is not shown again.", err=True)


@key.command("list")
@invoked
def list_keys(invocation: Invocation, /) -> None:
    """List the keys, without their secrets."""
    with invocation.engine(passive=True) as engine:
        keys = engine.keys.all()
    if not print_table(KEY_HEADER, map(key_cells, keys)):
        click.echo("There is no key.", err=True)


@key.command("revoke")
@click.argument("key", metavar="NAME|ID")
@invoked
def revoke_key(invocation: Invocation, /, key: str) -> None:
    """Make a key worthless from now on."""
    with invocation.recording(key, passive=True) as engine:
        revoked = engine.keys.revoke(key)
    click.echo(f"Revoked the key {revoked.key_id} of {revoked.name}.")


@click.group()
def session() -> None:
    """Sessions of people who have signed in with a browser."""


@session.command("list")
@invoked
def list_sessions(invocation: Invocation, /) -> None:
    """List the sessions that go on, and what they may do."""
    with invocation.engine(passive=True) as engine:
        found = engine.sessions.all()
    if not print_table(SESSION_HEADER, map(session_cells, found)):
        click.echo("Nobody is signed in.", err=True)


@session.command("revoke")
@click.argument("session", metavar="USER|ID")
@invoked
def revoke_session(invocation: Invocation, /, session: str) -> None:
    """End a session, or all of a person, from now on."""
    with invocation.recording(session, passive=True) as engine:
        ended = engine.sessions.revoke(session)
    click.echo(f"Ended {ended} {'session' if ended == 1 else 'sessions'} of {printable(session)}.")


@click.group()
def secret() -> None:
    """The secret by which deferred tasks get their tokens."""


@secret.command("rotate")
@invoked
def rotate_secret(invocation: Invocation, /) -> None:
    """Make a new secret for the tokens of tasks to come. The tokens of tasks that exist stay valid."""
    with invocation.recording(passive=True) as engine:
        engine.rotate_token_secret()
    click.echo("New tasks get tokens by a new secret.")


@click.command()
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--cursor", help="Where the list before ended.")
@click.option("--forget-before", type=click.DateTime(), help="Delete older rows instead of listing (local time).")
@invoked
def audit(invocation: Invocation, /, limit: int, cursor: str | None, forget_before: datetime | None) -> None:
    """List who changed what, newest first. A line tells the time, the client, its address, the call and the outcome."""
    if forget_before is not None:
        with invocation.recording(passive=True) as engine:
            click.echo(f"Deleted {engine.audit.forget(forget_before.astimezone())} rows.")
        return
    with invocation.engine(passive=True) as engine:
        page = engine.audit.entries(limit=limit, cursor=cursor)
    if not print_table(AUDIT_HEADER, map(audit_cells, page.items)):
        click.echo("There is no entry.", err=True)
    if page.cursor is not None:
        click.echo(f"There are more: --cursor {page.cursor}", err=True)


def key_cells(found: Key) -> tuple[str, ...]:
    """What a list tells of one key."""
    revoked = f"revoked {local_time(found.revoked)}" if found.revoked is not None else ""
    may = (",".join(found.scopes), found.owner or "(every owner)", " ".join(found.topics), _person(found))
    return found.key_id, local_time(found.created), found.name, *may, revoked


def _person(found: Key) -> str:
    groups = f" in {', '.join(found.groups)}" if found.groups else ""
    return f"{found.user or 'nobody'}{groups}" if found.user or groups else ""


def session_cells(found: Session) -> tuple[str, ...]:
    """What a list tells of one session."""
    since, used = local_time(found.created), local_time(found.used)
    return found.session_id, since, used, found.user, ",".join(found.scopes) or "-", ", ".join(found.groups) or "-"


def audit_cells(entry: AuditEntry) -> tuple[str, ...]:
    """What a list tells of one changing call."""
    what = (entry.action, entry.target or "-", entry.outcome, entry.request_id)
    return local_time(entry.time), entry.client, entry.address, *what
