"""The last step before the snapshot: few pages written by a run, few faults.

A run gets the snapshot copy-on-write, and each page that it writes first costs a fault. Two things scatter its writes over
the whole heap: caches that the first executions of any code fill, and free chunks between what the imports allocated, which
the allocator hands out first. So the code of a run is rehearsed over a host of straw, and then the holes are plugged: a run
allocates from fresh, contiguous memory.
"""

import gc

from wit_world.imports import host

# Enough for the interpreter to specialise what it runs.
ROUNDS = 30

_PROGRAMS = (
    "1 + 1",
    'result = {"a": [1, 2.5, "é"]}\nprint("text", 1)',
    "import json, re\nfrom servers import straw\nreply = await straw.echo(text='a', n=1)\njson.dumps(reply)",
    "import asyncio\nfrom servers.straw import echo\n"
    "async def one(n):\n    await asyncio.sleep(0)\n    return await echo(n=n)\n"
    "[r['n'] for r in await asyncio.gather(*[one(n) for n in range(3)], echo(n=3))]",
    "def f():\n    raise ValueError('no')\nf()",
    "from servers import straw\nawait straw.fail()",
)

# What the allocator and a bytes object take of a chunk.
_OVERHEAD = 4 + 17
# For every size of chunk, large ones by halves. Kept alive: freed again, these numbers would leave holes themselves.
_SIZES = tuple(chunk - _OVERHEAD for chunk in (*(1 << n for n in range(20, 12, -1)), *range(4096, 16, -16)))
_NO_SIZE = (None,)


class _Straw:
    """Answers like a host, without one."""

    def __init__(self):
        self._handle, self._done = 0, []

    def start_call(self, server, tool, arguments, line):
        self._handle += 1
        ok = tool == "echo"
        self._done.append(host.Completion(self._handle, ok, arguments if ok else '{"kind": "tool", "message": "no"}'))
        return self._handle

    def wait_any(self, timeout_ms):
        done, self._done = self._done, []
        return done

    def describe(self, server):
        return '{"server": "straw", "tools": {"echo": "echo", "fail": "fail"}, "aliases": {}}'

    def servers(self):
        return '["straw"]'

    def random(self, count):
        return bytes(count)

    def print(self, to, text):
        pass

    def cancel_call(self, handle):
        pass

    def now(self):
        return 0

    wall = now


def rehearse(run, reset, rounds=ROUNDS):
    """Runs programs until the interpreter has seen them often; `reset` undoes what each left behind."""
    straw = _Straw()
    names = [name for name in dir(straw) if not name.startswith("_")]
    real = {name: getattr(host, name) for name in names}
    for name in names:
        setattr(host, name, getattr(straw, name))
    try:
        for _ in range(rounds):
            for text in _PROGRAMS:
                try:
                    run(text, '{"name": "program.py", "input": null}')
                except Exception:  # Two of them are meant to fail.
                    pass
                reset()
    finally:
        for name in names:
            setattr(host, name, real[name])


def plug():
    """Allocates every free chunk below the heap's end, for good."""
    gc.collect()
    plugs = None
    end = id(bytes(1 << 22))
    for make, sizes in ((bytes, _SIZES), (lambda _: object(), _NO_SIZE)):
        for size in sizes:
            while id(chunk := make(size)) < end:
                plugs = (chunk, plugs)
    return plugs
