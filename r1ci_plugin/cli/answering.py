"""The options of every command that lets a policy answer: who answers, under which limits, how many at a time.

Left out: what is asked and what becomes of the answers (`eval.py`, `potential.py`, `sft.py`, `ask.py`).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, fields
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, Concatenate, TypeVar, get_type_hints

import typer
from typing_extensions import ParamSpec

from r1ci_plugin.cli.output import fail
from r1ci_plugin.config import ExecutorSettings, Limits
from r1ci_plugin.evaluation.answering import Setup
from r1ci_plugin.evaluation.policies import EmbeddedPolicy, Policy, PolicyError, Sampling
from r1ci_plugin.evaluation.runner import Budget
from r1ci_plugin.seed_policy import seed_policy_path

P = ParamSpec("P")
T = TypeVar("T")

SEED_POLICY = seed_policy_path()

ResultOption = Annotated[int, typer.Option(min=1, help="Tokens kept of an execution result.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says of who answers and under which limits."""

    policy: Annotated[
        str | None, typer.Option(help="A Hugging Face folder to load here, or `seed`: the one that ships.")
    ] = None
    base_url: Annotated[
        str | None, typer.Option(help="An OpenAI-compatible address instead, e.g. http://localhost:8000/v1.")
    ] = None
    model: Annotated[str | None, typer.Option(help="The model's name at that address.")] = None
    tokenizer: Annotated[
        str | None,
        typer.Option(help="Tokenizer folder or name: talk to the address in token ids, exactly as in training (vLLM)."),
    ] = None
    context_tokens: Annotated[int | None, typer.Option(min=16, help="Tokens of prompt and response together.")] = None
    api_key_variable: Annotated[str, typer.Option(help="Environment variable that holds the key.")] = "OPENAI_API_KEY"
    prices: Annotated[str, typer.Option(help="Prices of a million prompt and sampled tokens, e.g. 2.5,10.")] = "0,0"
    temperature: Annotated[float, typer.Option(min=0.0, help="0 is greedy.")] = 0.6
    response_tokens: Annotated[
        int, typer.Option(min=1, help="Tokens of a whole answer, execution results included.")
    ] = 4096
    result_tokens: ResultOption = 1024
    code_timeout: Annotated[float, typer.Option(min=0.1, help="Seconds of one code call.")] = 60.0
    concurrency: Annotated[int, typer.Option(min=1, help="Answers at a time.")] = 16
    sandbox: Annotated[
        str, typer.Option(help="Addresses of remote sandboxes, separated by commas; this machine's own if not given.")
    ] = ""
    slots: Annotated[int | None, typer.Option(min=1, help="Code calls at a time on this machine; one a core.")] = None
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Budget of the whole run in tokens.")] = None
    max_cost: Annotated[
        float | None, typer.Option(min=0.0, help="Budget of the whole run in money; needs --prices.")
    ] = None

    @property
    def names_policy(self) -> bool:
        """Whether a policy is named at all."""
        return self.policy is not None or self.base_url is not None

    @property
    def _folder(self) -> Path:
        return SEED_POLICY if self.policy == "seed" else Path(str(self.policy))

    def policy_maker(self) -> Callable[[], Policy]:
        """What makes the policy, once the run needs it. Ends the command where the options do not go together."""
        if (self.policy is None) == (self.base_url is None):
            fail("name the policy: --policy FOLDER (or `seed`), or --base-url ADDRESS --model NAME")
        if self.policy is not None:
            folder = self._folder
            if not (folder / "config.json").is_file():
                fail(f"there is no policy at {folder}: name a Hugging Face folder, or `seed`")
            _say_if_large(folder)
            return lambda: EmbeddedPolicy(folder, max_model_len=self.context_tokens, max_num_seqs=self.concurrency)
        if self.model is None:
            fail("--base-url needs the model's name there: --model NAME")
        return self._endpoint_policy

    def _endpoint_policy(self) -> Policy:
        from r1ci_plugin.evaluation.endpoint import Endpoint
        from r1ci_plugin.evaluation.endpoint_policies import ChatPolicy, CompletionsPolicy

        endpoint = Endpoint(str(self.base_url), api_key=os.environ.get(self.api_key_variable))
        model, prices = str(self.model), _prices(self.prices)
        if self.tokenizer is None:
            return ChatPolicy(endpoint, model, prices)
        codec = _codec(self.tokenizer)
        return CompletionsPolicy(endpoint, model, codec, context_tokens=self.context_tokens, prices=prices)

    def setup(self, make_policy: Callable[[], Policy]) -> Setup:
        """How a run gets its answers."""
        endpoints = tuple(part.strip() for part in self.sandbox.split(",") if part.strip())
        if self.max_cost is not None and not any((_prices(self.prices).prompt, _prices(self.prices).sampled)):
            fail("--max-cost needs --prices PROMPT,SAMPLED: without them every answer costs 0")
        is_bounded = self.max_tokens is not None or self.max_cost is not None
        return Setup(
            make_policy,
            Sampling(self.temperature, self.response_tokens),
            Limits(code_timeout_s=self.code_timeout, result_max_tokens=self.result_tokens),
            ExecutorSettings("remote" if endpoints else "local", self.slots, endpoints),
            self.concurrency,
            budget=Budget(self.max_tokens, self.max_cost) if is_bounded else None,
        )

    def settings(self) -> dict[str, Any]:
        """What two runs must share for their answers to belong together."""
        return {
            "policy": self.policy or self.model,
            "weights": self._weights(),
            "base_url": self.base_url,
            "tokenizer": self.tokenizer,
            "context_tokens": self.context_tokens,
            "response_tokens": self.response_tokens,
            "result_tokens": self.result_tokens,
            "code_timeout_s": self.code_timeout,
        }

    def _weights(self) -> str | None:
        """Of a policy in a folder, which may be another one the next time."""
        if self.policy is None:
            return None
        from r1ci_plugin.weights import digest_of

        return digest_of(str(self._folder))


def with_options(*without: str, **defaults: Any) -> Callable[[Callable[Concatenate[Options, P], T]], Callable[..., T]]:
    """Makes a command of a function whose first argument is `Options`: on the command line they are options like its
    own, less those that are named here, some with a default of this command's own.
    """

    hints = get_type_hints(Options, include_extras=True)
    shared = [
        Parameter(
            one.name,
            Parameter.KEYWORD_ONLY,
            default=defaults.get(one.name, one.default),
            annotation=hints[one.name],
        )
        for one in fields(Options)
        if one.name not in without
    ]

    def decorate(function: Callable[Concatenate[Options, P], T]) -> Callable[..., T]:
        def command(**values: Any) -> T:
            options = Options(**{one.name: values.pop(one.name) for one in shared})
            return function(options, **values)  # type: ignore[call-arg]  # typer names every argument

        own = list(signature(function, eval_str=True).parameters.values())[1:]
        parameters = [*shared, *(one.replace(kind=Parameter.KEYWORD_ONLY) for one in own)]
        command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        command.__name__, command.__doc__ = function.__name__, function.__doc__
        return command

    return decorate


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
    from r1ci_plugin.evaluation.endpoint_policies import Prices

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
