a = {}
a["self"] = [a]
a
