"""The Python guest: what runs inside the sandbox, around a program.

Importing this package is what makes the snapshot. In its order: the library is imported and stowed, the language is told
what does not exist here, and everything is frozen, so that a run starts from memory alone and touches as little of it as
it can. `WitWorld.run` then serves exactly one program; the next one gets a fresh copy of the snapshot.
"""

import gc
import random
import sys
import warnings

from . import preload

preload.warm()

from componentize_py_types import Err
from wit_world import WitWorld as World
from wit_world.imports import host

from . import absent, calls, hashing, library, loop, modules, program, report, settle, streams, values

library.stow()
for _part in (streams, loop, modules, absent, program):
    _part.install()


def _show_warning(message, category, filename, lineno, file=None, line=None):
    streams.note(f"{filename}:{lineno}: {category.__name__}: {message}")


warnings.showwarning = _show_warning

# `random.seed` without its look at the seed's type.
_seed = super(random.Random, random._inst).seed


class WitWorld(World):
    """The exports of the world `guest`."""

    def run(self, program_text, context_json):
        fresh = host.random(hashing.KEY_BYTES + 32)
        hashing.begin(fresh[:hashing.KEY_BYTES])  # Before anything of the program is hashed.
        context = values.from_json(context_json)
        name = context["name"]
        calls.program_name = name
        modules.tta.inputs = context.get("input")
        _seed(int.from_bytes(fresh[hashing.KEY_BYTES:]))
        try:
            return values.to_json(program.run(program_text, name))
        except BaseException as error:
            raise Err(_told(error, program_text, name)) from None
        finally:
            _finish()


def _told(error, source, name):
    try:
        return report.report(error, source, name)
    except BaseException:  # The program broke what the report is made with, or memory is out.
        return '{"kind": "exception", "message": "the program changed built-in objects so that its end cannot be told"}'


def _finish():
    """Tells what would otherwise be lost."""
    try:
        for line in calls.never_awaited():
            streams.note(line)
        streams.flush()
    except BaseException:  # Likewise; the program's value or error matters more.
        pass


def _reset():
    """Undoes what a rehearsed program left behind."""
    streams.reset()
    program.reset()
    calls.reset()
    modules.reset()


settle.rehearse(WitWorld().run, _reset)
hashing.seal()
settle.rehearse(WitWorld().run, _reset, rounds=1)  # What it hashes, a run hashes, and is found together from now on.
# The frozen objects are never looked at by the collector again, so their pages stay shared between all runs.
_plugs = settle.plug()
gc.freeze()
hashing.arm()
