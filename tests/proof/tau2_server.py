"""A domain of tau2-bench (retail, airline) as an MCP server: the tools of its agent, over its own database.

`tau2_server.py DOMAIN`; every task begins with the database as it is delivered.
"""

import importlib
import json
import sys

from inspect_ai.tool import ToolDef
from inspect_ai.util._store import Store, init_subtask_store
from mcp import types
from served import serve


def main():
    domain = sys.argv[1]
    module = importlib.import_module(f"inspect_evals.tau2.{domain}.tools")
    tools = {it.name: it for it in (ToolDef(make()) for make in getattr(module, f"all_{domain}_tools"))}
    definitions = [
        types.Tool(
            name=it.name, description=it.description, input_schema=json.loads(it.parameters.model_dump_json(exclude_none=True))
        )
        for it in tools.values()
    ]
    store = None

    def start(_scenario):
        nonlocal store
        store = Store()

    async def call(name, arguments):
        init_subtask_store(store)
        value = await tools[name].tool(**arguments)
        return value if isinstance(value, str) else json.dumps(value, default=str)

    serve(domain, definitions, start, call)


if __name__ == "__main__":
    main()
