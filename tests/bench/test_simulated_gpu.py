"""The simulated GPU: never idle with work to do, in order, no token computed twice, and all that began ends."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r1ci_plugin.bench.rollout.gpu import Fleet, Gpu, PrefixCache, Request, step_ms
from r1ci_plugin.bench.rollout.parameters import GpuParameters

PLAIN = GpuParameters(batch=(1, 4), step_ms=(10.0, 40.0), prefill_ms_per_token=1.0, max_running=4, block=4)
"""A step takes 10 ms for each sequence in it, a prompt token 1 ms more."""

arrivals = st.lists(
    st.tuples(st.floats(0, 2), st.integers(1, 30), st.integers(1, 40)), min_size=1, max_size=25
)  # seconds since the last one, prompt tokens, tokens to sample


def requests(drawn: list[tuple[float, int, int]]) -> list[Request]:
    at, made = 0.0, []
    for number, (gap, prompt, reply) in enumerate(drawn):
        at += gap
        made.append(Request([number] * prompt, [number] * reply, at))
    return made


def served(gpu: Gpu, todo: list[Request], pace: float | None = None) -> list[tuple[float, Request]]:
    """Everything answered; looked at every `pace` seconds, or only when there is something to see."""
    done: list[tuple[float, Request]] = []
    for request in todo:
        if pace:
            now = done[-1][0] if done else 0.0
            while now < request.at:
                done += gpu.advance(now)
                now += pace
        done += gpu.advance(request.at)
        gpu.submit(request)
    return done + gpu.advance(1e6)


@given(arrivals)
def test_everyone_is_answered_and_never_before_its_tokens_can_be_there(drawn: list[tuple[float, int, int]]) -> None:
    todo = requests(drawn)
    done = served(Gpu(PLAIN), todo)
    assert sorted(map(id, todo)) == sorted(id(request) for _, request in done)
    for at, request in done:
        assert at >= request.at + 0.010 * len(request.reply_ids) + 0.001 - 1e-6  # alone, one token prefilled


@given(arrivals)
def test_it_works_whenever_there_is_work(drawn: list[tuple[float, int, int]]) -> None:
    gpu = Gpu(PLAIN)
    done = served(gpu, requests(drawn))
    ends = {id(request): at for at, request in done}
    stays = sorted((request.at, ends[id(request)]) for _, request in done)
    busy = sum(end - start for start, end in gpu.busy)
    covered, reached = 0.0, 0.0
    for start, end in stays:
        covered += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    assert busy == pytest.approx(covered, abs=1e-6)
    assert all(before[1] <= after[0] for before, after in pairwise(gpu.busy))


@given(arrivals, st.floats(0.003, 0.5))
def test_how_often_one_looks_changes_nothing(drawn: list[tuple[float, int, int]], pace: float) -> None:
    once, often = (served(Gpu(PLAIN), requests(drawn), how) for how in (None, pace))
    assert [request.prompt_ids for _, request in once] == [request.prompt_ids for _, request in often]
    assert [at for at, _ in once] == pytest.approx([at for at, _ in often], abs=1e-5)


@given(arrivals)
def test_of_two_alike_the_first_is_answered_first(drawn: list[tuple[float, int, int]]) -> None:
    todo = requests([(gap, prompt, 7) for gap, prompt, _ in drawn])
    assert [request for _, request in served(Gpu(PLAIN), todo)] == todo


@given(arrivals)
def test_the_next_event_is_when_something_happens(drawn: list[tuple[float, int, int]]) -> None:
    gpu, done = Gpu(PLAIN), []
    for request in requests([(0.0, prompt, reply) for _, prompt, reply in drawn]):
        gpu.submit(request)
    done += gpu.advance(0.0)
    for _ in range(2 * len(drawn) + 2):
        event = gpu.next_event()
        if event is None:
            break
        assert not gpu.advance(event - 1e-4)
        done += gpu.advance(event)
    assert len(done) == len(drawn) and not len(gpu)


def test_a_batch_takes_longer_than_one_alone_and_less_than_one_after_the_other() -> None:
    def seconds(count: int) -> float:
        gpu = Gpu(GpuParameters())
        for number in range(count):
            gpu.submit(Request([number] * 100, [0] * 200, 0.0))
        return max(at for at, _ in gpu.advance(1e6))

    assert seconds(1) < seconds(64) < 64 * seconds(1) / 10
    assert seconds(512) > 1.9 * seconds(256)  # no more than `max_running` at a time


def test_steps_follow_the_published_table() -> None:
    parameters = GpuParameters()
    taken = step_ms(parameters)
    assert len(taken) == parameters.max_running
    assert [taken[size - 1] for size in (1, 10, 20, 80, 160)] == pytest.approx([7.88, 7.88, 8.74, 12.55, 17.17])
    assert all(before <= after for before, after in pairwise(taken))
    assert step_ms(parameters, slow_down=0.0) == pytest.approx([7.88] * parameters.max_running)


token_lists = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=40), min_size=1, max_size=30)


@given(token_lists)
def test_no_block_is_computed_twice(prompts: list[list[int]]) -> None:
    """What is computed is what is new, in whole blocks; beyond that only the rest behind the last whole block."""
    block = 4
    cache, known, computed = PrefixCache(block, 10_000), set[tuple[int, ...]](), 0
    for prompt in prompts:
        whole = [tuple(prompt[:end]) for end in range(block, len(prompt) + 1, block)]
        new = [prefix for prefix in whole if prefix not in known]
        known.update(whole)
        missing = cache.missing(prompt)
        computed += missing
        assert missing == max(1, block * len(new) + len(prompt) % block)
    assert computed <= sum(map(len, prompts))


@given(token_lists, st.integers(8, 60))
@settings(max_examples=50)
def test_a_full_cache_forgets_and_never_claims_too_much(prompts: list[list[int]], capacity: int) -> None:
    cache, endless = PrefixCache(4, capacity), PrefixCache(4, 10_000)
    for prompt in prompts:
        missing = cache.missing(prompt)
        assert endless.missing(prompt) <= missing <= len(prompt)


def test_a_turn_that_goes_on_finds_its_own_past() -> None:
    gpu = Gpu(PLAIN)
    gpu.submit(Request([1] * 8, [2] * 8, 0.0))
    gpu.advance(1e6)
    gpu.submit(Request([1] * 8 + [2] * 8 + [3] * 3, [4], 2e6))
    gpu.advance(3e6)
    assert gpu.prefilled == 8 + 3


def test_a_trajectory_stays_where_it_started_and_newcomers_go_where_least_is_to_do() -> None:
    fleet = Fleet([Gpu(PLAIN), Gpu(PLAIN)])
    first = fleet.home("a")
    fleet.gpus[first].submit(Request([1], [1] * 50, 0.0))
    assert fleet.home("b") != first
    assert fleet.home("a") == first
