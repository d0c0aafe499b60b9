import math
{"mean": [1.0, math.nan]}
