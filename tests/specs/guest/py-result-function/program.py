[len]
