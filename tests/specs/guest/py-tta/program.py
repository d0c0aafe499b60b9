import tta
from tta import ToolError, call

await tta.progress("half way")
[
    tta.inputs,
    tta.servers(),
    await call("echo", "get-sum", {"a": 2, "b": 3}),
    await tta.call("echo", "echo"),
    tta.ToolError is ToolError,
]
