"""`print` without a host call each: text is gathered and handed over in large pieces.

The gathering is done by `io.TextIOWrapper`, in C; only a full buffer, a wait or the end of the program reaches the host.
"""

import io
import sys

from wit_world.imports import host


class _Sink(io.BufferedIOBase):
    def __init__(self, to):
        self._to = to

    def writable(self):
        return True

    def write(self, data):
        host.print(self._to, bytes(data).decode("utf-8", "replace"))
        return len(data)


class _NoInput(io.TextIOBase):
    def readable(self):
        return True

    def read(self, size=-1):
        return ""

    readline = read


def _stream(to):
    return io.TextIOWrapper(_Sink(to), encoding="utf-8", errors="replace", newline="\n")


_out, _err = _stream(host.Output.STDOUT), _stream(host.Output.STDERR)


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
