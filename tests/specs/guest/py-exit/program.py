import sys

result = 3
sys.exit()
