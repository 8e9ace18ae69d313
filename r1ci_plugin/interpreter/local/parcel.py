"""The files in memory of one call (code and perhaps input in; output and errors out), and what becomes of them: an
ExecResult.

They are made by the client and go through the host unread, so partial output survives every kill and nobody else
holds it.
"""

from __future__ import annotations

import fcntl
import os
import signal
from typing import Any

from r1ci_plugin.interpreter.executor import ExecResult, Status
from r1ci_plugin.interpreter.local.host.child import OUTPUT_BYTES

_NO_SPACE = ("OSError: [Errno 28]", "OSError: [Errno 27]")


class Parcel:
    """One call's files; used as a context, they are closed at its end."""

    def __init__(self, source: bytes, stdin: bytes | None = None) -> None:
        self.descriptors: tuple[int, ...] = ()
        try:
            for name in ("code", "out", "err"):
                self.descriptors += (os.memfd_create(name),)
            for output in self.descriptors[1:]:
                # Files in memory lack the lock on the position that other files have: threads would write over another.
                fcntl.fcntl(output, fcntl.F_SETFL, os.O_APPEND)
            os.pwrite(self.descriptors[0], source, 0)
            if stdin is not None:
                self.descriptors += (os.memfd_create("in"),)
                os.pwrite(self.descriptors[-1], stdin, 0)
        except OSError:
            self.__exit__()
            raise

    def __enter__(self) -> Parcel:
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in self.descriptors:
            os.close(descriptor)
        self.descriptors = ()

    def result(self, answer: dict[str, Any], *, level: str, keep_bytes: int) -> ExecResult:
        """Read the output, at most `keep_bytes` of each stream (head and tail), and name what happened."""
        _, out, err = self.descriptors[:3]
        stdout, out_bytes, out_cut = _read(out, keep_bytes)
        stderr, err_bytes, err_cut = _read(err, keep_bytes)
        code = int(answer["exit_code"])
        flooded = max(out_bytes, err_bytes) >= OUTPUT_BYTES
        return ExecResult(
            _status(code, str(answer["ended_by"]), stderr, flooded),
            stdout,
            stderr,
            exit_code=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            stdout_bytes=out_bytes,
            stderr_bytes=err_bytes,
            stdout_truncated=out_cut,
            stderr_truncated=err_cut,
            queue_s=float(answer["queue_s"]),
            run_s=float(answer["run_s"]),
            cpu_s=float(answer["cpu_s"]),
            max_rss_mb=float(answer["max_rss_mb"]),
            isolation=level,
            template=str(answer["template"]),
        )


def _read(descriptor: int, keep: int) -> tuple[str, int, bool]:
    """(text, bytes written, whether some were left out of the text)."""
    size = os.fstat(descriptor).st_size
    if size <= keep:
        return os.pread(descriptor, size, 0).decode("utf-8", "backslashreplace"), size, size >= OUTPUT_BYTES
    half = keep // 2
    head = os.pread(descriptor, half, 0).decode("utf-8", "backslashreplace")
    tail = os.pread(descriptor, half, size - half).decode("utf-8", "backslashreplace")
    return f"{head}\n[... {size - 2 * half} bytes of output left out ...]\n{tail}", size, True


def _status(code: int, ended_by: str, stderr: str, flooded: bool) -> Status:
    if ended_by == "timeout" or code == -signal.SIGXCPU:
        return "timeout"
    if ended_by == "disk":
        return "disk_limit"
    if flooded:
        return "output_limit"
    if code == 0:
        return "ok"
    last_line = stderr.rstrip().rpartition("\n")[2]
    if code > 0 and (last_line.startswith("MemoryError") or "._ArrayMemoryError: " in last_line):
        return "memory"
    if code > 0 and last_line.startswith(_NO_SPACE):
        return "disk_limit"
    return "error" if code > 0 else "killed"
