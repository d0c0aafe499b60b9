import collections, dataclasses, datetime, decimal, enum, fractions, pathlib, uuid

@dataclasses.dataclass
class Point:
    x: int
    when: datetime.date

class Colour(enum.Enum):
    RED = "red"

{
    "tuple": (1, 2),
    "set": {3, 1, 2},
    "mixed": len(set(["a", 1])),
    "datetime": datetime.datetime(2020, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc),
    "time": datetime.time(1, 2),
    "delta": datetime.timedelta(minutes=1),
    "decimal": decimal.Decimal("1.10"),
    "fraction": fractions.Fraction(1, 3),
    "point": Point(1, datetime.date(2020, 1, 2)),
    "enum": Colour.RED,
    "path": pathlib.PurePosixPath("a/b"),
    "uuid": uuid.UUID(int=1),
    "deque": collections.deque([1]),
    "range": range(3),
    "keys": {"a": 1}.keys(),
    "counter": collections.Counter("aab"),
    "error": ValueError("bad"),
    1: "int key", None: "none key", True: "bool key", 1.5: "float key",
}
