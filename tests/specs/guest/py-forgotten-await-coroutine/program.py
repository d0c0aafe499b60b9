async def load():
    return {"a": 1}

load()["a"]
