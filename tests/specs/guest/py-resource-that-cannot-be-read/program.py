from servers import files

try:
    await files.resources.read("none")
except ToolError as error:
    print(error)
await files.resources.read("odd")
