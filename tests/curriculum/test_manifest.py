"""The manifest: every question in one group, what must not be trained on in none, and a digest that names it all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from r1ci_plugin.curriculum import build_manifest
from r1ci_plugin.curriculum.build import Rule, recut
from r1ci_plugin.curriculum.counts import Count
from r1ci_plugin.curriculum.flow import ABSENT, flow, stayed
from r1ci_plugin.curriculum.groups import Grouping
from r1ci_plugin.curriculum.manifest import (
    Entry,
    Manifest,
    ManifestError,
    load_manifest,
    make_manifest,
    to_text,
    write_manifest,
)

TASKS = ("bbh/navigate", "symbench/letters", "symbench/game24")
HELD_OUT = "symbench/game24"


@st.composite
def counts(draw: st.DrawFn) -> list[Count]:
    found = []
    for number in range(draw(st.integers(1, 30))):
        task = draw(st.sampled_from(TASKS))
        for agent in draw(st.sets(st.sampled_from(["all_text", "code_agent"]), min_size=1)):
            n = draw(st.sampled_from([5, 10, 20]))
            found.append(Count(f"q{number:02}", task, 1 + number % 5, agent, 0.7, n, draw(st.integers(0, n))))
    return found


RULES = st.sampled_from([Rule(), Rule(parts=3), Rule(parts=2, by="difficulty"), Rule(Grouping((0.5,), "harder"))])


@settings(max_examples=40)
@given(counts(), RULES, st.sets(st.integers(0, 30)))
def test_every_question_is_in_one_group_and_what_must_not_be_trained_on_in_none(
    measured: list[Count], rule: Rule, numbers: set[int]
) -> None:
    seen = {f"q{number:02}" for number in numbers}
    left = {count.question_id for count in measured if count.task != HELD_OUT} - seen
    if len(left) < (rule.parts or 1):
        with pytest.raises(ValueError):
            build_manifest(measured, rule, held_out=[HELD_OUT], seen=seen)
        return
    manifest = build_manifest(measured, rule, held_out=[HELD_OUT], seen=seen)
    assert [entry.question_id for entry in manifest.entries] == sorted({count.question_id for count in measured})
    for entry in manifest.entries:
        assert (entry.group == 0) == (entry.task == HELD_OUT or entry.question_id in seen) == bool(entry.left_out)
        assert entry.n == sum(count.n for count in measured if count.question_id == entry.question_id)
        assert entry.p_low <= entry.p <= entry.p_high
        assert entry.potential_low <= entry.potential <= entry.potential_high
    assert set(manifest.groups) == left
    assert sum(manifest.sizes.values()) == len(manifest.entries)


@settings(max_examples=20)
@given(counts())
def test_the_order_of_counts_does_not_matter(measured: list[Count]) -> None:
    for rule in (Rule(), Rule(parts=1)):
        assert build_manifest(measured, rule) == build_manifest(measured[::-1], rule)


def test_agents_and_temperatures_are_pooled_before_groups_are_cut() -> None:
    measured = [
        Count("q", TASKS[0], 1, agent, 0.7, 5, right) for agent, right in (("a", 5), ("b", 5), ("c", 5), ("d", 1))
    ]
    [entry] = build_manifest(measured).entries
    assert (entry.n, entry.right, entry.potential, entry.group) == (20, 16, 0.64, 1)


def test_a_guessable_task_takes_its_own_chance_level() -> None:
    measured = [Count("q", "bbh/navigate", 1, "a", None, 20, 10)]
    rule = Rule(Grouping(form="chance_corrected"))
    assert build_manifest(measured, rule).entries[0].potential == 0  # navigate is a yes/no task
    assert build_manifest(measured, rule, chance_of=lambda task: 0.0).entries[0].potential == 1


def test_it_is_read_back_as_it_was_written_and_the_bytes_are_always_the_same(tmp_path: Path) -> None:
    measured = [Count(f"q{right}", TASKS[right % 2], 1, "a", 0.7, 20, right) for right in range(21)]
    manifest = build_manifest(measured, held_out=[TASKS[0]])
    first = [file.read_bytes() for file in write_manifest(manifest, tmp_path / "a" / "manifest.parquet")]
    second = [file.read_bytes() for file in write_manifest(manifest, tmp_path / "b" / "manifest.parquet")]
    assert first == second
    loaded = load_manifest(tmp_path / "a" / "manifest.parquet")
    assert loaded == manifest and loaded.digest == manifest.digest


def test_two_versions_of_the_text_differ_in_the_lines_of_what_changed() -> None:
    manifest = make_manifest([Entry("a", 1), Entry("b", 2), Entry("c", 3)])
    changed = make_manifest([Entry("a", 1), replace(manifest.entries[1], group=1), Entry("c", 3)])
    old, new = to_text(manifest).splitlines(), to_text(changed).splitlines()
    differing = [one for one, other in zip(old, new, strict=True) if one != other]
    assert len(differing) == 3 and differing[-1].startswith("b\t")
    assert manifest.digest in differing[0] and differing[1].startswith("# questions by group")


def test_a_manifest_of_two_columns_is_enough(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    parquet.write_table(pa.table({"question_id": ["b", "a"], "group": [2, 1]}), tmp_path / "m.parquet")
    manifest = load_manifest(tmp_path / "m.parquet")
    assert manifest.groups == {"a": 1, "b": 2}


@pytest.mark.parametrize("entries", [[], [Entry("a", 1), Entry("a", 2)], [Entry("a", -1)]])
def test_what_is_no_assignment_is_refused(entries: list[Entry]) -> None:
    with pytest.raises(ManifestError):
        make_manifest(entries)


def test_the_digest_changes_with_any_group_and_with_nothing_else() -> None:
    manifest = make_manifest([Entry("a", 1, p=0.5), Entry("b", 2)])
    assert manifest.digest == make_manifest([Entry("b", 2), Entry("a", 1, p=0.4)]).digest
    assert manifest.digest != make_manifest([Entry("b", 1), Entry("a", 1)]).digest


def test_cutting_anew_keeps_what_is_left_out() -> None:
    manifest = make_manifest([Entry("a", 0, potential=1.0, n=20), *(Entry(name, 1, n=20) for name in "bcd")])
    assert recut(manifest, 3).sizes == {0: 1, 1: 1, 2: 1, 3: 1}


def test_few_answers_rank_by_what_they_vouch_for() -> None:
    measured = [Count("few", TASKS[0], 1, "a", None, 4, 2), Count("many", TASKS[0], 1, "a", None, 20, 8)]
    assert build_manifest(measured, Rule(parts=2)).groups == {"many": 1, "few": 2}


@pytest.mark.parametrize("wrong", [{"by": "nonsense", "parts": 2}, {"interval": "nonsense"}, {"by": "difficulty"}])
def test_a_rule_that_cannot_be_followed_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Rule(**wrong)  # type: ignore[arg-type]


def test_the_flow_counts_every_question_of_both_manifests_once() -> None:
    old = Manifest((Entry("a", 1), Entry("b", 1), Entry("c", 2), Entry("gone", 4)))
    new = Manifest((Entry("a", 1), Entry("b", 3), Entry("c", 2), Entry("new", 0)))
    moved = flow(old, new)
    assert moved == {("1", "1"): 1, ("1", "3"): 1, ("2", "2"): 1, ("4", ABSENT): 1, (ABSENT, "0"): 1}
    assert stayed(moved) == 2 / 3
