"""One program, from its text to its value.

The value is that of the last expression statement, or the global `result`, or what an otherwise unused `main()` returns.
A program without `await` at its top never enters the event loop.
"""

import ast
import asyncio
import inspect
import sys
from types import ModuleType

from .loop import LOOP

# Where the value of the last expression is kept while the program runs.
_VALUE = "__value__"

_main = ModuleType("__main__")
_globals = _main.__dict__
_fresh = dict(_globals)


def install():
    sys.modules["__main__"] = _main


def reset():
    """As before the first program."""
    _globals.clear()
    _globals.update(_fresh)


def run(source, name):
    """The program's value; raises whatever it raises."""
    tree = compile(source, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST, dont_inherit=True)
    _keep_last_value(tree.body)
    code = compile(tree, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    try:
        if code.co_flags & inspect.CO_COROUTINE:
            LOOP.drive(eval(code, _globals))
        else:
            exec(code, _globals)
    except SystemExit as stop:
        if stop.code not in (None, 0):
            raise
    return _value(tree)


def _keep_last_value(body):
    """Turns the last statement into an assignment, where it is an expression; looks into `if __name__ == …:`, too."""
    while body and isinstance(body[-1], ast.If) and _asks_for_main(body[-1].test):
        body = body[-1].body
    if body and isinstance(body[-1], ast.Expr):
        last = body[-1]
        at = {"lineno": last.lineno, "col_offset": last.col_offset}
        body[-1] = ast.Assign([ast.Name(_VALUE, ast.Store(), **at)], last.value, **at)


def _asks_for_main(test):
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def _value(tree):
    value = _globals.get(_VALUE)
    if value is None:
        value = _globals.get("result")
    if value is None and _VALUE not in _globals:
        main = _globals.get("main")
        if inspect.isfunction(main) and not _names(tree, "main") and not inspect.signature(main).parameters:
            value = main()
    if asyncio.iscoroutine(value):  # The program ends with `main()`: what else could it mean?
        value = LOOP.drive(value)
    return value


def _names(tree, name):
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(tree))
