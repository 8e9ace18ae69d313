"""What ends a call of the embedded engine, or the engine itself: nobody is left waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from r1ci_plugin.rollout.cpu.embedded import EmbeddedEngine

Make = Callable[..., Any]
PROMPT = list(range(5, 45))


def ask(engine: EmbeddedEngine, prompt: list[int], request_id: str = "r", **params: Any) -> Any:
    return engine.generate(prompt, {"ignore_eos": True, "max_tokens": 16, **params}, request_id)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


class Gate:
    """A forward hook that holds the engine's thread in its first pass until opened, then raises what it is given."""

    def __init__(self, model: Any, error: BaseException | None = None) -> None:
        self.entered, self.opened, self.error = threading.Event(), threading.Event(), error
        model.register_forward_hook(self)

    def __call__(self, *_: Any) -> None:
        self.entered.set()
        assert self.opened.wait(10)
        if self.error:
            raise self.error


def soon(awaitable: Any) -> Any:
    return asyncio.wait_for(awaitable, 10)


def test_a_control_call_given_up_before_its_turn_has_no_effect_and_harms_nobody(
    make_engine: Make, make_model: Make
) -> None:
    model = make_model()
    gate, engine = Gate(model), make_engine(model)

    async def main() -> None:
        running = asyncio.create_task(ask(engine, PROMPT))
        await until(gate.entered.is_set)
        given_up = asyncio.create_task(engine.pause())
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.sleep(0)
        gate.opened.set()
        assert len((await soon(running)).token_ids) == 16
        assert len((await soon(ask(engine, PROMPT[:5]))).token_ids) == 16
        assert (await soon(engine.statistics()))["running"] == 0

    asyncio.run(main())


def test_what_ends_the_engines_thread_reaches_everyone_who_waits_and_who_comes_later(
    make_engine: Make, make_model: Make
) -> None:
    model = make_model()
    gate, engine = Gate(model, SystemExit("no reason")), make_engine(model, max_num_seqs=1)

    async def main() -> None:
        waiting = [asyncio.create_task(ask(engine, PROMPT, str(i))) for i in range(2)]  # one runs
        await until(gate.entered.is_set)
        waiting += [asyncio.create_task(call) for call in (engine.statistics(), ask(engine, PROMPT, "posted"))]
        await asyncio.sleep(0)
        gate.opened.set()
        outcomes = await soon(asyncio.gather(*waiting, return_exceptions=True))
        assert {str(outcome) for outcome in outcomes} == {"the rollout engine has failed: SystemExit('no reason')"}
        with pytest.raises(RuntimeError, match="has failed: SystemExit"):
            await soon(ask(engine, PROMPT))

    asyncio.run(main())


def test_who_waits_for_a_neighbours_prefill_shares_its_error(make_engine: Make, make_model: Make) -> None:
    model = make_model()
    gate, engine = Gate(model, ValueError("broken policy")), make_engine(model)
    gate.opened.set()

    async def main() -> None:
        outcomes = await soon(asyncio.gather(*(ask(engine, PROMPT) for _ in range(3)), return_exceptions=True))
        assert [str(outcome) for outcome in outcomes] == ["broken policy"] * 3

    asyncio.run(main())


def test_held_requests_end_with_the_engine_and_a_closed_engine_refuses_calls(make_engine: Make) -> None:
    engine = make_engine()

    async def main() -> None:
        await engine.pause()
        held = asyncio.create_task(ask(engine, PROMPT))
        await engine.statistics()  # which it answers behind the request
        engine.close()
        for call in (held, ask(engine, PROMPT), engine.statistics(), engine.pause()):
            with pytest.raises(RuntimeError, match="was closed"):
                await soon(call)

    asyncio.run(main())
