"""What a hostile case is, and the words to judge its result with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from r1ci_plugin.interpreter.executor import ExecResult

Holds = Callable[[ExecResult], bool]

CANARY = "/tmp/canary/secret.txt"
SECRET = "GROUND-TRUTH-12345"
KEY = "key-of-the-trainer-777"


@dataclass(frozen=True)
class Case:
    """A snippet that tries to do harm, and what must be true of its result. Besides, the next call has to work and
    nobody may survive."""

    name: str
    code: str
    holds: Holds
    timeout: float = 0.6
    memory_mb: int = 512
    beside: str = ""
    """Another call that runs at the same moment, and has to end well."""


def never(*words: str) -> Holds:
    """None of the words came out."""
    return lambda r: not any(word in r.stdout + r.stderr for word in words)


def prints(text: str) -> Holds:
    return lambda r: r.status == "ok" and r.stdout.strip() == text


def stops(*statuses: str) -> Holds:
    return lambda r: r.status in statuses


def ended(r: ExecResult) -> bool:
    """It did not end well, in whichever way."""
    return r.status not in ("ok", "sandbox_error", "rejected")


def harmless(r: ExecResult) -> bool:
    """Whatever it did, the executor answered as usual."""
    return r.status != "sandbox_error"


def attempts(*actions: str, setup: str = "") -> str:
    """Code that tries each action and prints DID for each that works."""
    lines = [setup]
    for action in actions:
        lines += [
            "try:",
            f"    {action}",
            f"    print('DID', {action!r})",
            "except BaseException as e:",
            "    print('no', type(e).__name__)",
        ]
    return "\n".join(lines)


def refused(name: str, *actions: str, setup: str = "", timeout: float = 0.6) -> Case:
    """A case in which every action has to fail."""
    return Case(name, attempts(*actions, setup=setup), never("DID"), timeout)


def calls(name: str, *expressions: str) -> Case:
    """A case of C calls, each of which has to give -1. `c` is the C library, `call` its syscall by name for both
    architectures."""
    code = "import ctypes, os, platform\nc = ctypes.CDLL(None, use_errno=True)\nb = ctypes.create_string_buffer(512)\n"
    code += (
        "arm = platform.machine() == 'aarch64'\ndef call(x86, arm64, *a): return c.syscall(arm64 if arm else x86, *a)\n"
    )
    code += "\n".join(f"print({expression})" for expression in expressions)
    return Case(name, code, lambda r: r.status == "ok" and r.stdout.split() == ["-1"] * len(expressions))


def barred(name: str, *what: str) -> Case:
    """A case of system calls, "NAME NUMBER (ARGUMENTS)" with two numbers where the architectures differ
    ("NAME X86/ARM (...)"), each of which has to be answered with "not permitted" or "no such call": other answers would
    mean that only the arguments were wrong. `b` is a buffer."""
    code = "import ctypes, os, platform\nc = ctypes.CDLL(None, use_errno=True)\nb = ctypes.create_string_buffer(512)\n"
    code += "arm = platform.machine() == 'aarch64'\nopen_ones = []\ndef call(name, numbers, arguments):\n"
    code += " ctypes.set_errno(0)\n r = c.syscall(numbers[-1] if arm else numbers[0], *arguments)\n"
    code += " if r != -1 or ctypes.get_errno() not in (1, 38): open_ones.append((name, r, ctypes.get_errno()))\n"
    for entry in what:
        call, numbers, arguments = entry.split(" ", 2)
        inside = arguments.strip("()") if arguments == "()" else arguments[1:-1] + ","
        code += f"call({call!r}, {[int(number) for number in numbers.split('/')]}, ({inside}))\n"
    return Case(name, code + "print(open_ones)", prints("[]"))
