"""Call the app's MCP tools with the protocol's own client."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import mcp

__all__ = ["call", "with_session"]


def with_session(address: str, act: Callable[[Any], Awaitable[Any]]) -> Any:
    """Return what `act` returns for a session with the app's tools."""

    from mcp.client.streamable_http import streamable_http_client

    async def talk() -> Any:
        async with streamable_http_client(f"{address}/gradio_api/mcp/") as (read, write, _):
            async with mcp.ClientSession(read, write) as session:
                await session.initialize()
                return await act(session)

    return asyncio.run(talk())


def call(address: str, tool: str, **arguments: Any) -> Any:
    return with_session(address, lambda session: session.call_tool(tool, arguments))
