"""Imported once, while the snapshot is made: none of these costs a program anything."""

# ruff: noqa: F401
import ast, asyncio, base64, bisect, calendar, collections, contextlib, contextvars, copy, csv, dataclasses, datetime
import decimal, difflib, enum, fractions, functools, gc, hashlib, heapq, hmac, html, html.parser, inspect, io, itertools
import json, linecache, locale, logging, math, operator, os, pathlib, pprint, queue, random, re, secrets, shlex, statistics
import string, struct, textwrap, threading, time, tomllib, traceback, types, typing, unicodedata, urllib.parse, uuid
import warnings, weakref, xml.etree.ElementTree, zlib, zoneinfo
import collections.abc, concurrent.futures, concurrent.futures.thread, email.utils, fnmatch, glob, keyword, numbers
import reprlib, socket, sqlite3, subprocess, tokenize, urllib.error, urllib.request


def warm():
    """Fills the caches that first uses would fill: regular expressions, codecs, parsers, time formats."""
    datetime.datetime.fromisoformat("2020-02-03T04:05:06+00:00").strftime("%Y-%m-%d")
    datetime.datetime.strptime("2020-02-03", "%Y-%m-%d")
    decimal.getcontext()
    json.loads(json.dumps({"a": [1, 2.5, None, True, "é"]}))
    "é".encode().decode("utf-8", "replace")
    "é".encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    "{:>4}".format(f"{1.5:.2f}")
    list(csv.DictReader(io.StringIO("a,b\n1,2")))
    collections.namedtuple("_Warm", "a b")(1, 2)
    dataclasses.make_dataclass("_Warm", ["a"])
    textwrap.dedent("  a")
    urllib.parse.urlsplit("http://a/b?c=d")
    zoneinfo.ZoneInfo("UTC")
