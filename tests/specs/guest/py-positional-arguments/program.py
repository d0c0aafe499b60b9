from servers import files

await files.read_text_file("a")
