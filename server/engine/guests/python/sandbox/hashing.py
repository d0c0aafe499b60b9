"""Hashes of strings and bytes, fresh in every run; `hashing.c` says how. This side finds what it has to look for."""

from . import _hashing

# What a run draws: the key of its hashes, and the salt of its XML parsers.
KEY_BYTES = 20

arm, begin = _hashing.arm, _hashing.begin


class _Sample(str):
    """Where a subclass keeps its characters."""


# One of each layout, as nothing else holds it.
_SAMPLES = (
    "a sample of ASCII", "a sample of Latin-1: é", "a sample of two bytes: ł", "a sample of four bytes: 🂡",
    b"a sample of bytes", _Sample("a sample of a subclass"), _Sample("a sample of a subclass: ł"),
)


def _with_subclasses(kind):
    yield kind
    for subclass in kind.__subclasses__():
        yield from _with_subclasses(subclass)


def seal():
    """Whatever has a hash by now, or gets one before a run begins, keeps it in all runs."""
    for sample in _SAMPLES:
        hash(sample)
    types = tuple(dict.fromkeys((*_with_subclasses(str), *_with_subclasses(bytes))))
    return _hashing.seal((types, _SAMPLES))
