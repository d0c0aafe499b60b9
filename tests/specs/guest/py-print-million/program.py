for n in range(100_000):
    print(n)
