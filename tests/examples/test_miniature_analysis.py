"""The study's analysis on made-up results whose statistics are known, and what its protocol promises."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from r1ci_plugin.curriculum.manifest import Entry, make_manifest
from r1ci_plugin.tasks import get_task, list_tasks
from r1ci_plugin.tasks.splits import glued

GAINS = {"plain": (0.10, 0.12, 0.08, 0.11, 0.09), "staged": (0.22, 0.26, 0.18, 0.24, 0.20)}
"""By seed, on the training tasks; on the test tasks half of it."""
BASE = 0.30
QUESTIONS = 100


@pytest.fixture(scope="module")
def protocol(miniature: SimpleNamespace) -> Any:
    return miniature.protocol.load()


def answers(protocol: Any, gain: float) -> dict[str, dict[str, tuple[float, float]]]:
    """Answers that are right at the rate of the base and the gain, the same in every task of a side."""
    found = {}
    for task in protocol.tasks.all:
        right = round(QUESTIONS * (BASE + (gain if task in protocol.tasks.train else gain / 2)))
        found[task] = {f"{task}|{number}": (float(number < right), 1.0) for number in range(QUESTIONS)}
    return found


@pytest.fixture
def made_up(miniature: SimpleNamespace, protocol: Any) -> Any:
    """Makes a result."""

    def make(arm: str, seed: int, gain: float, **changes: Any) -> Any:
        step = {"stage": 1, "step": 1, "trajectories": 96, "groups": {"1": 12}, "acc": 0.4, "effective_share": 0.5}
        one = miniature.result.Result(
            arm=arm,
            seed=seed,
            learning_rate=2e-4,
            is_tuning=False,
            settings="made up",
            start="one policy",
            tasks=protocol.tasks.train,
            answers=answers(protocol, gain),
            behaviour={"code_use_rate": 0.5 + gain, "self_check_rate": 0.0},
            steps=(step, {**step, "step": 2, "effective_share": 0.7}),
            groups={1: 200, 2: 40, 3: 30, 4: 402},
            seconds={"training": 100.0},
        )
        return replace(one, **changes)

    return make


@pytest.fixture
def core_results(made_up: Any) -> list[Any]:
    base = made_up("sft", 0, 0.0, steps=(), tasks=())
    return [base, *(made_up(arm, seed, gain) for arm in GAINS for seed, gain in enumerate(GAINS[arm], 1))]


def test_gains_differences_and_ratio_are_those_of_the_made_up_answers(
    miniature: SimpleNamespace, protocol: Any, core_results: list[Any]
) -> None:
    study = miniature.analysis.Study.of(protocol, core_results)
    gains = study.gains("train")
    assert gains["plain"] == pytest.approx(dict(enumerate(GAINS["plain"], 1)))
    assert study.gains("test")["staged"] == pytest.approx({s: g / 2 for s, g in enumerate(GAINS["staged"], 1)})
    difference = miniature.analysis.difference(study, gains, "staged", "plain")
    # 12, 14, 10, 13, 11 points: mean 12, standard deviation sqrt(2.5), t(4) = 2.776
    half = 2.7764451 * 0.025**0.5 / 10 / 5**0.5
    assert difference.value == pytest.approx(0.12)
    assert difference.interval == pytest.approx((0.12 - half, 0.12 + half)) and difference.excludes_zero
    ratio = miniature.analysis.ratio(study, gains, "staged", "plain")
    assert ratio.value == pytest.approx(2.2) and ratio.interval[0] < 2.2 < ratio.interval[1]
    compared = miniature.analysis.on_questions(study, "staged", "plain", "train").overall
    assert compared.difference == pytest.approx(0.12) and compared.p < 0.001
    assert compared.questions == QUESTIONS * len(protocol.tasks.train)


def test_pairs_are_of_the_seeds_both_arms_have(
    miniature: SimpleNamespace, protocol: Any, core_results: list[Any]
) -> None:
    left = [one for one in core_results if (one.arm, one.seed) not in {("plain", 1), ("staged", 5)}]
    study = miniature.analysis.Study.of(protocol, left)
    difference = miniature.analysis.difference(study, study.gains("train"), "staged", "plain")
    assert difference.values == pytest.approx((0.14, 0.10, 0.13))


def test_order_of_groups_is_counted_seed_by_seed(miniature: SimpleNamespace, protocol: Any, made_up: Any) -> None:
    falling = {"group_1": 0.2, "group_2": 0.15, "group_3": 0.1, "group_4": 0.0}
    results = [made_up("sft", 0, 0.0), *(made_up(arm, 1, gain) for arm, gain in falling.items())]
    results += [made_up(arm, 2, 0.2 - gain) for arm, gain in falling.items()]
    results += [made_up("group_1", 3, 0.2)]
    study = miniature.analysis.Study.of(protocol, results)
    assert miniature.analysis.ordered_seeds(study.gains("train"), tuple(falling)) == (1, 2)


def test_an_arm_of_few_tasks_is_measured_on_these(miniature: SimpleNamespace, protocol: Any, made_up: Any) -> None:
    few = protocol.tasks.train[:1]
    one = made_up(
        "tasks_1", 1, 0.0, tasks=few, answers=answers(protocol, 0.0) | {few[0]: answers(protocol, 0.5)[few[0]]}
    )
    study = miniature.analysis.Study.of(protocol, [made_up("sft", 0, 0.0), one])
    assert study.gains("train")["tasks_1"][1] == pytest.approx(0.5)


def test_cold_start_is_measured_from_the_policy_it_began_with(
    miniature: SimpleNamespace, protocol: Any, made_up: Any
) -> None:
    results = [made_up("sft", 0, 0.0), made_up("cold_start", 0, -0.2), made_up("cold", 1, -0.15)]
    study = miniature.analysis.Study.of(protocol, results)
    assert study.gains("train")["cold"][1] == pytest.approx(0.05)


def test_a_policy_that_was_made_anew_has_a_baseline_of_its_own(
    miniature: SimpleNamespace, protocol: Any, made_up: Any
) -> None:
    results = [made_up("sft", 0, 0.0), made_up("sft", 0, 0.2, start="another")]
    results += [made_up("plain", 1, 0.1), made_up("plain", 2, 0.25, start="another")]
    results += [made_up("plain", 3, 0.1, start="of no baseline")]
    study = miniature.analysis.Study.of(protocol, results)
    assert study.gains("train")["plain"] == pytest.approx({1: 0.1, 2: 0.05})
    page = miniature.page.markdown(study)
    assert "| sft one poli, not trained |  | 30.0% |" in page and "| sft another, not trained |  | 50.0% |" in page
    assert "began with 3 fine-tuned policies" in page


def test_few_tasks_are_compared_with_all_tasks_on_the_same_tasks_and_from_the_same_policy(
    miniature: SimpleNamespace, protocol: Any, made_up: Any
) -> None:
    easy, hard = protocol.tasks.train[:2]

    def few(arm: str, seed: int, task: str, gain: float, **changes: Any) -> Any:
        own = {task: answers(protocol, gain)[task]}
        return made_up(arm, seed, 0.0, tasks=(task,), answers=answers(protocol, 0.0) | own, **changes)

    results = [made_up("sft", 0, 0.0), few("tasks_1", 1, easy, 0.5), few("tasks_1", 2, hard, 0.3)]
    results += [few("tasks_1", 3, easy, 0.5, start="another"), few("tasks_1", 4, easy, 0.5)]
    results += [few("tasks_21", 1, easy, 0.4), few("tasks_21", 2, easy, 0.4), made_up("tasks_21", 3, 0.1)]
    study = miniature.analysis.Study.of(protocol, results)
    assert miniature.analysis.on_own_tasks(study, "tasks_1", "tasks_21").values == pytest.approx((0.1, 0.3))
    assert miniature.analysis.on_own_tasks(study, "tasks_4", "tasks_21") is None


def test_the_learning_rate_is_the_best_of_a_whole_grid(miniature: SimpleNamespace, protocol: Any, made_up: Any) -> None:
    [seed] = protocol.tuning.seeds
    rates = dict(zip(protocol.tuning.learning_rates, (0.1, 0.3, 0.2), strict=True))
    tried = [made_up("plain", seed, gain, learning_rate=rate, is_tuning=True) for rate, gain in rates.items()]
    tuned = miniature.analysis.tuned(miniature.analysis.Study.of(protocol, tried))
    assert tuned == {"plain": protocol.tuning.learning_rates[1]}
    assert miniature.analysis.tuned(miniature.analysis.Study.of(protocol, tried[:2])) == {}
    assert miniature.pieces.piece(protocol, "group_1", 1, tuned).learning_rate == tuned["plain"]


def test_what_was_not_run_is_named_and_no_number_stands_for_it(
    miniature: SimpleNamespace, protocol: Any, core_results: list[Any]
) -> None:
    nothing = miniature.page.markdown(miniature.analysis.Study.of(protocol, []))
    for arm in protocol.arms:
        assert all(f"{arm}-{seed}" in nothing for seed in protocol.seeds_of(arm))
    assert "%" not in nothing.replace("95% interval", "") and "| yes |" not in nothing and "| no |" not in nothing
    some = miniature.page.markdown(miniature.analysis.Study.of(protocol, core_results))
    assert "| staged less plain GRPO, points | above 0, interval excludes 0 | +12.0 (+10.0 to +14.0) | yes |" in some
    assert "reverse: not run yet" in some and "plain-1," not in some and "reverse-1" in some


def test_results_come_back_from_their_files_and_fill_the_page(
    miniature: SimpleNamespace, protocol: Any, core_results: list[Any], tmp_path: Path
) -> None:
    current = miniature.training.settings_of
    core_results = [replace(one, settings=current(protocol, one)) for one in core_results]
    for one in core_results:
        miniature.result.write(one, tmp_path / "results" / f"{one.arm}-{one.seed}.json")
    back = miniature.result.read_all(tmp_path / "results")
    expected = sorted(core_results, key=lambda one: f"{one.arm}-{one.seed}")
    assert [replace(one, finished="") for one in back] == expected
    page = tmp_path / "study.md"
    begin, end = (mark.format(form="core") for mark in (miniature.page.BEGIN, miniature.page.END))
    page.write_text(f"before\n{begin}\nwhat stood here\n{end}\nafter\n")
    command = [sys.executable, miniature.study.__file__, "analyse", "--results", tmp_path / "results", "--page", page]
    outcome = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120)
    assert outcome.returncode == 0, outcome.stderr
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "what stood here" not in text
    assert "+12.0 (+10.0 to +14.0)" in text and "Half of the pieces took less than 1.7 minutes." in text
    assert (tmp_path / "results" / "figures" / "effective_share.png").stat().st_size > 10_000
    shown = re.findall(r"!\[.+?\]\((.+?)\)", text)
    drawn = ("gains_train", "gains_test", "effective_share", "acc")  # the made-up steps say nothing of code
    assert shown == [f"images/study-core/{slug}.png" for slug in drawn]
    assert all((tmp_path / file).stat().st_size > 10_000 for file in shown)


def test_curves_are_means_over_equal_parts_of_the_trajectories(miniature: SimpleNamespace, made_up: Any) -> None:
    def result(seed: int, *steps: tuple[int, float]) -> Any:
        made = [{"stage": 1, "step": n, "trajectories": size, "acc": acc} for n, (size, acc) in enumerate(steps, 1)]
        return made_up("dapo_filter", seed, 0.1, steps=(*made, {"stage": 1, "step": 9, "trajectories": 0}))

    # a budget of 400 in four parts: steps of 100 each, and steps of which the first two end in the second part
    even = result(1, (100, 0.1), (100, 0.2), (100, 0.3), (100, 0.4))
    uneven = result(2, (150, 0.6), (50, 0.8), (200, 1.0))
    found = miniature.analysis.curve([even, uneven], "acc", 400, 4)
    expected = [(50, 0.1), (150, (0.2 + 0.7) / 2), (250, 0.3), (350, (0.4 + 1.0) / 2)]
    assert [value for point in found for value in point] == pytest.approx([v for point in expected for v in point])
    assert miniature.analysis.curve([even], "code_rate", 400, 4) == []


def test_results_of_other_settings_are_refused(
    miniature: SimpleNamespace, protocol: Any, made_up: Any, tmp_path: Path
) -> None:
    piece = miniature.pieces.piece(protocol, "plain", 1, {})
    assert not miniature.training.is_done(protocol, piece, tmp_path)
    miniature.result.write(made_up("plain", 1, 0.1), tmp_path / "plain-1.json")
    with pytest.raises(miniature.result.ResultError, match="other settings"):
        miniature.training.is_done(protocol, piece, tmp_path)
    right = miniature.pieces.settings_digest(protocol, piece)
    miniature.result.write(made_up("plain", 1, 0.1, settings=right), tmp_path / "plain-1.json")
    assert miniature.training.is_done(protocol, piece, tmp_path)
    (tmp_path / "plain-1.json").write_text(json.dumps({"format": 0}))
    with pytest.raises(miniature.result.ResultError, match="no result"):
        miniature.training.is_done(protocol, piece, tmp_path)


def test_arms_that_are_compared_differ_in_nothing_but_their_ablation(miniature: SimpleNamespace, protocol: Any) -> None:
    def overrides(arm: str) -> set[str]:
        piece = miniature.pieces.piece(protocol, arm, 1, {})
        return set(miniature.pieces.overrides(protocol, piece, "manifest.parquet"))

    staged = overrides("staged")
    for arm in ("plain", "by_difficulty", "reverse"):
        assert overrides(arm) - staged == {f"+r1ci_ablation@_global_={protocol.arms[arm].ablation}"}
        assert staged <= overrides(arm)
    assert overrides("cold") == staged
    budgets = {arm.runs * protocol.steps_of(arm) for arm in protocol.arms.values() if not arm.is_probe}
    assert budgets == {protocol.training.steps}


def test_the_protocol_has_enough_tasks_and_no_family_on_both_sides(protocol: Any) -> None:
    assert len(protocol.tasks.train) >= 20 and len(protocol.tasks.test) >= 8
    assert all(get_task(name).info for name in protocol.tasks.all)
    for family in glued(list_tasks()):
        sides = {side for side in ("train", "test") if set(family) & set(getattr(protocol.tasks, side))}
        assert len(sides) <= 1, family
    assert not set(protocol.tuning.seeds) & {*protocol.seeds.core, *protocol.seeds.extension}


def test_few_tasks_are_chosen_by_the_seed(miniature: SimpleNamespace, protocol: Any) -> None:
    chosen = {
        seed: miniature.pieces.trained_tasks(protocol, protocol.arms["tasks_4"], seed) for seed in protocol.seeds.core
    }
    assert all(len(set(tasks)) == 4 for tasks in chosen.values()) and len(set(chosen.values())) > 1
    assert miniature.pieces.trained_tasks(protocol, protocol.arms["tasks_21"], 1) == protocol.tasks.train


def test_a_protocol_that_contradicts_itself_is_refused(
    miniature: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("protocol.yaml", "quick.yaml"):
        (tmp_path / name).write_text((miniature.protocol.HERE / name).read_text())
    monkeypatch.setattr(miniature.protocol, "HERE", tmp_path)
    (tmp_path / "broken.yaml").write_text("tasks: {test: [symbench/letters]}\n")
    with pytest.raises(miniature.protocol.ProtocolError, match="both sides: symbench/letters"):
        miniature.protocol.load("broken")
    (tmp_path / "broken.yaml").write_text("training: {speps: 3}\n")
    with pytest.raises(miniature.protocol.ProtocolError, match="speps"):
        miniature.protocol.load("broken")
    assert miniature.protocol.load("quick").form == "quick"
    with pytest.raises(miniature.protocol.ProtocolError, match="no protocol rare: core, broken, quick"):
        miniature.protocol.load("rare")


def test_a_repetition_in_another_folder_has_the_rates_that_were_tuned(
    miniature: SimpleNamespace, protocol: Any, made_up: Any, tmp_path: Path
) -> None:
    def keep(folder: Path, best: int) -> None:
        for place, rate in enumerate(protocol.tuning.learning_rates):
            [seed] = protocol.tuning.seeds
            one = made_up("plain", seed, 0.3 if place == best else 0.1, learning_rate=rate, is_tuning=True)
            one = replace(one, settings=miniature.training.settings_of(protocol, one))
            miniature.result.write(one, folder / f"plain-lr{rate:g}.json")

    rates, kept, folder = protocol.tuning.learning_rates, tmp_path / "kept", tmp_path / "again"
    keep(kept, 1)
    assert miniature.study._tuned(protocol, kept, folder) == {"plain": rates[1]}
    keep(folder, 0)
    assert miniature.study._tuned(protocol, kept, folder) == {"plain": rates[0]}
    other = replace(protocol, training=replace(protocol.training, warmup_steps=7))
    assert miniature.study._tuned(other, kept, tmp_path / "none") == {}


@pytest.mark.parametrize("form", ["core", "habit"])
def test_every_result_that_is_kept_is_of_the_settings_its_protocol_has_now(
    miniature: SimpleNamespace, form: str
) -> None:
    protocol = miniature.protocol.load(form)
    folder = miniature.protocol.HERE / "results" / ("" if form == "core" else form)
    assert len(miniature.training.current(protocol, folder)) > 10
    other = replace(protocol, evaluation=replace(protocol.evaluation, answers=1))
    with pytest.raises(miniature.result.ResultError, match="was made with other settings"):
        miniature.training.current(other, folder)


def test_the_seconds_of_a_piece_are_those_of_all_its_sittings(miniature: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "seconds").write_text("100.0")
    assert 100.05 < miniature.training._timed(tmp_path, lambda: time.sleep(0.06)) < 110

    def killed() -> None:
        time.sleep(0.06)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        miniature.training._timed(tmp_path, killed)
    assert float((tmp_path / "seconds").read_text()) > 100.11


def test_a_command_is_stopped_with_the_driver_and_a_bad_one_names_its_log(
    miniature: SimpleNamespace, tmp_path: Path
) -> None:
    log = tmp_path / "logs" / "one.log"
    with pytest.raises(miniature.commands.CommandFailed, match=r"exit code 3: read .*one\.log"):
        miniature.commands.run([sys.executable, "-c", "print('words'); raise SystemExit(3)"], log)
    assert "words" in log.read_text()
    asked = iter((False, True))
    sleep = "import os, time, pathlib; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(600)"
    place = [sys.executable, "-c", f"import os; os.chdir({str(tmp_path)!r}); {sleep}"]
    miniature.commands.run(place, log, ended=lambda: next(asked))  # stopped on purpose: no failure

    def interrupted() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        miniature.commands.run(place, log, ended=interrupted)
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text()}").exists()


def test_a_run_is_cut_at_the_last_step_within_the_budget_and_filtered_answers_count(
    miniature: SimpleNamespace, tmp_path: Path
) -> None:
    lines = [
        {"step": step, "question_id": f"q{number}", "task": "bbh/navigate", "group": 1 + number, "n": 8, "right": 4,
         "trained": number < 2, "p": 0.5}
        for step in (1, 2, 3)
        for number in range(2 + step)
    ]  # fmt: skip
    (tmp_path / "ledger.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "metrics").mkdir()
    metrics = [{"step": step, "data": {"r1ci/reward/acc": 0.5, "r1ci/agent/lost": step - 1}} for step in (0, 1, 2, 3)]
    metrics[0]["data"] = {"val": 1.0}
    (tmp_path / "metrics" / "one.jsonl").write_text("".join(json.dumps(line) + "\n" for line in metrics))
    within = miniature.training._steps_within
    assert [within(tmp_path, budget) for budget in (23, 24, 55, 56, 95, 96, 500)] == [0, 1, 1, 2, 2, 3, 3]
    steps = list(miniature.result.steps_of(tmp_path, stage=2))
    assert [(one["step"], one["trajectories"]) for one in steps] == [(1, 24), (2, 33), (3, 42)]
    assert steps[0]["groups"] == {"1": 1, "2": 1, "3": 1} and {one["stage"] for one in steps} == {2}


def test_a_group_alone_has_as_many_questions_as_every_other(miniature: SimpleNamespace) -> None:
    entries = [Entry(f"q{number}", 1 + number % 4 if number < 36 else 1) for number in range(60)]
    manifest = make_manifest(entries)
    for group in (1, 2, 3, 4):
        alone = miniature.shared._alone(manifest, group, 9)
        chosen = [entry.question_id for entry in alone.entries if entry.group == 1]
        assert len(chosen) == 9 == alone.sizes[1] and alone.sizes[0] == 51
        assert {manifest.by_id[name].group for name in chosen} == {group}
