class Foo:
    pass

{"a": [1, {"b": Foo()}]}
