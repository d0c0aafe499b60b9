"""The errors that the sandbox itself raises. Each says what is wrong, and knows how to mend it."""


class Told:
    """Mixed into an exception: `kind` is one of `model::ErrorKind`, `hint` says what to do."""

    kind = "exception"
    hint = None

    def with_hint(self, hint):
        self.hint = hint
        return self


class ToolError(Told, Exception):
    """A tool call that failed, with `.server`, `.tool`, `.message` and `.kind`."""

    kind = "tool"

    def __init__(self, message="", server="", tool="", kind="tool", hint=None):
        super().__init__(message)
        self.message, self.server, self.tool, self.kind, self.hint = message, server, tool, kind, hint

    def __str__(self):
        place = f"{self.server}.{self.tool}".strip(".")
        return f"{place}: {self.message}" if place else self.message


ToolError.__module__ = "tta"


class ForgottenAwait(Told, TypeError):
    kind = "forgotten_await"


class NotJson(Told, TypeError):
    """A value that has no JSON; `kind` tells a result from an argument."""

    kind = "result"


class BadArguments(Told, TypeError):
    kind = "arguments"


class Deadlock(Told, RuntimeError):
    kind = "deadlock"


class UnknownServer(Told, ModuleNotFoundError):
    kind = "unknown_tool"


class UnknownTool(Told, AttributeError):
    kind = "unknown_tool"


class UnknownToolImport(Told, ImportError):
    kind = "unknown_tool"


class ServerFailed(Told, ImportError):
    """The server is configured but cannot be used now; `kind` is the host's."""


class Unavailable(Told, OSError):
    """A part of the language that does not exist in the sandbox."""

    kind = "import"


class NoThreads(Told, RuntimeError):
    kind = "import"
