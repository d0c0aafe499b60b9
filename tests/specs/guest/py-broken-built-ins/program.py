import builtins

del builtins.len
len("a")
