result = {"a": [1, 2.5, None, True, "é"]}
print("done")
