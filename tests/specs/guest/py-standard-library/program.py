import base64, calendar, collections, csv, datetime, decimal, difflib, functools, gzip, hashlib, html, io, itertools, json
import math, random, re, sqlite3, statistics, string, struct, textwrap, tomllib, typing, unicodedata, urllib.parse, uuid
import argparse, configparser, email.message, fileinput, graphlib, http.cookies, ipaddress, mimetypes, optparse, plistlib
import sched, shelve, tarfile, timeit, zipfile, xml.dom.minidom, zoneinfo

db = sqlite3.connect(":memory:")
db.execute("create table t (n)")
db.executemany("insert into t values (?)", [(1,), (2,)])
[
    re.sub(r"\d+", "#", "a1b22"),
    statistics.mean([1, 2, 3]),
    hashlib.sha256(b"").hexdigest()[:8],
    list(csv.reader(io.StringIO("a,b\n1,2"))),
    db.execute("select sum(n) from t").fetchone()[0],
    datetime.datetime(2024, 7, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")).utcoffset().total_seconds(),
    tomllib.loads("a = 1")["a"],
    str(ipaddress.ip_address("10.0.0.1")),
    json.loads('{"a": [1]}')["a"],
]
