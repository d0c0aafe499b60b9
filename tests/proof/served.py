"""An MCP server over stdio around tools that live in a Python package, for the replays of public task sets.

The file named by TTA_SCENARIO says which task is played: whenever it has changed, the next call starts that task's world anew.
So one process serves all tasks, and no tool beside the task set's own stands in the definitions.
"""

import json
import os
from pathlib import Path

import anyio
from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server


class Scenario:
    """The task that is played, by the file that says so."""

    def __init__(self):
        self._file = Path(os.environ["TTA_SCENARIO"])
        self._seen = None

    def changed(self):
        """The scenario, where it is not the one of the call before; else nothing."""
        text = self._file.read_text()
        if text == self._seen:
            return None
        self._seen = text
        return json.loads(text)


def serve(name, tools, start, call):
    """Serves `tools`; `start(scenario)` makes the world anew, `await call(name, arguments)` gives a text, or raises what the model
    is told."""
    scenario = Scenario()

    async def on_list_tools(_context, _params):
        return types.ListToolsResult(tools=tools)

    async def on_call_tool(_context, params):
        if (changed := scenario.changed()) is not None:
            start(changed)
        try:
            text = await call(params.name, params.arguments or {})
        except Exception as error:  # The task sets hand what a tool raises to the model as its answer, and go on.
            text = f"Error: {error}"
        return types.CallToolResult(content=[types.TextContent(type="text", text=text)])

    server = Server(name, version="1", on_list_tools=on_list_tools, on_call_tool=on_call_tool)

    async def main():
        async with stdio_server() as (reader, writer):
            await server.run(reader, writer, server.create_initialization_options())

    anyio.run(main)
