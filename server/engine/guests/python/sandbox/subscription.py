"""A subscription to a resource: an asynchronous iterator over its changes.

It begins where it is made, as calls do, and ends when the program lets go of it: `async for` does when it is left, unless a
variable holds it as well. Awaited, it is there once the server has agreed, so that nothing is missed from then on.
"""

import asyncio

from . import calls
from .told import ForgottenAwait


class Subscription:
    """Changes as dicts with `uri`, and `times`: how often it changed since the last one was taken."""

    __slots__ = ("_call", "_seen", "_updates")

    def __init__(self, call):
        self._call, self._seen, self._updates = call, 0, []

    def __aiter__(self):
        calls.forget(self._call)
        return self

    async def __anext__(self):
        while not self._updates:
            if self._call.cancelled():
                raise StopAsyncIteration
            await self._look()
        return self._updates.pop(0)

    def __await__(self):
        calls.forget(self._call)
        return self._standing().__await__()

    async def aclose(self):
        """Ends it."""
        self._call.cancel()

    def __del__(self):
        # What nobody ever awaited is still told of at the end.
        if self._call.handle in calls._untouched:
            calls.give_up(self._call)
        else:
            self._call.cancel()

    async def _standing(self):
        while not self._seen:
            await self._look()
        return self

    async def _look(self):
        call = calls.forget(self._call)
        over = call.done()
        # The host keeps what was not read yet, so that a question may be given up.
        asked = calls.Call(
            "tta.updates", "tta", "updates/since", f'{{"call":{call.handle},"seen":{self._seen},"now":{str(over).lower()}}}', 0
        )
        calls.forget(asked)
        try:
            if over:
                await asked
            else:
                await asyncio.wait((call, asked), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not asked.done():
                asked.cancel()
        if asked.cancelled():
            return
        told = asked.result()
        self._seen = told["seen"]
        self._updates += told["updates"]
        if over and not told["updates"]:
            await call  # Why it is over.

    @property
    def where(self):
        return self._call.where

    def __repr__(self):
        return f"<{self.where}>"

    def __iter__(self):
        raise ForgottenAwait(f"{self.where} gives its updates one by one, as they come").with_hint(
            f"write `async for update in {self._call.label}(uri):`"
        )
