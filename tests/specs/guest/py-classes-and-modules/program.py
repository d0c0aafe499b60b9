import dataclasses, pickle, typing

@dataclasses.dataclass(order=True)
class Item:
    name: str
    price: float = 0.0

class Base:
    def who(self):
        return type(self).__name__

class Derived(Base):
    pass

[typing.get_type_hints(Item)["name"].__name__, pickle.loads(pickle.dumps(Item("a", 1.0))).name, Derived().who(), __name__]
