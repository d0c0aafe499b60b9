import warnings

warnings.warn("careful")
1
