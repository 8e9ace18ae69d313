"""The SandboxFusion protocol's `/run_code` in both directions: requests and answers as values, and what they mean.

Left out: HTTP (`remote`, `server`). Fields that only our own server sends stand in the answer's `r1ci` object, so
that other clients, which ignore it, are served all the same.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass, fields
from typing import Any

from r1ci_plugin.interpreter.executor import ExecResult, Status

LANGUAGE = "python"
_MOST = 1_000_000
"""The largest number that a request may hold, in seconds or megabytes."""
_PIPE_HANG_CHARS = 60_000
"""The original server stops reading a program that prints more than about this much, and then reports a time-out."""


class BadRequest(ValueError):
    """A request that the protocol does not allow; the message names the field."""


class InfrastructureFault(RuntimeError):
    """An answer that says nothing about the code."""


@dataclass(frozen=True, slots=True)
class Request:
    """One `/run_code` request."""

    code: str
    timeout: float = 10.0
    memory_mb: int = 512
    stdin: str | None = None

    @classmethod
    def parse(cls, body: Any) -> Request:
        """Raises BadRequest."""
        if not isinstance(body, dict):
            raise BadRequest("the body must be a JSON object")
        if not isinstance(body.get("code"), str):
            raise BadRequest("code: a string is required")
        if body.get("language") != LANGUAGE:
            raise BadRequest(f"language: this server runs {LANGUAGE!r} only")
        for name in ("files", "fetch_files"):
            if body.get(name):
                raise BadRequest(f"{name}: this server takes no files")
        stdin = body.get("stdin")
        if stdin is not None and not isinstance(stdin, str):
            raise BadRequest("stdin: a string or null")
        timeout = _number(body, "run_timeout", 10.0)
        memory = int(_number(body, "memory_limit_MB", -1, may_be_negative=True))
        return cls(body["code"], timeout, memory if memory > 0 else 512, stdin)

    def body(self) -> dict[str, Any]:
        """The request for any server. A lone surrogate would be a server error there: it is replaced."""
        code = self.code.encode("utf-8", "replace").decode("utf-8")
        return {
            "code": code,
            "language": LANGUAGE,
            "run_timeout": self.timeout,
            "memory_limit_MB": self.memory_mb,
            "stdin": self.stdin,
        }


def _number(body: dict[str, Any], name: str, default: float, *, may_be_negative: bool = False) -> float:
    value = body.get(name)
    if value is None:
        return default
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # Compared before it is converted: an integer may be too large for a float. NaN is in no range.
    if not is_number or not 0 < abs(value) <= _MOST or (value < 0 and not may_be_negative):
        raise BadRequest(f"{name}: a number above 0")
    return float(value)


def answer_for(result: ExecResult) -> dict[str, Any]:
    """The body that answers a request whose code gave this result."""
    if result.status in ("sandbox_error", "rejected"):
        return _frame("SandboxError" if result.status == "sandbox_error" else "Failed", result.reason, None, result)
    finished = "TimeLimitExceeded" if result.status == "timeout" else "Finished"
    run_result = {
        "status": finished,
        "execution_time": result.run_s,
        "return_code": None if finished != "Finished" else _return_code(result),
        "stdout": result.stdout,
        "stderr": result.stderr,
    }
    return _frame("Success" if result.status == "ok" else "Failed", "", run_result, result)


def answer_for_cell(result: ExecResult) -> dict[str, Any]:
    """What `/run_jupyter` says of one cell: its streams, and its error as Jupyter would name it. Nothing is displayed:
    what a cell prints is all it shows."""
    errors = []
    if result.status not in ("ok", "sandbox_error"):
        last_line = (result.reason or result.stderr).rstrip().rpartition("\n")[2]
        name, _, value = last_line.partition(": ")
        name = name if result.status == "error" and name.isidentifier() else result.status
        errors.append({"ename": name, "evalue": value, "traceback": result.stderr.splitlines()})
    return {"stdout": result.stdout, "stderr": result.stderr, "display": [], "error": errors}


def _return_code(result: ExecResult) -> int:
    if result.exit_code is not None:
        return result.exit_code
    return -(result.signal or signal.SIGKILL)


def _frame(status: str, message: str, run_result: dict[str, Any] | None, result: ExecResult) -> dict[str, Any]:
    ours = {key: value for key, value in result.to_dict().items() if key not in ("stdout", "stderr", "endpoint")}
    return {
        "status": status,
        "message": message,
        "compile_result": None,
        "run_result": run_result,
        "executor_pod_name": None,
        "files": {},
        "r1ci": ours,
    }


def result_from(body: Any) -> ExecResult:
    """What an answer means, from our own server or from another. Raises InfrastructureFault."""
    if not isinstance(body, dict) or "status" not in body:
        raise InfrastructureFault("the answer is not one of /run_code")
    ours = body.get("r1ci")
    run_result = body.get("run_result")
    if isinstance(ours, dict) and ours.get("status") == "rejected":
        return ExecResult("rejected", backend="remote", reason=str(body.get("message")))
    if body["status"] == "SandboxError" or not isinstance(run_result, dict):
        raise InfrastructureFault(str(body.get("message") or body["status"]))
    stdout, stderr = str(run_result.get("stdout") or ""), str(run_result.get("stderr") or "")
    if isinstance(ours, dict):
        known = {field.name for field in fields(ExecResult)}
        facts = {key: value for key, value in ours.items() if key in known}
        return ExecResult(**{**facts, "stdout": stdout, "stderr": stderr, "backend": "remote"})
    code = run_result.get("return_code")
    return ExecResult(
        _status(run_result.get("status"), code, stdout, stderr),
        stdout,
        stderr,
        exit_code=code if isinstance(code, int) and code >= 0 else None,
        signal=-code if isinstance(code, int) and code < 0 else None,
        stdout_bytes=len(stdout.encode("utf-8", "replace")),
        stderr_bytes=len(stderr.encode("utf-8", "replace")),
        run_s=float(run_result.get("execution_time") or 0.0),
        isolation="unknown",
        backend="remote",
    )


def _status(status: Any, code: Any, stdout: str, stderr: str) -> Status:
    if status == "TimeLimitExceeded":
        return "output_limit" if len(stdout) > _PIPE_HANG_CHARS else "timeout"
    if status not in ("Finished", "Error") or not isinstance(code, int):
        raise InfrastructureFault(f"the answer's run status is {status!r}, its return code {code!r}")
    if code == 0 and status == "Finished":
        return "ok"
    if stderr.rstrip().rpartition("\n")[2].startswith("MemoryError"):
        return "memory"
    return "killed" if code < 0 else "error"
