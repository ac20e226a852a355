"""Programming interfaces: REST, Gradio endpoints, MCP tools."""
