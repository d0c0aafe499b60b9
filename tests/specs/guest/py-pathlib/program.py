import pathlib

pathlib.Path("a.txt").read_text()
