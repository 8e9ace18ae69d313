"""The report: one page that needs nothing else, true to the numbers, safe against names, in both colour schemes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from typer.testing import CliRunner

from r1ci_plugin.cli.main import build
from r1ci_plugin.curriculum.metrics import Sample, batch_metrics
from r1ci_plugin.curriculum.staleness import staleness_metrics
from r1ci_plugin.evaluation.external import external_question
from r1ci_plugin.journal import Journal
from r1ci_plugin.record import Record
from r1ci_plugin.report.panel import Panel
from r1ci_plugin.report.panels import learning
from r1ci_plugin.report.sources import read_sources
from r1ci_plugin.report.summary import facts
from r1ci_plugin.report.timeline import Timeline
from r1ci_plugin.reward.manager import EXTRA_KEYS
from r1ci_plugin.tasks import Verdict, get_task
from r1ci_plugin.trajectory import CodeCall, Trajectory, Turn

TASKS = ("symbench/letters", "bbh/boolean_expressions", "reasoning_gym/count_bits")
TIMES = {"wall_s": 4.0, "generate_s": 2.0, "execute_s": 1.0}
HOSTILE = "<img src=x onerror=alert(1)> $\\x$"


def step_metrics(step: int, stage: int) -> dict[str, float]:
    """What training logs of a step of 24 trajectories, more of them right as it goes on."""
    samples = [
        Sample(
            group=f"{task}{number // 4}",
            question_id=f"{task}{number // 4}",
            task=task,
            reward=float(number < step),
            facts={
                **Trajectory([1], outcome="answered").facts(),
                **TIMES,
                "calls": 1,
                "calls_ok": 1,
                "call_run_s": 0.01 * step,
            },
            extra={**dict.fromkeys(EXTRA_KEYS, 0.0), "acc": float(number < step)},
        )
        for task in TASKS
        for number in range(8)
    ]
    found = {**batch_metrics(samples, lost=0), "r1ci/curriculum/stage": float(stage), "timing_s/gen": 3.0}
    return found | {f"val-core/{task}/acc/mean@1": step / 8 for task in TASKS if step in (0, 6)}


def write_training(folder: Path, stage: int) -> Path:
    (folder / "metrics").mkdir(parents=True)
    lines = [{"step": step, "data": step_metrics(step, stage)} for step in range(7)]
    (folder / "metrics" / "2026-01-01T00-00-00.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    (folder / "validation").mkdir()
    for step in (0, 6):
        answers = [
            {"gts": json.dumps({"task": task}), "acc": float(number < step), "calls": float(number % 2)}
            for task in TASKS
            for number in range(8)
        ]
        text = "".join(f"{json.dumps(answer)}\n" for answer in answers)
        (folder / "validation" / f"{step}.jsonl").write_text(text)
    return folder


def test_staleness_is_drawn_where_there_is_some_and_only_there(tmp_path: Path) -> None:
    on_policy = write_training(tmp_path / "sync", stage=1)
    late = write_training(tmp_path / "async", stage=1)
    file = late / "metrics" / "2026-01-01T00-00-00.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:
        trajectory = [(0, line["step"] // 3, 10)]
        line["data"] |= staleness_metrics([trajectory], version=line["step"]) | {"rollout_corr/k3_kl": 0.01}
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))

    def panels(run: Path) -> list[Panel]:
        section = learning.section(Timeline(read_sources([run]).runs))
        return list(section.panels) if section else []

    assert "staleness" not in [panel.slug for panel in panels(on_policy)]
    (panel,) = [panel for panel in panels(late) if panel.slug == "staleness"]
    assert panel.table.rows[6] == (6, 6.0, 6.0, 1.0, 0.01)


def write_evaluation(folder: Path, agents: Sequence[str]) -> Path:
    question = get_task("symbench/letters").make(1, 1)
    with Journal(folder / "trajectories.jsonl") as journal:
        for agent in agents:
            for number in range(4):
                call = CodeCall("print(1)") if number else None
                trajectory = Trajectory([1], [Turn([1], [], "x", call)], "answered", "1")
                verdict = Verdict.correct() if number < 3 else Verdict.wrong("no")
                key = f"{agent}{number}"
                journal.append(Record(key, question, agent, trajectory, verdict, sample=number).to_dict())
            lost = Trajectory([1], outcome="lost", reason="gone")
            journal.append(Record(f"{agent} lost", question, agent, lost, None).to_dict())
    return folder


def test_own_question_sets_are_tasks_of_their_own_as_in_eval_show(tmp_path: Path) -> None:
    with Journal(tmp_path / "trajectories.jsonl") as journal:
        for name, rights in (("big", [True] * 8), ("small", [False] * 2)):
            for number, right in enumerate(rights):
                line = {"prompt": f"{name} {number}?", "answer": "1", "kind": "integer", "set": name}
                trajectory = Trajectory([1], [Turn([1], [], "x")], "answered", "1")
                verdict = Verdict.correct() if right else Verdict.wrong("no")
                question = external_question(line, number)
                journal.append(Record(f"{name}{number}", question, "code_agent", trajectory, verdict).to_dict())
    [evaluation] = read_sources([tmp_path]).evaluations
    assert {name: tally.acc for name, tally in evaluation.tasks.items()} == {"external/big": 1.0, "external/small": 0.0}


def test_runs_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    runs = [write_evaluation(tmp_path / name / "eval", ["code_agent"]) for name in "ab"]
    other = write_evaluation(tmp_path / "c" / "other", ["code_agent"])
    names = [evaluation.run for evaluation in read_sources([*runs, other]).evaluations]
    assert names == ["a/eval", "b/eval", "other"]


def test_a_suite_without_answers_in_a_validation_has_no_accuracy_there(tmp_path: Path) -> None:
    run = write_training(tmp_path / "run", stage=1)
    dump = run / "validation" / "6.jsonl"
    kept = [line for line in dump.read_text().splitlines() if "symbench" not in line]
    dump.write_bytes("\n".join(kept).encode() + b'\n{"gts": "caf\xc3')  # cut within a character by a kill
    section = learning.section(Timeline(read_sources([run]).runs))
    assert section is not None
    (panel,) = [panel for panel in section.panels if panel.slug == "validation"]
    place = panel.table.header.index("symbench")
    assert [row[place] for row in panel.table.rows] == [0.0, None]


def write_manifest(file: Path, groups: Sequence[int]) -> Path:
    ids, count = [f"q{number}" for number in range(len(groups))], len(groups)
    columns = {"question_id": ids, "group": groups, "n": [20] * count, "p": [0.15] * count, "potential": [0.51] * count}
    parquet.write_table(pa.table(columns), file)
    return file


def report_of(*arguments: Path | str) -> Any:
    command = ["report", *map(str, arguments)]
    return CliRunner().invoke(build(command), command)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report of two stages, an evaluation of two agents and two manifests."""
    folder = tmp_path_factory.mktemp("runs")
    stages = [write_training(folder / f"r1ci_stage{stage}", stage) for stage in (1, 2)]
    evaluation = write_evaluation(folder / "evaluation", ("all_text", HOSTILE))
    before = write_manifest(folder / "before.parquet", [1, 1, 1, 2, 4])
    after = write_manifest(folder / "after.parquet", [1, 2, 2, 2, 4, 3])
    result = report_of(*stages, evaluation, before, after, "--out", folder / "report")
    assert result.exit_code == 0, result.output
    return folder / "report"


def table_of(page: str, slug: str) -> list[list[str]]:
    body = page.split(f'id="{slug}"')[1].split("<tbody>")[1].split("</tbody>")[0]
    return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in body.split("</tr>") if "<td" in row]


@pytest.fixture(scope="module")
def html(report: Path) -> str:
    return (report / "index.html").read_text()


def test_the_page_is_whole_in_itself(html: str) -> None:
    outside = set(re.findall(r"(?:https?:)?//[\w.]+", html)) - {"http://www.w3.org"}
    assert not outside and "<script" not in html
    assert len(html) < 2_000_000


def test_every_figure_is_there_as_svg_with_its_table_and_as_png(report: Path, html: str) -> None:
    panels = re.findall(r'<figure id="([\w-]+)"', html)
    names = re.findall(r' id="([\w-]+)"', html)
    assert len(names) == len(set(names))
    assert len(panels) >= 16 and html.count("<svg") == html.count("<table>") == len(panels)
    for slug in panels:
        assert (report / "figures" / f"{slug}.png").read_bytes()[:4] == b"\x89PNG"
        assert table_of(html, slug)


def test_a_name_from_a_file_is_text_and_never_markup(html: str) -> None:
    assert "<img" not in html and "&lt;img src=x onerror=alert(1)&gt; $\\x$" in html


def test_stages_stand_one_after_another(html: str) -> None:
    rows = table_of(html, "reward")
    assert [row[0] for row in rows] == [str(step) for step in (0, *range(1, 7), *range(6, 13))]
    assert rows[3][1] == "0.375" and rows[-1][1] == "0.750"


def test_intervals_are_those_of_the_counts(html: str) -> None:
    last = table_of(html, "validation")[-1]
    assert last[:3] == ["12", "0.750", "24"] and [float(value) for value in last[3:5]] == [0.551, 0.88]


def test_lost_trajectories_are_in_no_count(html: str) -> None:
    rows = [row for row in table_of(html, "evaluation-suites") if row[0] == "evaluation: all_text"]
    assert [row[2:4] for row in rows] == [["4", "0.750"], ["4", "0.750"]]


def test_the_first_and_the_last_steps_do_not_overlap(tmp_path: Path) -> None:
    sources = read_sources([write_training(tmp_path / "run", 1)])
    (fact,) = [one for one in facts(sources, Timeline(sources.runs)) if one.label == "training questions"]
    shares = [f"{100 * sum(steps) / 3 / 8:.0f}\N{NO-BREAK SPACE}%" for steps in ((0, 1, 2), (4, 5, 6))]
    assert fact.value == " → ".join(shares) and "last 3 steps" in fact.note


def test_the_flow_counts_every_question_once(html: str) -> None:
    rows = table_of(html, "flow")
    assert {row[0]: row[1:] for row in rows} == {
        "group 1": ["1", "2", "0", "0"],
        "group 2": ["0", "1", "0", "0"],
        "group 4": ["0", "0", "0", "1"],
        "absent": ["0", "0", "1", "0"],
    }


def test_the_same_runs_give_the_same_figures(report: Path, html: str) -> None:
    again = report_of(
        *(report.parent / name for name in ("r1ci_stage1", "r1ci_stage2")), "--out", report.parent / "again"
    )
    assert again.exit_code == 0
    other = (report.parent / "again" / "index.html").read_text()
    cut = [page.split('id="signal"')[1].split("</svg>")[0] for page in (html, other)]
    assert cut[0] == cut[1]


@pytest.mark.parametrize("given", ["missing", "empty", "no_steps"])
def test_what_is_no_run_is_named_in_one_line(tmp_path: Path, given: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "no_steps" / "metrics").mkdir(parents=True)
    result = report_of(tmp_path / given)
    assert result.exit_code == 2 and str(tmp_path / given) in result.output and "Traceback" not in result.output


def test_a_program_gets_the_paths(tmp_path: Path) -> None:
    result = report_of(write_evaluation(tmp_path / "run", ("all_text",)), "--json")
    found = json.loads(result.stdout)
    assert Path(found["page"]) == tmp_path / "run" / "report" / "index.html" and len(found["figures"]) == 3


def test_a_small_label_task_has_its_chance_level_beside_it(html: str) -> None:
    chance = {row[0]: row[1] for row in table_of(html, "moved")}
    assert chance["bbh/boolean_expressions"] == "0.500" and chance["symbench/letters"] == "0.000"


def test_validation_lines_of_another_reward_manager_are_left_out(tmp_path: Path) -> None:
    run = write_training(tmp_path / "run", 1)
    dump = run / "validation" / "6.jsonl"
    split = dump.read_text().replace('{"', '{"output": "a\u2028b", "', 1)  # one line: verl leaves the sign as it is
    dump.write_text('{"gts": "42", "acc": 1.0}\nno json\n' + split)
    (read,) = read_sources([run]).runs
    assert {task: tally.n for task, tally in read.validation[6].items()} == dict.fromkeys(TASKS, 8)


def test_in_a_browser_nothing_fails_and_every_link_leads_somewhere(page: Any, report: Path) -> None:
    page.open(report / "index.html")
    broken = page.run(
        "return [...document.querySelectorAll('nav a')].map(a => a.getAttribute('href'))"
        ".filter(href => !document.querySelector(href))"
    )
    assert broken == [] and len(page.texts("nav a")) > 16
    page.click('nav a[href="#flow"]')
    page.wait("const top = document.querySelector('#flow').getBoundingClientRect().top; return top > 0 && top < 900")
    assert page.requests() == []  # the page loads nothing
    pictures = page.run("return [...document.querySelectorAll('a.png')].map(a => a.href)")
    assert all(Path(address.removeprefix("file://")).is_file() for address in pictures)


def test_in_a_browser_the_numbers_below_a_figure_open(page: Any, report: Path) -> None:
    page.open(report / "index.html")
    page.click("#flow summary")
    page.wait("return document.querySelector('#flow table').getBoundingClientRect().height > 50")
    assert "group 1" in page.texts("#flow table")[0]


COLOURS = """
    const colour = (element, name) => getComputedStyle(element)[name];
    return [colour(document.body, 'backgroundColor'), colour(document.querySelector('#reward svg text'), 'fill')];
"""


def test_in_a_browser_page_and_figures_follow_the_colour_scheme_and_the_switch(
    page: Any, report: Path, tmp_path: Path
) -> None:
    seen = {}
    for scheme in ("light", "dark"):
        page.scheme(scheme)
        page.open(report / "index.html")
        page.screenshot(tmp_path / f"{scheme}.png")
        seen[scheme] = page.run(COLOURS)
        assert (tmp_path / f"{scheme}.png").stat().st_size > 20_000
    assert seen["light"][0] != seen["dark"][0] and seen["light"][1] != seen["dark"][1]
    page.click("label[for=scheme-light]")
    assert page.run(COLOURS) == seen["light"]
