import sys

print("a", "b", sep="-", end="!\n")
print("ü" * 3)
print("problem", file=sys.stderr)
sys.stdout.write("x")
