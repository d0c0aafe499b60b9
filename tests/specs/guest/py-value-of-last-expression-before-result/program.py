result = 1
result + 1
