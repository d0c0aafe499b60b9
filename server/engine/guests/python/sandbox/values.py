"""Python values as JSON text, and the path to the first one that has none.

Beyond what `json` does: sets become lists, sorted where they can be; tuples, ranges, deques and dictionary views become
lists; dates and times ISO 8601; a timedelta its seconds; Decimal, Fraction, UUID and paths their text; an Enum its value;
a data class an object; an exception `{"error": "ValueError: …"}`. Everything else is an error that names its place.
Lone surrogates, which UTF-8 cannot carry, become U+FFFD.
"""

import asyncio
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import inspect
import json
import math
import pathlib
import types
import uuid
from json.encoder import c_make_encoder, encode_basestring

from .told import ForgottenAwait, NotJson

# Twice as many frames are well below the recursion limit.
NESTING_MAX = 200

_LISTS = (collections.deque, range, type({}.keys()), type({}.values()), type({}.items()))
_TEXTS = (decimal.Decimal, fractions.Fraction, uuid.UUID, pathlib.PurePath)
_TIMES = (datetime.datetime, datetime.date, datetime.time)
_NO_VALUE = object()

_decoder = json.JSONDecoder()


def from_json(text):
    """The value of a JSON text."""
    try:
        value, end = _decoder.scan_once(text, 0)
    except StopIteration:  # It starts with white space, or is no JSON.
        return _decoder.decode(text)
    return value if end == len(text) else _decoder.decode(text)


def to_json(value, root="result"):
    """JSON text that UTF-8 can carry. `root` is what error messages call the value."""
    try:
        _above.clear()  # Full where an earlier value failed.
        text = "".join(_encode(value, 0))
    except (TypeError, ValueError, RecursionError) as error:
        raise _explain(value, root, error) from None
    return printable(text)


def printable(text):
    """The same text, with what UTF-8 cannot carry replaced. Surrogate pairs become the character they mean."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _plain(value):
    """What `json` can encode, for a value that it cannot; raises TypeError where there is none."""
    plain = _plain_or_none(value)
    if plain is _NO_VALUE:
        raise TypeError
    return plain


# What `json.JSONEncoder` makes anew for each value: no ASCII, no indentation, no white space, no NaN.
_above = {}
_encode = c_make_encoder(_above, _plain, encode_basestring, None, ":", ",", False, False, False)


def _plain_or_none(value):
    if isinstance(value, (set, frozenset)):
        try:
            return sorted(value)
        except TypeError:
            return list(value)
    if isinstance(value, _LISTS):
        return list(value)
    if isinstance(value, _TIMES):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, _TEXTS):
        return str(value)
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, types.MappingProxyType):
        return dict(value)
    if isinstance(value, BaseException):
        return {"error": f"{type(value).__name__}: {value}"}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return _NO_VALUE


def _explain(value, root, error):
    """The error for a value that has no JSON. Walks it slowly, now that speed does not matter."""
    try:
        _check(value, root, 0, set())
    except (NotJson, ForgottenAwait) as found:
        return found
    except RecursionError:
        pass
    return NotJson(f"{root} is not JSON: {error}")


def _check(value, path, depth, above):
    if value is None or isinstance(value, (bool, str)):
        return
    if isinstance(value, int):
        _check_int(value, path)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise NotJson(f"{path} is {value}, which JSON cannot hold").with_hint("return None or a string instead")
    elif isinstance(value, (dict, list, tuple)):
        _check_container(value, path, depth, above)
    else:
        plain = _plain_or_none(value)
        if plain is _NO_VALUE:
            raise _without_json(value, path)
        _check(plain, path, depth, above)


def _check_int(value, path):
    try:
        str(int(value))
    except ValueError:
        raise NotJson(f"{path} is an integer of more than 4300 digits").with_hint("return it in hexadecimal: hex(n)")


def _check_container(value, path, depth, above):
    if id(value) in above:
        raise NotJson(f"{path} contains itself").with_hint("return plain data without references in a circle")
    if depth >= NESTING_MAX:
        raise NotJson(f"{_shortened(path)} is nested deeper than {NESTING_MAX} levels").with_hint("flatten the value")
    above.add(id(value))
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, (str, int, float, bool, type(None))):
                raise NotJson(f"{path} has a key of type {type(key).__name__}: {key!r:.80}").with_hint(
                    "keys of an object are strings: write {str(key): value for key, value in …}"
                )
            _check(item, f"{path}[{key!r:.40}]", depth + 1, above)
    else:
        for index, item in enumerate(value):
            _check(item, f"{path}[{index}]", depth + 1, above)
    above.discard(id(value))


def _without_json(value, path):
    name = type(value).__name__
    if asyncio.isfuture(value) or inspect.isawaitable(value) or inspect.isasyncgen(value):
        what = getattr(value, "where", None) or f"a {name}"
        return ForgottenAwait(f"{path} is {what} that was not awaited").with_hint(
            "write `async for` or a list comprehension with it" if inspect.isasyncgen(value) else "write `await` before it"
        )
    error = NotJson(f"{path} is a {name}, which has no JSON")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return error.with_hint("decode it: value.decode(), or base64.b64encode(value).decode()")
    if hasattr(value, "__next__"):
        return error.with_hint("make a list of it: list(value)")
    if isinstance(value, types.ModuleType) or callable(value):
        return error.with_hint("return data; was a call meant?")
    return error.with_hint("return dicts, lists, strings, numbers, booleans or None")


def _shortened(path):
    return path if len(path) <= 80 else f"{path[:60]}…"
