"""The modules that only exist in the sandbox: `servers`, one below it for each server, and `tta`.

A server is described by the host when a program first names it, not before. A tool is found under its identifier and
under its camelCase alias; `tta.call` takes the original names. `resources` and `prompts` are there beside the tools, unless
a tool has that name.
"""

import base64
import builtins
import difflib
import importlib.machinery
import operator
import sys
from types import ModuleType

from componentize_py_types import Err
from wit_world.imports import host

from . import calls, values
from .subscription import Subscription
from .told import BadArguments, ServerFailed, ToolError, UnknownServer, UnknownTool, UnknownToolImport


class Tool:
    """A tool as a function: keyword arguments, or one dict."""

    __slots__ = ("server", "name", "identifier")

    def __init__(self, server, name, identifier):
        self.server, self.name, self.identifier = server, name, identifier

    def __call__(self, *positional, **arguments):
        return calls.start(str(self), self.server, self.name, self._named(positional, arguments))

    def raw(self, *positional, **arguments):
        """The same call with all that the server answers: `content`, `structuredContent`, `_meta`."""
        arguments = {"name": self.name, "arguments": self._named(positional, arguments)}
        return calls.start(f"{self}.raw", self.server, "tools/call", arguments)

    def _named(self, positional, arguments):
        if positional:
            if len(positional) > 1 or not isinstance(positional[0], dict):
                raise BadArguments(f"{self} takes keyword arguments or one dict, not positional arguments").with_hint(
                    f"write `await {self}(name=value)` or `await {self}({{\"name\": value}})`;"
                    f" `await tta.search_tools(\"{self.name}\")` shows the names"
                )
            arguments = {**positional[0], **arguments}
        return arguments

    @property
    def __name__(self):
        return self.identifier

    def __str__(self):
        return f"{self.server}.{self.identifier}"

    def __repr__(self):
        return f"<tool {self}>"


class Resources:
    """The resources of a server."""

    def __init__(self, server):
        self._server = server

    def list(self):
        """All of them: dicts with `uri`, `name`, perhaps `mimeType`, `description` and more."""
        return self._ask("list", {}, operator.itemgetter("resources"))

    def templates(self):
        """The templates of further ones: dicts with `uriTemplate`, `name` and more."""
        return self._ask("templates/list", {}, operator.itemgetter("resourceTemplates"))

    def read(self, uri):
        """Its text, or its bytes; a list of them where it has several parts."""
        return self._ask("read", {"uri": uri}, _parts)

    def contents(self, uri):
        """Its parts as the server gives them: dicts with `uri`, perhaps `mimeType`, and `text` or a base64 `blob`."""
        return self._ask("read", {"uri": uri}, operator.itemgetter("contents"))

    def subscribe(self, uri):
        """Its changes, for `async for`: dicts with `uri` and `times`. Leaving the loop, or the end of the run, unsubscribes."""
        return Subscription(self._ask("subscribe", {"uri": uri}, None))

    def _ask(self, what, arguments, made_of):
        return calls.start(f"{self._server}.resources.{what.partition('/')[0]}", self._server, f"resources/{what}", arguments, made_of)

    def __repr__(self):
        return f"<resources of {self._server}>"


class Prompts:
    """The prompts of a server."""

    def __init__(self, server):
        self._server = server

    def list(self):
        """All of them: dicts with `name`, perhaps `description`, `arguments` and more."""
        return calls.start(f"{self._server}.prompts.list", self._server, "prompts/list", {}, operator.itemgetter("prompts"))

    def get(self, *positional, **named):
        """Its messages: dicts with `role` and `content`. Takes the prompt's name, then its arguments by name or as a dict."""
        if positional:
            name, given = (*positional, None)[:2]
        else:
            name, given = named.pop("name", None), named.pop("arguments", None)
        arguments = {"name": name, "arguments": {**(given or {}), **named}}
        return calls.start(f"{self._server}.prompts.get", self._server, "prompts/get", arguments, operator.itemgetter("messages"))

    def __repr__(self):
        return f"<prompts of {self._server}>"


_BESIDE_TOOLS = {"resources": Resources, "prompts": Prompts}


def _parts(result):
    parts = [part["text"] if "text" in part else base64.b64decode(part["blob"]) for part in result["contents"]]
    return parts[0] if len(parts) == 1 else parts


class Server(ModuleType):
    """One server: its tools are its attributes, made when they are first named."""

    def __init__(self, identifier, description):
        super().__init__(f"servers.{identifier}")
        # With a path, `from servers.x import y` asks the finder below where the attribute is missing.
        self.__path__ = []
        self.__all__ = list(description["tools"])
        self._described = description
        self._identifier = identifier

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        tools = self._described["tools"]
        identifier = name if name in tools else self._described.get("aliases", {}).get(name)
        if identifier is not None:
            found = Tool(self._identifier, tools[identifier], identifier)
        elif name in _BESIDE_TOOLS:
            found = _BESIDE_TOOLS[name](self._identifier)
        else:
            raise self._unknown(UnknownTool, name)
        setattr(self, name, found)
        return found

    def __dir__(self):
        return self.__all__

    def __repr__(self):
        return f"<server {self._identifier}: {len(self.__all__)} tools>"

    def _unknown(self, error, name):
        known = self.__all__
        return error(f"{self._identifier} has no tool {name!r}").with_hint(
            nearest(name, known, "its tools are" if len(known) <= 20 else "some of its tools are")
        )


class Servers(ModuleType):
    """The package `servers`."""

    def __init__(self):
        super().__init__("servers")
        self.__path__ = []

    def __getattr__(self, name):
        if name == "__all__":
            return server_names()
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return importlib.import_module(f"servers.{name}")
        except UnknownServer as error:
            raise UnknownTool(str(error)).with_hint(error.hint) from None

    def __dir__(self):
        return server_names()


class Finder:
    """Imports `servers.*`."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if not name.startswith("servers."):
            return None
        _, identifier, *rest = name.split(".")
        if rest:
            raise sys.modules[f"servers.{identifier}"]._unknown(UnknownToolImport, ".".join(rest))
        return importlib.machinery.ModuleSpec(name, _Loader(describe(identifier)), origin="sandbox", is_package=True)


class _Loader:
    def __init__(self, description):
        self._description = description

    def create_module(self, spec):
        return Server(spec.name.removeprefix("servers."), self._description)

    def exec_module(self, module):
        """Everything is there already."""


class Tta(ModuleType):
    """The sandbox's own functions."""

    ToolError = ToolError
    inputs = None  # Set at the start of a run.

    @staticmethod
    def call(server, tool, arguments=None, /, **named):
        """Calls any tool by its original names: `await tta.call("files", "read-file", {"path": "a"})`."""
        if arguments is not None and not isinstance(arguments, dict):
            raise BadArguments("tta.call takes the arguments as a dict").with_hint(
                'write `await tta.call(server, tool, {"name": value})`'
            )
        server = getattr(server, "_identifier", server)
        tool = tool.name if isinstance(tool, Tool) else tool
        return calls.start(f"{server}.{tool}", server, tool, {**(arguments or {}), **named})

    @staticmethod
    def search_tools(query, server=None, limit=None, detail=None):
        """Finds tools by what they do."""
        wanted = {"query": query, "server": server, "limit": limit, "detail": detail}
        given = {name: value for name, value in wanted.items() if value is not None}
        return calls.start("tta.search_tools", "tta", "search_tools", given)

    @staticmethod
    def progress(message):
        """Tells whoever watches how far the program is. Needs no await."""
        return calls.forget(calls.start("tta.progress", "tta", "progress", {"message": str(message)}))

    @staticmethod
    def servers():
        """The names that can be imported from `servers`."""
        return server_names()


def server_names():
    return values.from_json(host.servers())


def describe(identifier):
    """The description of one server, or the error that says why there is none."""
    try:
        return values.from_json(host.describe(identifier))
    except Err as failed:
        error = values.from_json(failed.value)
    kind, hint = error.get("kind", "tool"), error.get("hint")
    if kind == "unknown_tool":
        hint = hint or nearest(identifier, server_names(), "the servers are")
        # Under its own name alone, or `from servers import x` would take it for an ordinary missing attribute.
        raise UnknownServer(error["message"], name=identifier).with_hint(hint)
    failure = ServerFailed(error["message"], name=f"servers.{identifier}").with_hint(hint)
    failure.kind = kind
    raise failure


def nearest(name, known, lead):
    """`did you mean a or b?` and the names there are, twenty at most."""
    if not known:
        return "there are none"
    close = difflib.get_close_matches(name.lower(), [k.lower() for k in known], 3, 0.5)
    close = [k for k in known if k.lower() in close]
    shown = ", ".join(known[:20]) + (", …" if len(known) > 20 else "")
    return (f"did you mean {' or '.join(close)}? " if close else "") + f"{lead}: {shown}"


tta = Tta("tta")


def reset():
    """As before the first server was named."""
    tta.inputs = None
    for name in [n for n in sys.modules if n.startswith("servers.")]:
        del sys.modules[name]
        delattr(sys.modules["servers"], name.removeprefix("servers."))


def install():
    builtins.ToolError = ToolError
    sys.modules["tta"] = tta
    sys.modules["servers"] = Servers()
    sys.meta_path.insert(0, Finder)
