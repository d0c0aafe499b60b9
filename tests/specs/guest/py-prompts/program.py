from servers import echo, files
import tta

try:
    await echo.prompts.list()
except ToolError as error:
    print(error.kind)
whole = await tta.call("files", "prompts/get", {"name": "p", "arguments": {"name": "x", "n": 1}})
[await tta.call("files", "prompts/list"), whole["messages"], await files.prompts(), repr(echo.prompts)]
