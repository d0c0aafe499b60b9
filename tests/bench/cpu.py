# The same text runs in the sandbox and in python3: milliseconds by kind of work.
import hashlib
import json
import random
import re
import time


def timed(work):
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return round(best * 1e3, 2)


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def loop():
    total = 0
    for i in range(1_000_000):
        total += i
    return total


source = random.Random(7)
numbers = [source.random() for _ in range(200_000)]
document = json.dumps([{"id": i, "name": f"item {i}", "tags": ["a", "b", str(i)]} for i in range(60_000)])
text = "the quick brown fox 1234 jumps over 5678 lazy dogs " * 6_000
block = b"x" * (4 << 20)
result = {
    "sort": timed(lambda: sorted(numbers)),
    "json": timed(lambda: json.loads(document)),
    "fib": timed(lambda: fib(22)),
    "regex": timed(lambda: re.findall(r"(\w+) (\d+)", text)),
    "loop": timed(loop),
    "sha256": timed(lambda: hashlib.sha256(block).hexdigest()),
}
result
