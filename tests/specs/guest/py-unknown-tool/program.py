from servers import files

await files.read_file(path="a")
