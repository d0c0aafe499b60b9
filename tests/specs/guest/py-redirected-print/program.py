import contextlib, io

with contextlib.redirect_stdout(io.StringIO()) as kept:
    print("inside")
print("outside")
kept.getvalue()
