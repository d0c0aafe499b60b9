from servers import files

files.read_text_file(path="a").splitlines()
