float("inf")
