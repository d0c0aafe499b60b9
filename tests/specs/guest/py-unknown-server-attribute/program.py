import servers

servers.fils.read_text_file(path="a")
