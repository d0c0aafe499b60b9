with open("/etc/passwd") as file:
    file.read()
