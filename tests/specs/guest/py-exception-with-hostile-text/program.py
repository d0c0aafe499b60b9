class Evil(Exception):
    def __str__(self):
        raise RuntimeError("no")

raise Evil()
