"""The whole usable standard library inside the snapshot.

A snapshot has no file system, so what is not in memory when it is taken does not exist for a program. `stow` reads every
module once, at build time, and keeps its compressed code; `Shelf` hands it out on import. Modules that nearly every
program wants are imported by `preload` instead and cost a program nothing.

Left out: tests, editors, user interfaces and whatever needs a C module that WebAssembly lacks.
"""

import importlib.abc
import importlib.machinery
import io
import marshal
import os
import sys
import zlib

UNUSABLE = frozenset({
    "__phello__", "_pyrepl", "curses", "dbm", "ensurepip", "idlelib", "lib2to3", "multiprocessing", "pydoc_data", "site-packages",
    "test", "tkinter", "turtle", "turtledemo", "unittest", "venv",
})

_codes: dict[str, tuple[bool, bytes]] = {}  # module name -> is it a package, its compressed code
_zones: dict[str, bytes] = {}  # time zone -> its compressed TZif file


class Shelf(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports modules from memory."""

    def find_spec(self, name, path=None, target=None):
        entry = _codes.get(name)
        if entry is None:
            return None
        return importlib.machinery.ModuleSpec(name, self, origin="sandbox", is_package=entry[0])

    def get_code(self, name):
        return marshal.loads(zlib.decompress(_codes[name][1]))

    def get_source(self, name):
        return None

    def is_package(self, name):
        return _codes[name][0]


def names():
    """Every module a program can import, imported or not."""
    return _codes.keys() | sys.modules.keys()


def stow():
    """Takes over the standard library and the time zones. Only works while the snapshot is being made."""
    for root in [p for p in sys.path if os.path.isdir(p)]:
        zones = os.path.join(root, "tzdata", "zoneinfo")
        if os.path.isdir(zones):
            _stow_zones(zones)
        elif os.path.isfile(os.path.join(root, "argparse.py")):
            _stow_modules(root)
    # Before the finder of files, which finds nothing any more once the snapshot runs.
    sys.meta_path.insert(sys.meta_path.index(importlib.machinery.PathFinder), Shelf())

    import zoneinfo._common
    zoneinfo._common.load_tzdata = _load_zone
    zoneinfo._tzpath.available_timezones = zoneinfo.available_timezones = lambda: set(_zones)


def _stow_modules(root):
    for folder, folders, files in os.walk(root):
        parts = os.path.relpath(folder, root).split(os.sep)
        parts = [] if parts == ["."] else parts
        folders[:] = [f for f in folders if f.isidentifier() and f != "__pycache__" and f not in UNUSABLE and f != "test"]
        for file in files:
            stem, ending = os.path.splitext(file)
            name = ".".join(parts + ([] if stem == "__init__" else [stem]))
            if ending == ".py" and name and stem not in UNUSABLE:
                with open(os.path.join(folder, file), "rb") as source:
                    # Documentation strings are dropped, save where the module reads them.
                    level = 1 if name == "dataclasses" else 2
                    code = compile(source.read(), f"<{name}>", "exec", dont_inherit=True, optimize=level)
                _codes[name] = (stem == "__init__", zlib.compress(marshal.dumps(code), 9))


def _stow_zones(root):
    for folder, _, files in os.walk(root):
        for file in files:
            with open(os.path.join(folder, file), "rb") as source:
                data = source.read()
            if data.startswith(b"TZif"):
                key = os.path.relpath(os.path.join(folder, file), root).replace(os.sep, "/")
                _zones[key] = zlib.compress(data, 9)


def _load_zone(key):
    try:
        return io.BytesIO(zlib.decompress(_zones[key]))
    except KeyError:
        from zoneinfo import ZoneInfoNotFoundError
        raise ZoneInfoNotFoundError(f"no time zone is called {key!r}") from None
