"""`print` without a host call each: after the first lines, text is gathered and handed over in large pieces.

The first lines go out at once, so that a program which is stopped in mid-work has said what it said. The gathering of
what follows is done by `io.TextIOWrapper`, in C; only a full buffer, a wait or the end of the program reaches the host.
"""

import io
import sys

from wit_world.imports import host


PROMPT_LINES = 200


class _Sink(io.BufferedIOBase):
    def __init__(self, to):
        self._to = to
        self.text = io.TextIOWrapper(self, encoding="utf-8", errors="replace", newline="\n")
        self.reset()

    def reset(self):
        self._prompt = PROMPT_LINES
        self.text.reconfigure(line_buffering=True)

    def writable(self):
        return True

    def write(self, data):
        host.print(self._to, bytes(data).decode("utf-8", "replace"))
        self._prompt -= 1
        if self._prompt == 0:
            self.text.reconfigure(line_buffering=False)
        return len(data)


class _NoInput(io.TextIOBase):
    def readable(self):
        return True

    def read(self, size=-1):
        return ""

    readline = read


_sinks = _Sink(host.Output.STDOUT), _Sink(host.Output.STDERR)
_out, _err = (sink.text for sink in _sinks)


def reset():
    """The first lines are those of the next program."""
    for sink in _sinks:
        sink.reset()


def install():
    """Puts the streams where the language looks for them."""
    sys.stdout = sys.__stdout__ = _out
    sys.stderr = sys.__stderr__ = _err
    sys.stdin = sys.__stdin__ = _NoInput()


def flush():
    """Hands over what was printed, also where the program has put other streams in place."""
    for stream in (_out, _err):
        try:
            stream.flush()
        except ValueError:  # The program has closed it.
            pass


def note(line):
    """One line of the sandbox itself, on stderr."""
    try:
        _err.write(f"{line}\n")
    except ValueError:
        pass
