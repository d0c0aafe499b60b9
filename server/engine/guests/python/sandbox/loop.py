"""asyncio on one source of outside events: the host's queue of finished calls.

There is one loop, made before the snapshot. It may be driven again from inside itself, so that `asyncio.run(main())`
works wherever a program writes it. It has no threads, sockets or signals: functions meant for a thread run at once.
"""

import asyncio
import heapq
import math
import sys
from asyncio import base_events, events, tasks
from collections.abc import Awaitable

from wit_world.imports import host

from . import streams
from .told import Deadlock

# A program that is always ready still looks at the host's queue, once in so many turns.
TURNS_BETWEEN_POLLS = 16


class Loop(base_events.BaseEventLoop):
    """The one event loop of a program."""

    def __init__(self):
        super().__init__()
        self._turns = 0
        self.deliver = None  # Set by `calls`: takes a list of completions.
        self.in_flight = {}  # Handle -> call.

    def drive(self, awaitable):
        """Runs until `awaitable` is done, and returns its value. Works inside and outside of a running loop."""
        task = awaitable if asyncio.isfuture(awaitable) else self.create_task(awaitable)
        outer = events._get_running_loop()
        events._set_running_loop(self)
        suspended = tasks._swap_current_task(self, None)
        try:
            while not task.done():
                self._run_once()
        except Deadlock as deadlock:
            deadlock.waiting = task
            raise
        finally:
            tasks._swap_current_task(self, suspended)
            events._set_running_loop(outer)
        return task.result()

    run_until_complete = drive

    def reset(self):
        """As before the first task."""
        self.in_flight.clear()
        self._ready.clear()
        self._scheduled.clear()
        self._timer_cancelled_count = self._turns = 0

    def _run_once(self):
        ready = self._ready
        self._drop_cancelled_timers()
        if not ready:
            self._wait()
        elif self.in_flight:
            self._turns += 1
            if self._turns % TURNS_BETWEEN_POLLS == 0:
                self.deliver(host.wait_any(0))
        if self._scheduled:
            self._fire_timers()
        for _ in range(len(ready)):
            if not ready:  # A nested drive has run the rest.
                break
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def _wait(self):
        if self._scheduled:
            timeout_ms = max(0, math.ceil((self._scheduled[0]._when - self.time()) * 1000))
        elif self.in_flight:
            timeout_ms = None
        else:
            raise Deadlock("the program waits for something that can never happen").with_hint(
                "nothing is in flight and no timer runs: look for a Future, Event, Queue or Lock that nobody sets"
            )
        streams.flush()
        self.deliver(host.wait_any(timeout_ms))

    def _fire_timers(self):
        now = self.time() + self._clock_resolution
        while self._scheduled and self._scheduled[0]._when <= now:
            timer = heapq.heappop(self._scheduled)
            timer._scheduled = False
            self._ready.append(timer)

    def _drop_cancelled_timers(self):
        timers = self._scheduled
        while timers and timers[0]._cancelled:
            self._timer_cancelled_count -= 1
            heapq.heappop(timers)._scheduled = False
        if self._timer_cancelled_count > 100 and self._timer_cancelled_count * 2 > len(timers):
            for timer in timers:
                timer._scheduled = not timer._cancelled
            self._scheduled = [timer for timer in timers if timer._scheduled]
            heapq.heapify(self._scheduled)
            self._timer_cancelled_count = 0

    def create_task(self, coro, **options):
        """Like asyncio's, but takes every awaitable: a tool call is one and not a coroutine."""
        if not asyncio.iscoroutine(coro) and isinstance(coro, Awaitable):
            coro = _wait_for(coro)
        return super().create_task(coro, **options)

    def run_in_executor(self, executor, func, *args):
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def call_exception_handler(self, context):
        task, error = context.get("future"), context.get("exception")
        if isinstance(task, asyncio.Task) and error is not None:
            streams.note(f"a task failed and nobody awaited it: {type(error).__name__}: {error}")

    def is_running(self):
        return events._get_running_loop() is self

    def close(self):
        """Nothing to close: the loop lives as long as the program."""

    def _write_to_self(self):
        """Nobody waits in another thread."""


async def _wait_for(awaitable):
    return await awaitable


def _run(main, *, debug=None, loop_factory=None):
    """`asyncio.run`, also where the program already runs in a loop."""
    if not isinstance(main, Awaitable):
        raise ValueError(f"asyncio.run() takes a coroutine, not {main!r}: write asyncio.run(main())")
    return LOOP.drive(main)


LOOP = Loop()


def install():
    """Makes the loop the only one there is. The hooks close asynchronous generators that a program leaves early."""
    events.set_event_loop(LOOP)
    for module in (asyncio, events):
        module.new_event_loop = lambda: LOOP
        module.get_event_loop = lambda: LOOP
    asyncio.run = asyncio.runners.run = _run
    sys.set_asyncgen_hooks(firstiter=LOOP._asyncgen_firstiter_hook, finalizer=LOOP._asyncgen_finalizer_hook)
