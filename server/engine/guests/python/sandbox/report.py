"""An exception as the error of a run: its kind, one sentence, the program's line and frames, and how to mend it.

Frames of the interpreter and of the sandbox never show. Nothing here is touched by a program that succeeds.
"""

import json
import linecache
import re
import traceback

from . import absent, values
from .told import Deadlock, Told, ToolError, Unavailable

TRACEBACK_MAX = 8_000

_LATER = re.compile(r"\b(coroutine|Call|_GatheringFuture|async_generator)\b")
_FOREIGN = re.compile(r"^\s*(const|let|var|function|import\s*\{|export|interface|type)\b|=>|===|console\.log", re.MULTILINE)


def report(error, source, name):
    """JSON text of `{"kind", "message", "line"?, "traceback"?, "hint"?}`."""
    lines = source.splitlines(keepends=True)
    linecache.cache[name] = (len(source), None, lines, name)
    error = _innermost(error)
    kind, hint = _kind_and_hint(error, source)
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == name else _line(error, name)
    told = {"kind": kind, "message": _message(error), "line": line, "traceback": _traceback(error, name), "hint": hint}
    return values.printable(json.dumps({k: v for k, v in told.items() if v is not None}, ensure_ascii=False))


def _innermost(error):
    """A group of one is told as that one."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _message(error):
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    if isinstance(error, BaseExceptionGroup):
        inner = "; ".join(_message(_innermost(e)) for e in error.exceptions[:3])
        return f"{len(error.exceptions)} tasks failed: {inner}"
    try:
        text = str(error)
    except Exception:
        text = "(its text cannot be made)"
    name = type(error).__name__
    if isinstance(error, ModuleNotFoundError) and not isinstance(error, Told):
        text = f"there is no module {error.name!r} in the sandbox"
    elif isinstance(error, Told) and not isinstance(error, ToolError):
        name = next(c.__name__ for c in type(error).__mro__ if c.__module__ == "builtins")
    return f"{name}: {text}" if text else name


def _kind_and_hint(error, source):
    if isinstance(error, BaseExceptionGroup):
        return _kind_and_hint(_innermost(error.exceptions[0]), source)
    if isinstance(error, Told):
        return error.kind, error.hint
    if isinstance(error, SyntaxError):
        return "syntax", _syntax_hint(error, source)
    if isinstance(error, ModuleNotFoundError):
        return "import", absent.hint_for_module(error.name or "")
    if isinstance(error, ImportError):
        return "import", "look it up: `dir(module)` lists what a module has"
    if isinstance(error, RecursionError):
        return "stack", "the recursion does not end, or is too deep: use a loop"
    if isinstance(error, MemoryError):
        return "memory", "work on less at once: page through the data, keep only what the result needs"
    if isinstance(error, OSError) and (cause := _unavailable_below(error)):
        return cause.kind, cause.hint
    if isinstance(error, AttributeError) and (hint := absent.hint_for_attribute(error)):
        return "import", hint
    if isinstance(error, (TypeError, AttributeError)) and _LATER.search(str(error)):
        return "forgotten_await", "write `await` before the call whose value is meant"
    return "exception", None


def _unavailable_below(error):
    for _ in range(8):
        if error is None or isinstance(error, Unavailable):
            return error
        error = error.__cause__ or error.__context__
    return None


def _syntax_hint(error, source):
    message = error.msg or ""
    if "'return' outside function" in message:
        return "end with the value as an expression, or assign it to `result`"
    if "outside async function" in message or "outside function" in message:
        return "write `async def` for the function, and `await` where it is called"
    if _FOREIGN.search(source):
        return "this looks like TypeScript or JavaScript: name that as the language"
    return None


def _line(error, name):
    """The innermost line of the program."""
    line, at = None, error.__traceback__
    while at is not None:
        if at.tb_frame.f_code.co_filename == name:
            line = at.tb_lineno
        at = at.tb_next
    if line is None and isinstance(error, Deadlock):
        frames = [f for f in error.waiting.get_stack() if f.f_code.co_filename == name]
        line = frames[-1].f_lineno if frames else None
    return line


def _traceback(error, name):
    """Python's own text of it, without any frame that is not the program's."""
    try:
        told = traceback.TracebackException.from_exception(error, max_group_width=5)
        _keep_program(told, name, set())
        text = "".join(told.format(chain=True)).rstrip()
    except (RecursionError, MemoryError):
        return None
    if len(text) > TRACEBACK_MAX:
        text = f"{text[: TRACEBACK_MAX // 2]}\n…\n{text[-TRACEBACK_MAX // 2 :]}"
    return text


def _keep_program(told, name, seen):
    if told is None or id(told) in seen:
        return
    seen.add(id(told))
    told.stack[:] = [frame for frame in told.stack if frame.filename == name]
    for other in (told.__cause__, told.__context__, *(told.exceptions or ())):
        _keep_program(other, name, seen)
