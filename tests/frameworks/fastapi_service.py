"""A FastAPI application with an engine inside; ``ORDERS_DB`` names its database."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException, Request

from riverstone.engine import AsyncEngine, Engine, UnknownProcessInstance, UnknownToken

from .stones import GIVEN, MODELS, Pay, Reserve


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    engine = Engine(os.environ["ORDERS_DB"], stones=[Reserve, Pay], dispatcher="threads", threads=2)
    async with AsyncEngine(engine) as app.state.engine:
        for model in MODELS:
            await app.state.engine.deploy(model)
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/orders/{key}")
async def order(request: Request, key: str, wait: float = 30) -> dict[str, Any]:
    engine: AsyncEngine = request.app.state.engine
    started = await engine.start(key=key, name="an order")
    found = (await engine.situation(started.process_instance_id, wait=wait)).instance
    return {"id": found.process_instance_id, "status": found.status, "outputs": found.native_output_values}


@app.get("/orders/{number}")
async def show(request: Request, number: str) -> dict[str, Any]:
    try:
        found = await request.app.state.engine.wait(number, timeout=30)
    except UnknownProcessInstance as error:
        raise HTTPException(404, error.message) from error
    return {"status": found.status, "outputs": found.native_output_values}


@app.delete("/orders/{number}")
async def delete(request: Request, number: str) -> dict[str, Any]:
    engine: AsyncEngine = request.app.state.engine
    await engine.delete(number)
    return {"status": (await engine.wait(number)).status}


@app.post("/hooks/{token}")
async def hook(request: Request, token: str) -> dict[str, bool]:
    try:
        taken = await request.app.state.engine.callback(token, await request.body(), headers=dict(request.headers))
    except UnknownToken as error:
        raise HTTPException(404, error.message) from error
    return {"taken": taken}


@app.get("/inside")
async def inside() -> dict[str, Any]:
    return {"threads": threading.active_count(), "tokens": GIVEN}
