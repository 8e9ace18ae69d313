"""An exported policy is the run's own, and its card says what the run's files say and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from r1ci_plugin.cli.main import build
from r1ci_plugin.curriculum.starts import Start, append_start
from r1ci_plugin.export.folder import export
from r1ci_plugin.export.results import read_evaluation
from r1ci_plugin.record import Record
from r1ci_plugin.stages.errors import StageFailed
from r1ci_plugin.stages.run_folder import RunFolder
from r1ci_plugin.tasks import Question, Verdict
from r1ci_plugin.trajectory import Trajectory
from r1ci_plugin.weights import digest_of

STEPS = 20

MakeRun = Callable[..., RunFolder]


def save_policy(folder: Path, value: float) -> Path:
    folder.mkdir(parents=True)
    save_file({"w": torch.full((2, 2), value)}, folder / "model.safetensors")
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_text("{}")
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "build.json").write_text(json.dumps({"plan": {"trains_on_canary": []}}))
    return folder


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = save_policy(tmp_path / "home" / "my-sft-policy", 0)
    (folder / "README.md").write_text("---\nlicense: mit\ntags: [x]\n---\nlicense: no, this is text\n")
    return folder


@pytest.fixture
def make_run(tmp_path: Path, data: Path) -> MakeRun:
    """A finished run of a stage: training accuracy goes from 0.3 to 0.5 + stage / 10, held-out from 0.25 to 0.75."""

    def make(stage: int, policy: object, acc_key: str = "val-core/symbench/letters/acc/mean@1") -> RunFolder:
        run = tmp_path / "runs" / f"r1ci_stage{stage}"
        config = {
            "r1ci": {"stage": stage, "manifest": None},
            "trainer": {"total_training_steps": STEPS, "default_local_dir": str(run)},
            "data": {"train_files": str(data / "train.parquet")},
            "actor_rollout_ref": {"model": {"path": str(policy)}},
        }
        hydra = run / "hydra" / "2026-01-01T00-00-00" / ".hydra"
        hydra.mkdir(parents=True)
        (hydra / "config.yaml").write_text(json.dumps(config))
        overrides = [f"+recipe=r1ci_stage{stage}", f"data.train_files='{data}/train.parquet'", "data.seed=7"]
        (hydra / "overrides.yaml").write_text(json.dumps(overrides))
        append_start(run, Start(0, stage, "feedbeef" if stage > 1 else None, {1: 30, 2: 7}, None))
        accs = [0.3] * 10 + [0.5 + stage / 10] * 10
        lines = [{"step": 0, "data": {acc_key: 0.25}}]
        lines += [{"step": step, "data": {"r1ci/reward/acc": acc}} for step, acc in enumerate(accs, 1)]
        lines[-1]["data"][acc_key] = 0.75
        (run / "metrics").mkdir()
        (run / "metrics" / "1.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
        save_policy(run / f"global_step_{STEPS}" / "actor" / "huggingface", stage)
        (run / "latest_checkpointed_iteration.txt").write_text(str(STEPS))
        return RunFolder(run)

    return make


def record(question: int, task: str, right: bool | None, temperature: float = 0.6) -> dict[str, Any]:
    verdict = None if right is None else Verdict("correct" if right else "wrong", "")
    trajectory = Trajectory([], outcome="lost" if right is None else "answered", transport="messages")
    asked = Question(task, question, 1, f"Question {question}?", {})
    key = f"{task}{question}{temperature}"
    return Record(key, asked, "code_agent", trajectory, verdict, temperature=temperature).to_dict()


@pytest.fixture
def evaluation(tmp_path: Path) -> Callable[..., Path]:
    def make(policy: object) -> Path:
        folder = tmp_path / "eval"
        folder.mkdir()
        lines = [
            *(record(number, "symbench/letters", number == 0) for number in range(4)),
            *(record(number, "symbench/reversi", True) for number in range(2)),
            {**record(0, "symbench/letters", True), "key": "again"},
            record(0, "bbh/dyck_languages", False),
            record(1, "bbh/dyck_languages", None),
        ]
        (folder / "trajectories.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        facts = {"policy": str(policy), "weights": digest_of(str(policy))}
        (folder / "run.json").write_text(json.dumps(facts))
        return folder

    return make


def test_the_folder_holds_the_policy_of_the_newest_checkpoint(make_run: MakeRun, base: Path, tmp_path: Path) -> None:
    export(make_run(1, base), tmp_path / "out")
    assert load_file(tmp_path / "out" / "model.safetensors")["w"][0, 0] == 1
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        *("README.md", "r1ci_export.json", "config.json", "tokenizer.json", "model.safetensors")
    }


def test_the_card_tells_the_way_from_the_base_policy_through_every_stage(
    make_run: MakeRun, base: Path, tmp_path: Path
) -> None:
    first = make_run(1, base)
    second = make_run(2, first.checkpoint() / "huggingface")
    facts = export(second, tmp_path / "my-policy")
    card = (tmp_path / "my-policy" / "README.md").read_text()
    assert card.startswith("---\nlicense: mit\nlibrary_name: transformers\n")
    assert "# my-policy" in card and "from `my-sft-policy`" in card
    assert "| 1 | 20 | 30 of group 1, 7 of group 2 | 30.0 → 60.0 % | 25.0 → 75.0 % |" in card
    assert "| 2 | 20 | 30 of group 1, 7 of group 2 | 30.0 → 70.0 % | 25.0 → 75.0 % |" in card
    assert "| manifest of stage 1 | none: one group |" in card and "| manifest of stage 2 | `feedbeef` |" in card
    assert facts.weights in card and first.settings().digest in card and second.settings().digest in card
    assert "data.seed=7" in card and "verl 0." in card
    assert "None was given when this card was written" in card and "canary" not in card


def test_nothing_published_names_a_folder_of_this_machine(
    make_run: MakeRun, base: Path, tmp_path: Path, evaluation: Callable[..., Path]
) -> None:
    run = make_run(1, base)
    export(run, tmp_path / "out", evaluation=evaluation(run.checkpoint() / "huggingface"))
    for name in ("README.md", "r1ci_export.json"):
        assert str(tmp_path) not in (tmp_path / "out" / name).read_text()


def test_a_base_policy_of_the_hub_is_linked_and_its_licence_is_not_guessed(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(1, "Qwen/Qwen2.5-3B-Instruct")
    export(run, tmp_path / "a")
    export(run, tmp_path / "b", licence="qwen-research")
    unknown, known = ((tmp_path / name / "README.md").read_text() for name in "ab")
    assert unknown.startswith("---\nlicense: other\nbase_model: Qwen/Qwen2.5-3B-Instruct\n")
    assert "The licence of `Qwen/Qwen2.5-3B-Instruct` applies" in unknown
    assert known.startswith("---\nlicense: qwen-research\n") and "**Licence.**" not in known


def test_training_on_public_test_questions_is_said(make_run: MakeRun, base: Path, data: Path, tmp_path: Path) -> None:
    (data / "build.json").write_text(json.dumps({"plan": {"trains_on_canary": ["bbh/snarks"]}}))
    export(make_run(1, base), tmp_path / "out")
    assert "The training questions of bbh/snarks come from published" in (tmp_path / "out" / "README.md").read_text()


def test_every_task_counts_the_same_and_lost_answers_count_nowhere(evaluation: Callable[..., Path]) -> None:
    [result] = read_evaluation(evaluation("served-policy")).results
    assert result.suites == {"bbh": 0.0, "symbench": pytest.approx((0.25 + 1.0) / 2)}
    assert result.overall == pytest.approx((0.25 + 1.0 + 0.0) / 3)
    assert (result.tasks, result.answers, result.lost) == (3, 8, 1)


def test_the_evaluation_is_in_the_card(
    make_run: MakeRun, base: Path, tmp_path: Path, evaluation: Callable[..., Path]
) -> None:
    run = make_run(1, base)
    export(run, tmp_path / "out", evaluation=evaluation(run.checkpoint() / "huggingface"))
    card = (tmp_path / "out" / "README.md").read_text()
    assert "| agent | temperature | symbench | bbh | all tasks | tasks | answers |" in card
    assert "| code_agent | 0.6 | 62.5 | 0.0 | 41.7 | 3 | 8 |" in card  # of each task its questions, not its answers
    assert "1 answers were lost to the infrastructure" in card


def test_an_evaluation_of_other_weights_is_refused(
    make_run: MakeRun, base: Path, tmp_path: Path, evaluation: Callable[..., Path]
) -> None:
    with pytest.raises(StageFailed, match="evaluates another policy"):
        export(make_run(1, base), tmp_path / "out", evaluation=evaluation(base))
    assert not (tmp_path / "out").exists()


def test_an_evaluation_by_a_server_cannot_be_compared_and_is_taken(
    make_run: MakeRun, base: Path, tmp_path: Path, evaluation: Callable[..., Path]
) -> None:
    export(make_run(1, base), tmp_path / "out", evaluation=evaluation("a model at an address"))
    assert "| code_agent |" in (tmp_path / "out" / "README.md").read_text()


def test_what_is_there_is_replaced_only_if_asked_and_only_if_it_is_an_export(
    make_run: MakeRun, base: Path, tmp_path: Path
) -> None:
    run, out = make_run(1, base), tmp_path / "out"
    export(run, out)
    with pytest.raises(StageFailed, match="exists"):
        export(run, out)
    (out / "stale").touch()
    export(run, out, force=True)
    assert not (out / "stale").exists()
    with pytest.raises(StageFailed, match="is no earlier export"):
        export(run, base, force=True)
    assert (base / "model.safetensors").exists()


def test_the_command_ends_with_one_line_where_there_is_no_run(tmp_path: Path) -> None:
    arguments = ["export", str(tmp_path), "--out", str(tmp_path / "out")]
    outcome = CliRunner().invoke(build(arguments), arguments)
    assert outcome.exit_code == 2
    assert "holds no run of a recipe. Mend:" in outcome.output


def test_the_command_exports(make_run: MakeRun, base: Path, tmp_path: Path) -> None:
    arguments = ["export", str(make_run(1, base).path), "--out", str(tmp_path / "out"), "--json"]
    outcome = CliRunner().invoke(build(arguments), arguments)
    assert outcome.exit_code == 0
    assert json.loads(outcome.output)["base"] == "my-sft-policy"
