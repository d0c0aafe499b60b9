"""Tool calls. A call is on its way as soon as it is made and may be awaited whenever, so that

    a = files.read_text_file(path="a"); b = files.read_text_file(path="b"); print(await a, await b)

reads both at once. A call is an asyncio future, so that `gather` and its kin need no task for it. Used as if it were
its value it says that the `await` is missing.
"""

import asyncio
import sys

from wit_world.imports import host

from . import values
from .loop import LOOP
from .told import BadArguments, ForgottenAwait, NotJson, ToolError

program_name = "program.py"  # Set at the start of a run.

_untouched = {}  # Handle -> the call that nobody has awaited yet.

_Future = asyncio.Future


class Call(_Future):
    """One call of one tool: await it. `made_of` turns what the host answers into the value."""

    __slots__ = ("handle", "label", "line", "made_of")

    def __init__(self, label, server, tool, arguments, line, made_of=None):
        super().__init__(loop=LOOP)
        self.label, self.line, self.made_of = label, line, made_of
        self.handle = host.start_call(server, tool, arguments, line)
        LOOP.in_flight[self.handle] = self
        _untouched[self.handle] = self

    def __await__(self):
        _untouched.pop(self.handle, None)
        return _Future.__await__(self)

    def add_done_callback(self, callback, *, context=None):
        _untouched.pop(self.handle, None)
        return _Future.add_done_callback(self, callback, context=context)

    def cancel(self, msg=None):
        give_up(self)
        _untouched.pop(self.handle, None)
        return _Future.cancel(self, msg)

    async def progress(self):
        """What the server tells while the call is under way: dicts with `progress`, and `total` and `message` or None."""
        seen = 0
        while True:
            over = self.done()
            # The host keeps what was not read yet, so that a question may be given up.
            asked = Call("tta.progress", "tta", "progress/since", f'{{"call":{self.handle},"seen":{seen},"now":{str(over).lower()}}}', 0)
            forget(asked)
            if not over:
                await asyncio.wait((self, asked), return_when=asyncio.FIRST_COMPLETED)
                if not asked.done():
                    asked.cancel()
                    continue
            told = await asked
            seen = told["seen"]
            for update in told["updates"]:
                yield update
            if over:
                return

    @property
    def where(self):
        return f"the call {self.label}(…) of line {self.line}" if self.line else f"the call {self.label}(…)"

    def __repr__(self):
        return f"<{self.where}: not awaited>"

    def _forgotten(self, *_):
        raise ForgottenAwait(f"{self.where} was not awaited").with_hint(f"write `await {self.label}(…)`")

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        self._forgotten()

    def __eq__(self, other):
        return self is other if other is None or asyncio.isfuture(other) else self._forgotten()

    __hash__ = _Future.__hash__
    __bool__ = __str__ = __format__ = __len__ = __iter__ = __getitem__ = __contains__ = _forgotten


def start(label, server, tool, arguments, made_of=None):
    """Starts a call; `arguments` is a dict, `label` is what the program calls the tool."""
    try:
        text = values.to_json(arguments, "arguments")
    except NotJson as error:
        raise BadArguments(f"{label}: {error}").with_hint(error.hint) from None
    return Call(label, server, tool, text, current_line(), made_of)


def current_line():
    """The line of the program that is being executed; 0 outside of it."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename == program_name:
            return frame.f_lineno or 0
        frame = frame.f_back
    return 0


def never_awaited():
    """What to tell about calls whose value nobody asked for, one line each."""
    return [f"{call.where} was never awaited: its result or error is lost" for call in _untouched.values()]


def reset():
    """As before the first call."""
    _untouched.clear()
    LOOP.reset()


def give_up(call):
    """Its answer is not wanted any more."""
    if LOOP.in_flight.pop(call.handle, None) is not None:
        host.cancel_call(call.handle)


def forget(call):
    """For calls that need no await."""
    _untouched.pop(call.handle, None)
    return call


def _deliver(completions):
    for completion in completions:
        call = LOOP.in_flight.pop(completion.handle, None)
        if call is None or call.done():
            continue
        try:
            if completion.ok:
                value = values.from_json(completion.json)
                call.set_result(call.made_of(value) if call.made_of else value)
            else:
                call.set_exception(_tool_error(completion.json))
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            call.set_exception(ToolError(f"its answer cannot be read: {error}", *call.label.split(".", 1)))


def _tool_error(json):
    error = values.from_json(json)
    return ToolError(
        error.get("message", ""), error.get("server", ""), error.get("tool", ""), error.get("kind", "tool"), error.get("hint")
    )


LOOP.deliver = _deliver
