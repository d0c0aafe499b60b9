"""What a program might expect and does not find here, and the nearest thing that exists."""

import builtins
import io
import os
import socket
import subprocess
import sys
import threading

from . import library, modules
from .told import NoThreads, Unavailable

RECURSION_MAX = 10_000

_NETWORK = "there is no network in the sandbox: call a server's tool instead, `from servers import …`"
_PROCESS = "there are no processes in the sandbox: call a server's tool instead, `from servers import …`"
_PARALLEL = "tool calls run in parallel by themselves: `await asyncio.gather(*calls)`"
_NUMBERS = "use statistics, math, fractions and plain lists"
_TABLES = "use csv, collections, itertools and statistics; sqlite3 in memory joins and groups"
_PLOTS = "return the data and let the reader plot it"
_MARKUP = "use html.parser or xml.etree.ElementTree"
_PACK = "zlib and gzip exist"

HINTS = {
    **dict.fromkeys(["requests", "httpx", "aiohttp", "urllib3", "websockets", "ssl", "paramiko", "boto3", "playwright", "selenium"], _NETWORK),
    **dict.fromkeys(["openai", "anthropic", "mcp", "fastmcp", "github", "slack_sdk", "psycopg2", "redis", "pymongo"], _NETWORK),
    **dict.fromkeys(["multiprocessing", "joblib", "ray", "dask"], _PARALLEL),
    **dict.fromkeys(["numpy", "scipy", "sklearn", "torch", "sympy"], _NUMBERS),
    **dict.fromkeys(["pandas", "polars", "pyarrow", "duckdb", "openpyxl"], _TABLES),
    **dict.fromkeys(["matplotlib", "seaborn", "plotly", "PIL", "cv2"], _PLOTS),
    **dict.fromkeys(["bs4", "lxml", "markdown"], _MARKUP),
    **dict.fromkeys(["bz2", "lzma", "zstandard"], _PACK),
    **dict.fromkeys(["ctypes", "cffi", "mmap", "fcntl", "pwd", "grp", "resource", "termios", "tty", "pty"], "the sandbox has no operating system below it"),
    **dict.fromkeys(["yaml", "toml"], "json and tomllib exist"),
    **dict.fromkeys(["dateutil", "pytz", "arrow", "pendulum"], "use datetime and zoneinfo"),
    **dict.fromkeys(["pydantic", "attr", "attrs"], "use dataclasses"),
    **dict.fromkeys(["tqdm", "rich", "tabulate", "click", "typer"], "use print, or `tta.progress(message)`"),
    **dict.fromkeys(["jinja2", "mako"], "use f-strings or string.Template"),
    **dict.fromkeys(["dotenv"], "the sandbox has no environment: use `tta.inputs`"),
    **dict.fromkeys(["pytest", "unittest"], "write assert statements"),
    **dict.fromkeys(["tkinter", "curses", "turtle"], "the sandbox has no screen"),
}


def hint_for_module(name):
    """What to do about a module that does not exist."""
    top = name.partition(".")[0]
    servers = modules.server_names()
    if top in servers:
        return f"{top} is a server here: write `from servers import {top}`"
    hint = HINTS.get(top) or HINTS.get(top.lstrip("_"))
    if hint:
        return hint
    known = sorted(n for n in library.names() if not n.startswith("_") and "." not in n)
    near = modules.difflib.get_close_matches(top, known, 2, 0.75)
    start = f"did you mean {' or '.join(near)}? " if near else ""
    return f"{start}Python's standard library exists, third-party packages do not; servers: {', '.join(servers) or 'none'}"


def hint_for_attribute(error):
    """For `os.system` and its kin, which this platform's `os` does not have."""
    if error.obj is os and error.name.startswith(("system", "popen", "fork", "exec", "spawn", "posix_spawn", "kill", "wait")):
        return _PROCESS
    return None


def _files_hint():
    named = [n for n in modules.server_names() if "file" in n or n == "fs"]
    example = named[0] if named else "…"
    return f"use a file server's tool instead: `from servers import {example}`"


def _no_files(file, *_, **__):
    raise Unavailable(f"open({file!r:.80}): there is no file system in the sandbox").with_hint(_files_hint())


def _no_network(*_, **__):
    raise Unavailable("there is no network in the sandbox").with_hint(_NETWORK)


def _no_processes(*_, **__):
    raise Unavailable("there are no processes in the sandbox").with_hint(_PROCESS)


def _no_threads(*_, **__):
    raise NoThreads("there are no threads in the sandbox").with_hint(_PARALLEL)


def _no_input(prompt="", /):
    raise Unavailable("input(): nobody is at the keyboard").with_hint("use `tta.inputs`, which holds the run's input")


def _exit(code=None):
    raise SystemExit(code)


def _bounded_recursion(limit, /, _set=sys.setrecursionlimit):
    _set(min(limit, RECURSION_MAX))


def install():
    """Puts clear errors where a program would otherwise meet the platform's own."""
    builtins.open = io.open = _no_files
    builtins.input = _no_input
    builtins.exit = builtins.quit = _exit
    sys.setrecursionlimit = _bounded_recursion
    os.system = os.popen = _no_processes
    subprocess.Popen.__init__ = _no_processes
    subprocess.Popen.__del__ = lambda self: None
    threading.Thread.start = _no_threads
    socket.socket.__init__ = socket.create_connection = socket.getaddrinfo = socket.gethostbyname = _no_network
