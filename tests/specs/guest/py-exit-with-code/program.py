import sys

sys.exit("no good")
