# Every key of every dict and set that is there when a run starts is found, also by a text that the run has built itself.
import gc

gc.unfreeze()


def rebuilt(key):
    return bytes(list(key)) if type(key) is bytes else "".join(list(key))


tables, keys, lost = {}, 0, []
for above in gc.get_objects():
    for table in (above, *gc.get_referents(above)):
        if isinstance(table, (dict, set, frozenset)):
            tables[id(table)] = table
for table in tables.values():
    for key in list(table):
        keys += 1
        if key not in table:
            lost.append(repr(key)[:80])
        if type(key) in (str, bytes):
            again = rebuilt(key)
            if hash(again) != hash(key) or again not in table:
                lost.append(repr(key)[:80])

[len(tables) > 3_000, keys > 50_000, lost[:20]]
