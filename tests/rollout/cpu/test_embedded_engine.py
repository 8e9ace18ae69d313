"""The embedded rollout engine: exact log-probabilities, continuous batching, caches, stops, aborts, weights."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import torch

from r1ci_plugin.rollout.cpu import forward
from r1ci_plugin.rollout.cpu.batcher import Generation
from r1ci_plugin.rollout.cpu.embedded import EmbeddedEngine
from r1ci_plugin.weights import digest

Make = Callable[..., Any]
PROMPT = list(range(5, 45))
CONTEXT = 160  # of the engines that the fixtures make


def ask(engine: EmbeddedEngine, prompt: list[int], request_id: str = "r", **params: Any) -> Any:
    return engine.generate(prompt, {"ignore_eos": True, "max_tokens": 16, **params}, request_id)


def run(awaitable: Any) -> Any:
    async def main() -> Any:
        return await awaitable

    return asyncio.run(main())


def gather(*awaitables: Any) -> list[Generation]:
    async def main() -> list[Generation]:
        return list(await asyncio.gather(*awaitables))

    return asyncio.run(main())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


# ---- log-probabilities


@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_log_probs_are_the_trainers(make_engine: Make, reference: Make, temperature: float) -> None:
    engine = make_engine()
    prompts = [PROMPT[:n] for n in (1, 2, 7, 13, 29, 40)]
    for prompt, got in zip(prompts, gather(*(ask(engine, p, temperature=temperature) for p in prompts)), strict=True):
        assert len(got.token_ids) == len(got.log_probs) == 16
        assert got.log_probs == pytest.approx(reference(prompt, got.token_ids, temperature), abs=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_log_probs_are_the_trainers_after_cache_reuse(make_engine: Make, reference: Make, temperature: float) -> None:
    engine = make_engine()
    first = run(ask(engine, PROMPT, temperature=temperature))
    longer = PROMPT + first.token_ids + [7, 8, 9, 10, 11]
    second = run(ask(engine, longer, temperature=temperature))
    assert second.num_cached_tokens == len(PROMPT) + 15  # the last sampled token was never fed
    assert second.log_probs == pytest.approx(reference(longer, second.token_ids, temperature), abs=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_log_probs_are_the_trainers_after_an_abort(make_engine: Make, reference: Make, temperature: float) -> None:
    engine = make_engine()

    async def abort_and_go_on() -> tuple[Generation, Generation]:
        running = asyncio.create_task(ask(engine, PROMPT, "a", temperature=temperature, max_tokens=100, seed=3))
        await until(lambda: engine._batcher.decoded >= 5)
        assert await engine.abort("a") == ["a"]
        part = await running
        rest = await ask(engine, PROMPT + part.token_ids, "b", temperature=temperature, seed=3)
        return part, rest

    part, rest = run(abort_and_go_on())
    assert part.stop_reason == "aborted" and 5 <= len(part.token_ids) < 100
    assert rest.stop_reason == "completed"
    everything = part.token_ids + rest.token_ids
    expected = reference(PROMPT, everything, temperature)
    assert part.log_probs + rest.log_probs == pytest.approx(expected, abs=1e-5)
    undisturbed = run(ask(make_engine(), PROMPT, temperature=temperature, max_tokens=len(everything), seed=3))
    assert undisturbed.token_ids == everything


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_greedy_tokens_are_those_of_transformers(make_engine: Make, make_model: Make, heads: int) -> None:
    prompts = [PROMPT[:n] for n in (3, 17, 40)]
    plain = make_model(num_key_value_heads=heads)
    expected = []
    for prompt in prompts:
        ids = plain.generate(
            torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt)), max_new_tokens=12, do_sample=False,
            eos_token_id=None,
        )  # fmt: skip
        expected.append(ids[0, len(prompt) :].tolist())
    engine = make_engine(make_model(num_key_value_heads=heads))
    got = gather(*(ask(engine, prompt, temperature=0, max_tokens=12) for prompt in prompts))
    assert [g.token_ids for g in got] == expected


# ---- continuous batching


def test_a_short_request_ends_and_a_late_one_joins_while_a_long_one_runs(make_engine: Make) -> None:
    engine = make_engine()

    async def main() -> None:
        long = asyncio.create_task(ask(engine, PROMPT, "long", max_tokens=110))
        short = await ask(engine, PROMPT[:9], "short", max_tokens=2)
        assert not long.done()
        late = await ask(engine, PROMPT[:8], "late", max_tokens=3)
        assert not long.done()
        assert [len(g.token_ids) for g in (short, late, await long)] == [2, 3, 110]

    asyncio.run(main())
    assert engine._batcher.steps <= 112  # and they shared its steps


def test_more_requests_than_places_are_all_served(make_engine: Make) -> None:
    engine = make_engine(max_num_seqs=3)
    got = gather(*(ask(engine, PROMPT[: 4 + i], str(i), max_tokens=1 + i % 5) for i in range(17)))
    assert [len(g.token_ids) for g in got] == [1 + i % 5 for i in range(17)]


def test_what_else_is_in_the_batch_changes_no_tokens_of_a_seeded_request(make_engine: Make) -> None:
    alone = run(ask(make_engine(), PROMPT, seed=11))
    engine = make_engine(seed=99)
    others = [ask(engine, PROMPT[: 3 + i], str(i), max_tokens=3 * i + 1, top_p=0.9) for i in range(6)]
    *_, among = gather(*others, ask(engine, PROMPT, seed=11))
    assert among.token_ids == alone.token_ids
    assert run(ask(engine, PROMPT, seed=12)).token_ids != alone.token_ids


def test_the_samples_of_one_prompt_differ_and_share_its_prefill(make_engine: Make) -> None:
    engine = make_engine()
    prompt = list(range(80))
    got = gather(*(ask(engine, prompt, str(i)) for i in range(8)))
    assert len({tuple(g.token_ids) for g in got}) == 8
    assert engine._batcher.prefilled == len(prompt) - 1


def test_an_unseeded_engine_repeats_itself_under_the_same_seed(make_engine: Make) -> None:
    first, again, other = (run(ask(make_engine(seed=seed), PROMPT)).token_ids for seed in (4, 4, 5))
    assert first == again != other


class Widths:
    """A forward hook that notes how many new tokens each pass took, (rows, tokens)."""

    def __init__(self, model: Any) -> None:
        self.seen: list[tuple[int, ...]] = []
        model.register_forward_pre_hook(self, with_kwargs=True)

    def __call__(self, module: Any, args: Any, kwargs: Any) -> None:
        self.seen.append(tuple(kwargs["input_ids"].shape))


@pytest.mark.parametrize("plain", [True, False])  # through transformers' modules, and without them
def test_long_prompts_go_through_in_pieces_and_give_the_same(
    make_engine: Make, make_model: Make, reference: Make, monkeypatch: pytest.MonkeyPatch, plain: bool
) -> None:
    monkeypatch.setattr(forward, "_MASK_CELLS", 20_000)
    prompts = [[(7 * i + k) % 250 for i in range(n)] for k, n in enumerate((3, 90, 120, 140))]
    model = make_model()
    widths = Widths(model) if plain else None
    engine = make_engine(model)
    got = gather(*(ask(engine, prompt, str(len(prompt))) for prompt in prompts))
    for prompt, generation in zip(prompts, got, strict=True):
        assert generation.log_probs == pytest.approx(reference(prompt, generation.token_ids), abs=1e-5)
    assert engine._batcher.prefilled == sum(len(prompt) - 1 for prompt in prompts)
    if widths:
        assert all(rows * steps * 139 * 2 <= 20_000 for rows, steps in widths.seen)  # 2 heads a key head
        assert sum(steps > 1 for _, steps in widths.seen) > 3


def test_short_prompts_go_through_in_one_pass(make_engine: Make, make_model: Make) -> None:
    model = make_model()
    widths, engine = Widths(model), make_engine(model)
    gather(*(ask(engine, [k, *PROMPT], str(k), max_tokens=1) for k in range(8)))
    assert [shape for shape in widths.seen if shape[1] > 1] == [(8, 40)]


# ---- caches


def test_tokens_with_and_without_cache_reuse_are_the_same(make_engine: Make) -> None:
    engine = make_engine(max_num_seqs=2)
    prompts = [list(PROMPT), [9, 8, 7, *PROMPT], [*PROMPT[:20], 1, 2, 3]]
    for turn in range(3):
        got = gather(*(ask(engine, prompt, temperature=0, max_tokens=9) for prompt in prompts))
        fresh = gather(*(ask(make_engine(), prompt, temperature=0, max_tokens=9) for prompt in prompts))
        assert [g.token_ids for g in got] == [f.token_ids for f in fresh]
        prompts = [p + g.token_ids + [20 + turn, 21] for p, g in zip(prompts, got, strict=True)]


def test_the_least_recently_used_cache_gives_way(make_engine: Make) -> None:
    engine = make_engine(max_num_seqs=2)
    a, b, c = [1] * 30, [2] * 30, [3] * 30
    for prompt in (a, b, a, c):
        run(ask(engine, prompt, max_tokens=1))
    assert run(ask(engine, a, max_tokens=1)).num_cached_tokens == 29
    assert run(ask(engine, b, max_tokens=1)).num_cached_tokens == 0


def test_the_key_value_memory_is_bounded(make_engine: Make) -> None:
    per_token = 2 * 2 * 2 * 16 * 4  # layers, key and value, kv heads, head size, bytes
    engine = make_engine(max_num_seqs=100, max_model_len=63, kv_cache_bytes=5 * 64 * per_token)
    assert engine.max_num_seqs == 5
    with pytest.raises(ValueError, match="lower max_model_len"):
        make_engine(max_model_len=63, kv_cache_bytes=63 * per_token)


# ---- ends


def test_a_request_ends_with_its_context(make_engine: Make, reference: Make) -> None:
    prompt = [t % 250 for t in range(CONTEXT - 3)]
    got = run(ask(make_engine(), prompt, max_tokens=50))
    assert len(got.token_ids) == 3 and got.stop_reason == "completed"
    assert got.log_probs == pytest.approx(reference(prompt, got.token_ids), abs=1e-5)


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ([5] * CONTEXT, f"prompt of {CONTEXT} tokens leaves no room.*max_model_len"),
        ([5] * (CONTEXT + 7), "leaves no room"),
        ([], "no tokens"),
        ([5, 10_000], "outside the vocabulary"),
    ],
)
def test_a_prompt_that_cannot_be_served_is_a_clear_error(make_engine: Make, prompt: list[int], message: str) -> None:
    engine = make_engine()
    with pytest.raises(ValueError, match=message):
        run(ask(engine, prompt))
    assert len(run(ask(engine, PROMPT)).token_ids) == 16


def test_eos_and_stop_tokens_end_a_request_and_stay_in_it(make_engine: Make, make_model: Make) -> None:
    model = make_model()
    free = run(ask(make_engine(model), PROMPT, seed=1, max_tokens=40)).token_ids
    end = free[6]
    at = free.index(end)
    stopped = run(ask(make_engine(model), PROMPT, seed=1, max_tokens=40, stop_token_ids=[end]))
    assert stopped.token_ids == free[: at + 1] and stopped.stop_reason == "completed"
    model.generation_config.eos_token_id = [end]
    assert run(ask(make_engine(model), PROMPT, seed=1, max_tokens=40, ignore_eos=False)).token_ids == free[: at + 1]
    assert run(ask(make_engine(model), PROMPT, seed=1, max_tokens=40)).token_ids == free


class Scripted:
    """Makes a policy sample a given text: it looks only at how far the script has come."""

    def __init__(self, model: Any, script: list[int], start: int) -> None:
        bias = torch.full((start + len(script) + 1, model.config.vocab_size), 0.0)
        for place, token in enumerate(script):
            bias[start - 1 + place, token] = 1e4
        self.bias = bias

    def __call__(self, module: Any, args: Any, kwargs: Any, output: Any) -> Any:
        output.logits = output.logits + self.bias[kwargs["position_ids"][:, -1:]]
        return output


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["a", "``", "`", "\n", "b"], 4),  # the stop string spans three tokens
        (["a", "``", "`", "\nx", "b"], 4),  # the last of them overhangs, and stays whole
        (["a", "`", "``\n", "b"], 3),
        (["``", "\n", "`", "\n"], 4),  # two backticks do not stop
    ],
)
def test_a_stop_string_may_span_tokens_and_be_overhung(
    make_engine: Make, make_model: Make, tokenizer: Any, pieces: list[str], expected: int
) -> None:
    script = [tokenizer.convert_tokens_to_ids(piece.replace("\n", "Ċ")) for piece in pieces]
    assert None not in script
    # The stop string at the end of the prompt is not newly sampled text.
    prompt = tokenizer.encode("x```\n")
    model = make_model()
    model.register_forward_hook(Scripted(model, script, len(prompt)), with_kwargs=True)
    got = run(
        ask(make_engine(model), prompt, temperature=0, stop="```\n", max_tokens=len(pieces),
            include_stop_str_in_output=True)
    )  # fmt: skip
    assert got.token_ids == script[:expected]


# ---- aborts


def test_an_abort_of_all_frees_everyone_and_holds_new_requests_until_resumed(make_engine: Make) -> None:
    engine = make_engine(max_num_seqs=2)

    async def main() -> None:
        tasks = [asyncio.create_task(ask(engine, PROMPT, str(i), max_tokens=110)) for i in range(4)]
        await until(lambda: engine._batcher.decoded > 5)
        assert sorted(await engine.pause()) == ["0", "1", "2", "3"]
        cut = await asyncio.gather(*tasks)
        assert {g.stop_reason for g in cut} == {"aborted"}
        assert [bool(g.token_ids) for g in cut] == [True, True, False, False]
        held = asyncio.create_task(ask(engine, PROMPT, "held"))
        await asyncio.sleep(0.05)
        assert not held.done()
        await engine.pause(reject=True)
        assert (await held).stop_reason == "aborted"
        rejected = await ask(engine, PROMPT, "rejected")
        assert (rejected.token_ids, rejected.stop_reason) == ([], "aborted")
        await engine.resume()
        assert len((await ask(engine, PROMPT, "after")).token_ids) == 16

    asyncio.run(main())


def test_a_cancelled_call_frees_its_place(make_engine: Make) -> None:
    engine = make_engine(max_num_seqs=1)

    async def main() -> None:
        gone = asyncio.create_task(ask(engine, PROMPT, "gone", max_tokens=110))
        await until(lambda: engine._batcher.decoded > 2)
        gone.cancel()
        await ask(engine, PROMPT[:5], "next", max_tokens=1)
        assert engine._batcher.decoded < 60

    asyncio.run(main())


def test_closing_the_engine_ends_its_requests_with_an_error(make_engine: Make) -> None:
    engine = make_engine()

    async def main() -> None:
        task = asyncio.create_task(ask(engine, PROMPT, max_tokens=110))
        await until(lambda: engine._batcher.decoded > 0)
        engine.close()
        with pytest.raises(RuntimeError, match="closed"):
            await task

    asyncio.run(main())


# ---- weights


async def sync(engine: EmbeddedEngine, state: dict[str, torch.Tensor], buckets: int = 3) -> None:
    names = list(state)
    for i in range(buckets):
        await engine.load_weights({n: state[n] for n in names[i::buckets]}, last=i == buckets - 1)


def test_synced_weights_are_the_senders_and_change_what_is_sampled(make_engine: Make, make_model: Make) -> None:
    engine, state = make_engine(make_model(0)), make_model(1).state_dict()
    before = run(ask(engine, PROMPT, temperature=0))
    assert run(engine.digest()) != digest(state.items())
    run(sync(engine, state))
    assert run(engine.digest()) == digest(state.items())
    after = run(ask(engine, PROMPT, temperature=0))
    assert after.num_cached_tokens == 0
    assert after.token_ids == run(ask(make_engine(make_model(1)), PROMPT, temperature=0)).token_ids != before.token_ids


def test_nothing_is_sampled_from_half_a_policy(make_engine: Make, make_model: Make, reference: Make) -> None:
    engine, state = make_engine(make_model(0)), make_model(1).state_dict()
    names = list(state)

    async def main() -> Generation:
        await engine.load_weights({n: state[n] for n in names[::2]}, last=False)
        task = asyncio.create_task(ask(engine, PROMPT))
        await asyncio.sleep(0.05)
        assert not task.done() and engine._batcher.steps == 0
        await engine.load_weights({n: state[n] for n in names[1::2]}, last=True)
        return await task

    got = run(main())
    assert got.log_probs == pytest.approx(reference(PROMPT, got.token_ids, seed=1), abs=1e-5)


def test_a_request_that_runs_through_a_sync_goes_on_with_the_new_weights(
    make_engine: Make, make_model: Make, reference: Make
) -> None:
    engine, state = make_engine(make_model(0)), make_model(1).state_dict()

    async def main() -> tuple[Generation, int]:
        task = asyncio.create_task(ask(engine, PROMPT, max_tokens=100))
        await until(lambda: engine._batcher.decoded > 5)
        await engine.load_weights({n: state[n] for n in list(state)[::2]}, last=False)
        old = engine._batcher.decoded
        await engine.load_weights({n: state[n] for n in list(state)[1::2]}, last=True)
        return await task, old

    got, old = run(main())
    assert 5 < old < 100
    assert got.log_probs[:old] == pytest.approx(reference(PROMPT, got.token_ids)[:old], abs=1e-5)
    assert got.log_probs[old:] == pytest.approx(reference(PROMPT, got.token_ids, seed=1)[old:], abs=1e-5)


def test_an_incomplete_or_foreign_sync_is_refused(make_engine: Make, make_model: Make) -> None:
    state = make_model(1).state_dict()
    first, *rest = state
    with pytest.raises(ValueError, match=f"1 tensors were not sent, first {first}"):
        run(make_engine().load_weights({n: state[n] for n in rest}, last=True))
    with pytest.raises(KeyError, match="no tensor 'stranger'"):
        run(make_engine().load_weights({"stranger": state[first]}, last=True))
    with pytest.raises(ValueError, match="shape"):
        run(make_engine().load_weights({first: state[first][1:]}, last=True))


def test_tied_weights_need_to_be_sent_once(make_engine: Make, make_model: Make) -> None:
    state = make_model(1, tie_word_embeddings=True).state_dict()
    del state["lm_head.weight"]
    run(make_engine(make_model(0, tie_word_embeddings=True)).load_weights(state, last=True))


def test_a_policy_gone_to_nan_fails_its_requests_and_a_sync_heals_the_engine(
    make_engine: Make, make_model: Make
) -> None:
    engine, state = make_engine(make_model(0)), make_model(0).state_dict()
    run(sync(engine, {name: tensor * float("nan") for name, tensor in state.items()}))
    with pytest.raises(FloatingPointError, match="not finite"):
        run(ask(engine, PROMPT))
    run(sync(engine, state))
    assert run(ask(engine, PROMPT, temperature=0)).token_ids == run(ask(make_engine(), PROMPT, temperature=0)).token_ids


def test_caches_survive_nothing_that_frees_their_memory(make_engine: Make) -> None:
    engine = make_engine()
    first = run(ask(engine, PROMPT, temperature=0))
    run(engine.sleep())
    again = run(ask(engine, PROMPT, temperature=0))
    assert again.num_cached_tokens == 0 and again.token_ids == first.token_ids


# ---- policies


def test_a_policy_with_a_sliding_window_is_refused(make_engine: Make, make_model: Make) -> None:
    model = make_model(use_sliding_window=True, sliding_window=32, max_window_layers=0)
    with pytest.raises(ValueError, match="full attention only"):
        make_engine(model)


def test_a_context_beyond_the_policys_positions_is_refused(make_engine: Make) -> None:
    with pytest.raises(ValueError, match="513 is more than the 512 positions"):
        make_engine(max_model_len=513)


def test_a_folder_is_served_with_its_own_tokenizer_and_ends(
    tmp_path: Any, make_engine: Make, make_model: Make, tokenizer: Any
) -> None:
    model = make_model()
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    engine = EmbeddedEngine(tmp_path, max_model_len=CONTEXT, max_num_seqs=2, threads=1)
    try:
        got = run(ask(engine, PROMPT, temperature=0, stop=["zz"]))
        assert run(engine.digest()) == digest(model.state_dict().items())
    finally:
        engine.close()
    assert got.token_ids == run(ask(make_engine(), PROMPT, temperature=0, stop=["zz"])).token_ids
    with pytest.raises(ValueError, match="holds no policy"):
        EmbeddedEngine(tmp_path / "missing")
