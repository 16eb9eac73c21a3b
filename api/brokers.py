"""The Celery application for a broker's URL; imported only where there is one."""

from __future__ import annotations

from typing import Any

from ..engine.errors import Invalid


def celery_app(broker: str | None) -> Any:
    """An application on this broker; raises Invalid where there is no URL or no Celery."""
    if not broker:
        raise Invalid(
            "Name a broker with --broker or RIVERSTONE_BROKER: amqp://... or redis://...", code="broker-missing"
        )
    try:
        from ..engine.dispatch.celery import make_app
    except ImportError as error:
        text = f"Celery is not installed ({error}): pip install 'riverstone[celery]'."
        raise Invalid(text, code="celery-missing") from error
    return make_app(broker)
