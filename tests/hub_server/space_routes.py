"""The routes that set up a Space: its variables, its secrets and its runtime."""

from fastapi import APIRouter

from hub_server import renderings
from hub_server.access import Readable, Writable
from hub_server.renderings import Json
from hub_server.repository_routes import REPOSITORY, Payload, space_setting

router = APIRouter(prefix=REPOSITORY)


@router.get("/variables")
async def get_space_variables(space: Readable) -> Json:
    return renderings.variables_json(space.variables)


@router.post("/variables")
async def add_space_variable(space: Writable, payload: Payload) -> Json:
    space.variables[payload["key"]] = space_setting(payload)
    return renderings.variables_json(space.variables)


@router.delete("/variables")
async def delete_space_variable(space: Writable, payload: Payload) -> Json:
    space.variables.pop(payload["key"], None)
    return renderings.variables_json(space.variables)


@router.get("/secrets")
async def get_space_secrets(space: Writable) -> Json:
    return renderings.secrets_json(space.secrets)


@router.post("/secrets")
async def add_space_secret(space: Writable, payload: Payload) -> None:
    space.secrets[payload["key"]] = space_setting(payload)


@router.delete("/secrets")
async def delete_space_secret(space: Writable, payload: Payload) -> None:
    space.secrets.pop(payload["key"], None)


@router.get("/runtime")
async def get_space_runtime(space: Readable) -> Json:
    return renderings.runtime_json()


@router.post("/restart")
async def restart_space(space: Writable) -> Json:
    space.restarts += 1
    return renderings.runtime_json()
