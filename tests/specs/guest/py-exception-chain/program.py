try:
    {}["a"]
except KeyError as error:
    raise ValueError("no a") from error
