"""The options of every command that lets a policy answer: who answers, under which limits, how many at a time.

Left out: what is asked and what becomes of the answers (`eval.py`, `potential.py`, `sft.py`, `ask.py`).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from r1ci_plugin.cli.output import fail
from r1ci_plugin.config import ExecutorSettings, Limits
from r1ci_plugin.evaluation.answering import Setup
from r1ci_plugin.evaluation.policies import EmbeddedPolicy, Policy, PolicyError, Sampling
from r1ci_plugin.evaluation.runner import Budget
from r1ci_plugin.seed_policy import seed_policy_path

T = TypeVar("T")

SEED_POLICY = seed_policy_path()

PolicyOption = Annotated[
    str | None, typer.Option("--policy", help="A Hugging Face folder to load here, or `seed`: the one that ships.")
]
BaseUrlOption = Annotated[
    str | None, typer.Option(help="An OpenAI-compatible address instead, e.g. http://localhost:8000/v1.")
]
ModelOption = Annotated[str | None, typer.Option(help="The model's name at that address.")]
TokenizerOption = Annotated[
    str | None,
    typer.Option(help="Tokenizer folder or name: talk to the address in token ids, exactly as in training (vLLM)."),
]
ContextOption = Annotated[int | None, typer.Option(min=16, help="Tokens of prompt and response together.")]
ApiKeyOption = Annotated[str, typer.Option(help="Environment variable that holds the key.")]
PricesOption = Annotated[str, typer.Option(help="Prices of a million prompt and sampled tokens, e.g. 2.5,10.")]
TemperatureOption = Annotated[float, typer.Option(min=0.0, help="0 is greedy.")]
ResponseOption = Annotated[int, typer.Option(min=1, help="Tokens of a whole answer, execution results included.")]
ResultOption = Annotated[int, typer.Option(min=1, help="Tokens kept of an execution result.")]
TimeoutOption = Annotated[float, typer.Option(min=0.1, help="Seconds of one code call.")]
ConcurrencyOption = Annotated[int, typer.Option(min=1, help="Answers at a time.")]
SandboxOption = Annotated[
    str, typer.Option(help="Addresses of remote sandboxes, separated by commas; this machine's own if not given.")
]
SlotsOption = Annotated[int | None, typer.Option(min=1, help="Code calls at a time on this machine; one a core.")]
MaxTokensOption = Annotated[int | None, typer.Option(min=1, help="Budget of the whole run in tokens.")]
MaxCostOption = Annotated[float | None, typer.Option(min=0.0, help="Budget of the whole run in money; needs --prices.")]


def policy_maker(
    policy: str | None,
    base_url: str | None,
    model: str | None,
    tokenizer: str | None,
    context_tokens: int | None,
    api_key_variable: str,
    prices: str,
    concurrency: int,
) -> Callable[[], Policy]:
    """What makes the policy of the options, once the run needs it. Ends the command where they do not go together."""
    if (policy is None) == (base_url is None):
        fail("name the policy: --policy FOLDER (or `seed`), or --base-url ADDRESS --model NAME")
    if policy is not None:
        folder = SEED_POLICY if policy == "seed" else Path(policy)
        if not (folder / "config.json").is_file():
            fail(f"there is no policy at {folder}: name a Hugging Face folder, or `seed`")
        _say_if_large(folder)
        return lambda: EmbeddedPolicy(folder, max_model_len=context_tokens, max_num_seqs=concurrency)
    if model is None:
        fail("--base-url needs the model's name there: --model NAME")
    from r1ci_plugin.evaluation.endpoints import ChatPolicy, CompletionsPolicy, Endpoint

    def make() -> Policy:
        endpoint = Endpoint(str(base_url), api_key=os.environ.get(api_key_variable))
        if tokenizer is None:
            return ChatPolicy(endpoint, model, _prices(prices))
        return CompletionsPolicy(
            endpoint, model, _codec(tokenizer), context_tokens=context_tokens, prices=_prices(prices)
        )

    return make


SMALL_BYTES = 2 << 30
"""Weights in files, half a billion parameters in float32 or twice as many in bfloat16: more is no work for a CPU."""


def _say_if_large(folder: Path) -> None:
    """A policy in this process runs on the CPU, also where there are GPUs: for a large one that is hours an answer."""
    size = sum(file.stat().st_size for pattern in ("*.safetensors", "*.bin") for file in folder.glob(pattern))
    if size > SMALL_BYTES:
        typer.echo(
            f"warning: --policy loads the {size / 1e9:.0f} GB of {folder} into this process, on the CPU, and answers "
            f"very slowly; on GPUs: vllm serve {folder}, then --base-url http://localhost:8000/v1 --model {folder} "
            f"--tokenizer {folder} instead of --policy",
            err=True,
        )


def setup_of(
    make_policy: Callable[[], Policy],
    *,
    temperature: float,
    response_tokens: int,
    result_tokens: int,
    code_timeout: float,
    concurrency: int,
    sandbox: str,
    slots: int | None,
    max_tokens: int | None = None,
    max_cost: float | None = None,
) -> Setup:
    """The setup of a run from its options."""
    endpoints = tuple(part.strip() for part in sandbox.split(",") if part.strip())
    budget = Budget(max_tokens, max_cost) if max_tokens is not None or max_cost is not None else None
    return Setup(
        make_policy,
        Sampling(temperature, response_tokens),
        Limits(code_timeout_s=code_timeout, result_max_tokens=result_tokens),
        ExecutorSettings("remote" if endpoints else "local", slots, endpoints),
        concurrency,
        budget=budget,
    )


def _codec(name: str) -> Any:
    try:
        from transformers import AutoTokenizer

        from r1ci_plugin.codec import TokenizerCodec

        return TokenizerCodec(AutoTokenizer.from_pretrained(name))
    except ImportError as error:
        raise PolicyError(f"--tokenizer needs transformers ({error}): pip install transformers") from None
    except (OSError, ValueError) as error:
        raise PolicyError(f"the tokenizer {name} cannot be used: {error}") from None


def _prices(text: str) -> Any:
    from r1ci_plugin.evaluation.endpoints import Prices

    try:
        prompt, sampled = (float(part) for part in text.split(","))
    except ValueError:
        fail(f"--prices takes two numbers such as 2.5,10, not {text!r}")
    return Prices(prompt, sampled)


def answered(work: Coroutine[Any, Any, T]) -> T:
    """Run the work of a command; what ends a run becomes one line. What was answered stays in the folder."""
    from r1ci_plugin.evaluation.run_folder import OtherRun
    from r1ci_plugin.interpreter import IsolationUnavailable
    from r1ci_plugin.journal import JournalDamaged, JournalInUse
    from r1ci_plugin.reward.pool import PoolBroken, SelfTestFailed

    expected = (
        PolicyError,
        OtherRun,
        JournalInUse,
        JournalDamaged,
        PoolBroken,
        SelfTestFailed,
        IsolationUnavailable,
        OSError,
    )
    try:
        return asyncio.run(work)
    except expected as error:
        fail(str(error))
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on", err=True)
        raise typer.Exit(130) from None
