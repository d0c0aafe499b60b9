"""One program, from its text to its value.

The value is that of the last expression statement, or the global `result`, or what an otherwise unused `main()` returns.
A program without `await` at its top never enters the event loop.
"""

import ast
import inspect
import sys
from types import CoroutineType, ModuleType

from .loop import LOOP

# Where the value of the last expression is kept while the program runs.
_VALUE = "__value__"

# Made once: the constructors of nodes are slow.
_assignment = ast.parse(f"{_VALUE} = 0").body[0]

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
    while body and type(body[-1]) is ast.If and _asks_for_main(body[-1].test):
        body = body[-1].body
    if body and type(body[-1]) is ast.Expr:
        last = body[-1]
        _assignment.value = last.value
        for node in (_assignment, _assignment.targets[0]):
            node.lineno, node.col_offset = last.lineno, last.col_offset
            node.end_lineno, node.end_col_offset = last.end_lineno, last.end_col_offset
        body[-1] = _assignment


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
    if type(value) is CoroutineType:  # The program ends with `main()`: what else could it mean?
        value = LOOP.drive(value)
    return value


def _names(tree, name):
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(tree))
