"""The endpoints as tools for assistants, by the Model Context Protocol (MCP)."""

import json
from typing import Any

import gradio as gr
from gradio.mcp import GradioMCPServer

from leadmodel.serving.web.refusals import MAX_ERROR

__all__ = ["are_available", "keep_to_tools", "tell"]


def are_available() -> bool:
    """Whether Gradio has found the package that speaks the protocol, in a version that it knows."""
    return hasattr(GradioMCPServer, "StreamableHTTPSessionManager")


def tell(address: str) -> str:
    """Return where the tools of the app at `address` answer, or how to get them."""
    return f"{address}/gradio_api/mcp/" if are_available() else 'pip install "mcp<2" and start anew'


def keep_to_tools(demo: gr.Blocks) -> None:
    """Make the tools of a mounted `demo` answer in JSON, and answer nothing but tools.

    Gradio answers with Python's notation. To read a resource or a prompt, of which there are none,
    it would first call the address that the caller's Host header names.
    """
    from mcp import types

    def as_json(values: list[Any], _: str) -> list[types.TextContent]:
        texts = (json.dumps(value, ensure_ascii=False) for value in values)
        return [types.TextContent(type="text", text=text) for text in texts]

    async def call_briefly(request: types.CallToolRequest) -> types.ServerResult:
        result = await call(request)
        if result.root.isError:
            for part in result.root.content:
                # Of an argument that is wrong the protocol's package tells the whole.
                part.text = part.text[:MAX_ERROR]
        return result

    demo.mcp_server_obj.postprocess_output_data = as_json
    handlers = demo.mcp_server_obj.mcp_server.request_handlers
    for kind in [*handlers]:
        if kind not in (types.ListToolsRequest, types.CallToolRequest, types.PingRequest):
            del handlers[kind]
    call = handlers[types.CallToolRequest]
    handlers[types.CallToolRequest] = call_briefly
