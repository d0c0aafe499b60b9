import files from "servers/files";

await files.read_text_file("a");
