"""One class of BFCL's multi-turn task set as an MCP server: its own Python code, behind its own definitions.

`bfcl_server.py CLASS`; the scenario holds each class's initial configuration, as the task set has it.
"""

import copy
import importlib
import json
import sys
from importlib.resources import files

from bfcl_eval.constants.executable_backend_config import (
    CLASS_FILE_PATH_MAPPING,
    MULTI_TURN_FUNC_DOC_FILE_MAPPING,
    STATELESS_CLASSES,
)
from mcp import types
from served import serve

# The task set's names of types, where JSON Schema has others.
_TYPES = {"dict": "object", "float": "number", "tuple": "array", "list": "array", "any": None}


def definitions(class_name):
    """The class's tools, as its documentation in the task set defines them."""
    text = (files("bfcl_eval") / "data" / "multi_turn_func_doc" / MULTI_TURN_FUNC_DOC_FILE_MAPPING[class_name]).read_text()
    documents = [json.loads(line) for line in text.splitlines() if line.strip()]
    return [
        types.Tool(name=it["name"], description=it["description"], input_schema=schema(it["parameters"]))
        for it in documents
    ]


def schema(node):
    """A schema of the task set as JSON Schema."""
    if isinstance(node, list):
        return [schema(it) for it in node]
    if not isinstance(node, dict):
        return node
    mended = {}
    for key, value in node.items():
        if key == "type" and isinstance(value, str):
            value = _TYPES.get(value, value)
            if value is None:
                continue
        mended[key] = {name: schema(it) for name, it in value.items()} if key == "properties" else schema(value)
    return mended


def main():
    class_name = sys.argv[1]
    instance = None

    def start(scenario):
        nonlocal instance
        module = importlib.import_module(CLASS_FILE_PATH_MAPPING[class_name])
        instance = getattr(module, class_name)()
        if class_name not in STATELESS_CLASSES:
            config = copy.deepcopy(scenario["config"].get(class_name, {}))
            instance._load_scenario(config, long_context=scenario["long_context"])

    async def call(name, arguments):
        value = getattr(instance, name)(**arguments)
        return value if isinstance(value, str) else json.dumps(value, default=str)

    serve(class_name, definitions(class_name), start, call)


if __name__ == "__main__":
    main()
