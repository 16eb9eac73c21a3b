"""A Django application with an engine inside, as ASGI and as WSGI; ``ORDERS_DB`` names its database."""

from __future__ import annotations

import atexit
import os
import threading
from functools import cache
from typing import Any

import django
from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import path

from riverstone.engine import AsyncEngine, Engine, UnknownProcessInstance, UnknownToken

from .stones import GIVEN, MODELS, Pay, Reserve

settings.configure(
    SECRET_KEY="of a test", ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__, USE_TZ=True, LOGGING_CONFIG=None
)
django.setup()


@cache
def engine() -> AsyncEngine:
    """Made by the first request, in the process that serves it."""
    made = Engine(os.environ["ORDERS_DB"], stones=[Reserve, Pay], dispatcher="threads", threads=2)
    atexit.register(made.close)
    for model in MODELS:
        made.deploy(model)
    return AsyncEngine(made)


async def order(request: HttpRequest, key: str) -> JsonResponse:
    started = await engine().start(key=key, name="an order")
    seconds = float(request.GET.get("wait", "30"))
    found = (await engine().situation(started.process_instance_id, wait=seconds)).instance
    content = {"id": found.process_instance_id, "status": found.status, "outputs": found.native_output_values}
    return JsonResponse(content)


async def show(request: HttpRequest, number: int) -> JsonResponse:
    try:
        if request.method == "DELETE":
            await engine().delete(str(number))
        found = await engine().wait(str(number), timeout=30)
    except UnknownProcessInstance as error:
        return JsonResponse({"detail": error.message}, status=404)
    return JsonResponse({"status": found.status, "outputs": found.native_output_values})


async def hook(request: HttpRequest, token: str) -> JsonResponse:
    try:
        taken = await engine().callback(token, request.body, headers=dict(request.headers))
    except UnknownToken as error:
        return JsonResponse({"detail": error.message}, status=404)
    return JsonResponse({"taken": taken})


async def inside(request: HttpRequest) -> JsonResponse:
    content: dict[str, Any] = {"threads": threading.active_count(), "tokens": GIVEN}
    return JsonResponse(content)


urlpatterns = [
    path("orders/<int:number>", show),
    path("orders/<str:key>", order),
    path("hooks/<str:token>", hook),
    path("inside", inside),
]


def __getattr__(name: str) -> Any:
    if name == "asgi":
        from django.core.asgi import get_asgi_application

        return get_asgi_application()
    if name == "wsgi":
        from django.core.wsgi import get_wsgi_application

        return get_wsgi_application()
    raise AttributeError(name)
