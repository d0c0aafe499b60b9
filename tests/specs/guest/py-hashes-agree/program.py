# Equal values have equal hashes, wherever they come from.
import array, builtins, csv, datetime, email.message, enum, io, json, re, sys


class Text(str):
    pass


class Color(enum.Enum):
    RED = "red"
    TEAL = "teal of no library"


def built(text):
    return "".join(list(text))


new, old = "a text of no library", "len"
header = email.message.Message()
header["Content-Type"] = "text/plain"

checks = {
    "built": [hash(built(t)) == hash(t) for t in (new, old, "größe", "日本", "🂡", "")],
    "bytes": [hash(bytearray(t.encode()).decode()) == hash(t.encode()) for t in (new, old)],
    "views": [hash(memoryview(t.encode())) == hash(t.encode()) for t in (new, old)],
    "arrays": [hash(memoryview(array.array("B", t.encode()).tobytes())) == hash(t.encode()) for t in (new, old)],
    "subclasses": [hash(Text(t)) == hash(t) for t in (new, old)],
    "tuples": [hash((built(t), 1)) == hash((t, 1)) for t in (new, old)],
    "sets": [frozenset([built(new), old]) == frozenset([built(old), new])],
    "times": [hash(datetime.datetime.fromisoformat(built("1999-02-03T04:05:06"))) == hash(datetime.datetime(1999, 2, 3, 4, 5, 6))],
    "attributes": [getattr(json, built("dumps")) is json.dumps, getattr(re, built("IGNORECASE")) is re.IGNORECASE],
    "names": [builtins.__dict__[built("len")] is len, sys.modules[built("json")] is json],
    "enums": [Color(built("red")) is Color.RED, Color[built("TEAL")] is Color.TEAL, Color(built("teal of no library")) is Color.TEAL],
    "flags": [re.compile(built("(?i)A")).flags == re.compile("(?i)A").flags, re.RegexFlag[built("I")] is re.I],
    "json": [json.loads(built('{"a text of no library": 1, "len": 2}')) == {new: 1, old: 2}],
    "csv": [next(csv.DictReader(io.StringIO(built(f"{new},{old}\n1,2"))))[new] == "1"],
    "email": [header[built("content-type")] == "text/plain"],
    "interned": [sys.intern(built(new)) is sys.intern(built(new)), sys.intern(built(old)) is sys.intern(old)],
    "keywords": [(lambda **named: named[built(new)])(**{new: True}), (lambda len: len)(**{built("len"): True})],
    "xml": [__import__(built("xml.etree.ElementTree")).etree.ElementTree.fromstring("<a b='c'/>").get(built("b")) == "c"],
}

[name for name, held in checks.items() if not all(held)]
