"""Which tasks are trained on and which are kept for the test.

The paper's split (107 for training, 37 for the test) was never published. Ours is drawn by a rule anyone can repeat:
37 tasks, as many of each suite as its share of the 144; tasks of one family, and twins across suites, on one side, so
that an unseen task is unseen; the tasks whose only truth is a human label on the test side, so that training needs no
download; the twelve tasks that made the seed policy on the training side, since it has seen them. `DEFAULT_TEST` is
the outcome.

Left out: which questions of a task are held out for validation (`data/plan.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from r1ci_plugin.tasks.base import TaskInfo
from r1ci_plugin.tasks.registry import SUITES, list_tasks, task_names

SEED = 0
TEST_SHARE = (37, 144)
ATTEMPTS = 1_000

TWINS: tuple[tuple[str, ...], ...] = (
    ("symbench/game24", "reasoning_gym/countdown"),
    ("symbench/standard_sudoku", "reasoning_gym/mini_sudoku"),
    ("symbench/matrix_transformation", "reasoning_gym/manipulate_matrix"),
    ("bbh/boolean_expressions", "reasoning_gym/circuit_logic", "reasoning_gym/propositional_logic"),
    ("bbh/multistep_arithmetic_two", "reasoning_gym/basic_arithmetic", "reasoning_gym/chain_sum"),
    ("bbh/date_understanding", "reasoning_gym/calendar_arithmetic", "reasoning_gym/time_intervals"),
    ("bbh/formal_fallacies", "reasoning_gym/syllogism"),
    ("bbh/web_of_lies", "reasoning_gym/knights_knaves"),
    ("bbh/logical_deduction_three_objects", "reasoning_gym/zebra_puzzles"),
    ("reasoning_gym/chain_sum", "reasoning_gym/decimal_chain_sum"),
    ("reasoning_gym/simple_integration", "reasoning_gym/intermediate_integration"),
    ("reasoning_gym/arc_agi", "reasoning_gym/rearc"),
)
"""Nearly the same task under two names, beside the families that tasks state themselves."""

CODESTEER_TEST = tuple(
    f"symbench/{name}"
    for name in (
        "letters",
        "eight_queens",
        "number_multiply",
        "cryptanalysis",
        "string_splitting",
        "combinatorial_calculation",
        "synthesis_decomposition",
        "game_2048",
        "permutations_and_combinations",
    )
)
"""The nine tasks CodeSteer kept unseen."""


SEED_POLICY_TASKS = (
    *(f"symbench/{name}" for name in ("game24", "letters", "number_multiply", "string_insertion")),
    *(f"bbh/{name}" for name in ("word_sorting", "boolean_expressions", "object_counting", "multistep_arithmetic_two")),
    *(f"reasoning_gym/{name}" for name in ("chain_sum", "spell_backward", "count_bits", "base_conversion")),
)
"""The tasks whose trajectories the shipped seed policy was trained on."""


DEFAULT_TEST = (
    "symbench/boxnet",
    "symbench/constrained_linear_arrangement",
    "symbench/gsm_hard",
    "symbench/logic_puzzle",
    "symbench/logical_equation",
    "symbench/new_operator",
    "symbench/permutations_and_combinations",
    "symbench/standard_sudoku",
    "bbh/causal_judgement",
    "bbh/dyck_languages",
    "bbh/movie_recommendation",
    "bbh/ruin_names",
    "bbh/snarks",
    "bbh/sports_understanding",
    "bbh/temporal_sequences",
    "reasoning_gym/aiw",
    "reasoning_gym/arc_1d",
    "reasoning_gym/arc_agi",
    "reasoning_gym/bf",
    "reasoning_gym/caesar_cipher",
    "reasoning_gym/color_cube_rotation",
    "reasoning_gym/emoji_mystery",
    "reasoning_gym/gcd",
    "reasoning_gym/graph_color",
    "reasoning_gym/isomorphic_strings",
    "reasoning_gym/largest_island",
    "reasoning_gym/leg_counting",
    "reasoning_gym/list_functions",
    "reasoning_gym/mini_sudoku",
    "reasoning_gym/modulo_grid",
    "reasoning_gym/needle_haystack",
    "reasoning_gym/prime_factorization",
    "reasoning_gym/rearc",
    "reasoning_gym/rectangle_count",
    "reasoning_gym/rotten_oranges",
    "reasoning_gym/shortest_path",
    "reasoning_gym/tower_of_hanoi",
)
"""The published test side: what the rule drew from the whole registry, written down so that it never changes."""


@dataclass(frozen=True, slots=True)
class Split:
    """Two disjoint sets of task names that together are all installed tasks, each in the registry's order."""

    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]

    def side(self, task: str) -> str:
        """`train` or `test`. Raises KeyError for a task of neither."""
        for side, names in (("train", self.train), ("test", self.test)):
            if task in names:
                return side
        raise KeyError(task)


class UnknownSplit(ValueError):
    """No split of that name and no file of that path, or a file that names unknown tasks."""


def default_split() -> Split:
    """The published split."""
    return _split("default", DEFAULT_TEST)


def codesteer_split() -> Split:
    """CodeSteer's nine unseen tasks as the whole SymBench part of the test side; the rest as in the default rule."""
    return _split("codesteer", drawn_test(list_tasks(), symbench=CODESTEER_TEST))


def without_suite(suite: str) -> Callable[[], Split]:
    """The split that tests on one whole suite and trains on the two others."""
    return lambda: _split(f"without_{suite}", task_names(f"{suite}/*"))


SPLITS: dict[str, Callable[[], Split]] = {
    "default": default_split,
    "codesteer": codesteer_split,
    **{f"without_{suite}": without_suite(suite) for suite in SUITES},
}


def get_split(name: str = "default") -> Split:
    """A split by name, or of a text file that names the test tasks.

    The file has a task or a pattern such as `bbh/*` on a line, and `#` before comments. Raises UnknownSplit.
    """
    if name in SPLITS:
        return SPLITS[name]()
    if not Path(name).is_file():
        raise UnknownSplit(
            f"no split {name!r}: give one of {', '.join(SPLITS)}, or the path of a file that names the test tasks"
        )
    lines = [line.partition("#")[0].strip() for line in Path(name).read_text(encoding="utf-8").splitlines()]
    unknown = [line for line in lines if line and not task_names(line)]
    if unknown:
        raise UnknownSplit(f"{name} names no task by {', '.join(unknown)}: `r1ci tasks list` shows all of them")
    return _split(name, [task for line in lines if line for task in task_names(line)])


def drawn_test(infos: Sequence[TaskInfo], symbench: Sequence[str] = ()) -> list[str]:
    """The test side by the rule in the docstring of this module.

    symbench: take these as the SymBench part instead of drawing it. Raises ValueError if no draw fits.
    """
    names = [info.name for info in infos]
    quota = {suite: _share(sum(info.suite == suite for info in infos)) for suite in SUITES}
    forced = {info.name for info in infos if info.human_label} | set(symbench) & set(names)
    if symbench:
        taken = len(set(symbench) & set(names))
        quota["bbh"] += quota["symbench"] - taken  # the test side stays as large
        quota["symbench"] = taken
    kept = set(SEED_POLICY_TASKS) - forced
    rng = Random(SEED)
    groups = [group for group in glued(infos) if forced & set(group) or not kept & set(group)]
    for _ in range(ATTEMPTS):
        rng.shuffle(groups)
        chosen = _fill(sorted(groups, key=lambda group: not forced & set(group)), quota)
        if chosen is not None and forced <= chosen:
            return [name for name in names if name in chosen]
    raise ValueError(f"no draw of whole families gives a test side of {quota}")


def glued(infos: Iterable[TaskInfo]) -> list[tuple[str, ...]]:
    """All tasks in groups that must stay on one side: families and twins, joined where they overlap."""
    group_of: dict[str, set[str]] = {info.name: {info.name} for info in infos}
    families: dict[str, list[str]] = {}
    for info in infos:
        families.setdefault(info.family or info.name, []).append(info.name)
    for kin in (*families.values(), *TWINS):
        known = [name for name in kin if name in group_of]
        joined = set().union(*(group_of[name] for name in known))
        for name in joined:
            group_of[name] = joined
    return sorted({tuple(sorted(group)) for group in group_of.values()})


def kin() -> dict[str, tuple[str, ...]]:
    """Every task with the others of its family and its twins, in the registry's order."""
    of = {name: group for group in glued(list_tasks()) for name in group}
    return {name: tuple(other for other in of[name] if other != name) for name in task_names()}


def parted(train: Iterable[str], test: Iterable[str]) -> list[tuple[str, str]]:
    """Test tasks with a twin or a task of their family in training: pairs of the test task and the nearest of them."""
    trained, relatives = set(train), kin()
    pairs = ((name, next((other for other in relatives[name] if other in trained), "")) for name in test)
    return [(name, other) for name, other in pairs if other]


def _fill(groups: Iterable[tuple[str, ...]], quota: dict[str, int]) -> set[str] | None:
    """Take groups in order as long as they fit; None if that does not meet the quota of every suite exactly."""
    left = dict(quota)
    chosen: set[str] = set()
    for group in groups:
        need = {suite: sum(name.startswith(f"{suite}/") for name in group) for suite in left}
        if all(need[suite] <= left[suite] for suite in left):
            chosen.update(group)
            left = {suite: left[suite] - need[suite] for suite in left}
    return None if any(left.values()) else chosen


def _share(tasks: int) -> int:
    part, whole = TEST_SHARE
    return round(tasks * part / whole)


def _split(name: str, test: Iterable[str]) -> Split:
    chosen = set(test)
    names = task_names()
    return Split(name, tuple(n for n in names if n not in chosen), tuple(n for n in names if n in chosen))
