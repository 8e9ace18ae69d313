"""Runs one snippet as `__main__` in the process that is about to end, and prints its traceback without the harness.

Left out: every limit and protection; they are in place before this module touches the code.
"""

from __future__ import annotations

import io
import linecache
import os
import sys
import threading
import traceback
import types

NAME = "<code>"
"""The file name that the snippet's own frames carry."""


def open_stdio() -> None:
    """Bind sys.stdin/out/err to the descriptors 0, 1, 2: UTF-8, unbuffered, and nothing is unencodable."""
    for name, fd in (("stdout", 1), ("stderr", 2)):
        raw = open(fd, "wb", 0, closefd=False)  # noqa: SIM115  (lives as long as the process)
        stream = io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", write_through=True)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    stdin = open(0, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    sys.stdin = sys.__stdin__ = stdin  # type: ignore[misc]


def run(code: bytes) -> int:
    """Run the snippet and return its exit code. Never raises; sys.exit, exceptions and threads end as in a script."""
    main = types.ModuleType("__main__")
    main.__dict__["__builtins__"] = sys.modules["builtins"]
    sys.modules["__main__"] = main
    status = 0
    try:
        exec(_compile(code), main.__dict__)
    except SystemExit as stop:
        status = _exit_code(stop)
    except BaseException as error:
        status = 1
        _print_error(error)
    try:
        threading._shutdown()  # type: ignore[attr-defined]  # waits for the snippet's non-daemon threads, as a script does
    except BaseException:
        status = status or 1
    return status & 255


def _compile(code: bytes) -> types.CodeType:
    text = code.decode("utf-8", "surrogatepass")
    linecache.cache[NAME] = (len(text), None, text.splitlines(keepends=True), NAME)
    return compile(code, NAME, "exec", dont_inherit=True)


def _exit_code(stop: SystemExit) -> int:
    if stop.code is None:
        return 0
    if isinstance(stop.code, int):
        return stop.code
    try:
        os.write(2, f"{stop.code}\n".encode("utf-8", "backslashreplace"))
    except BaseException:
        return 1
    return 1


def _print_error(error: BaseException) -> None:
    """Print the error with the snippet's own frames only: all others name paths of the host."""
    try:
        summary = traceback.TracebackException.from_exception(error)
        _keep_own_frames(summary, depth=0)
        sys.stderr.write("".join(summary.format()))
    except BaseException:
        # No memory left, or an exception whose text can't be made: say the kind at least.
        os.write(2, (type(error).__name__ + "\n").encode("utf-8", "backslashreplace"))


def _keep_own_frames(summary: traceback.TracebackException, depth: int) -> None:
    own = [frame for frame in summary.stack if frame.filename == NAME]
    summary.stack = traceback.StackSummary.from_list(own)
    if depth > 20:
        return
    links = [summary.__cause__, summary.__context__, *(getattr(summary, "exceptions", None) or [])]
    for linked in links:
        if linked is not None:
            _keep_own_frames(linked, depth + 1)
