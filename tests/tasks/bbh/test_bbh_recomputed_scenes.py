"""A second solver for shapes, tables and coloured things, from the prompt's words alone: angles in floats, rows as
dictionaries.
"""

from __future__ import annotations

import cmath
import itertools
import os
import re

import pytest

from r1ci_plugin.tasks import Question, get_task

QUESTIONS = int(os.environ.get("R1CI_QUESTIONS", "500"))
WORDS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
]
WORDS += ["seventeen", "eighteen", "nineteen", "twenty"]
ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh"]
POLYGONS = {3: "triangle", 5: "pentagon", 6: "hexagon", 7: "heptagon", 8: "octagon"}


def drawn(name: str) -> list[Question]:
    task = get_task(name)
    return [task.make(30_000 + seed, 1 + seed % task.info.levels) for seed in range(QUESTIONS)]


def chosen(question: Question, text: str) -> str:
    (letter,) = re.findall(rf"^(\([A-Z]\)) {re.escape(text)}$", question.prompt, re.MULTILINE)
    return str(letter)


def shape(question: Question) -> str:
    (path,) = re.findall(r'd="([^"]+)"', question.prompt)
    arcs = re.findall(r"A ([\d.]+),([\d.]+)", path)
    if arcs:
        if "L" in path:
            return chosen(question, "sector")
        return chosen(question, "circle" if arcs[0][0] == arcs[0][1] else "ellipse")
    edges = set()
    for piece in path.split("M ")[1:]:
        points = [complex(*map(float, point.split(","))) for point in piece.replace("L", " ").split()]
        edges |= {frozenset(edge) for edge in itertools.pairwise(points)}
    corners = outline(edges)
    if len(corners) == 2:
        return chosen(question, "line")
    return chosen(question, POLYGONS.get(len(corners)) or quadrilateral(*corners))


def outline(edges: set[frozenset[complex]]) -> list[complex]:
    """Join edges end to end, then drop the points where the direction stays."""
    left = [tuple(edge) for edge in edges]
    chain = list(left.pop())
    while left:
        for edge in left:
            for one, other in (edge, edge[::-1]):
                if one == chain[-1]:
                    chain.append(other)
                elif other == chain[0]:
                    chain.insert(0, one)
                else:
                    continue
                break
            else:
                continue
            left.remove(edge)
            break
    if chain[0] != chain[-1]:
        return [chain[0], chain[-1]]
    ring = chain[:-1]
    return [
        point
        for before, point, after in zip([ring[-1], *ring], ring, [*ring[1:], ring[0]], strict=False)
        if abs(cmath.phase((after - point) / (point - before))) > 1e-6
    ]


def quadrilateral(a: complex, b: complex, c: complex, d: complex) -> str:
    one, other = c - a, d - b
    apart = (a + c) / 2 - (b + d) / 2
    if abs(apart) < 1e-9 and abs(abs(one) - abs(other)) < 1e-9:
        return "rectangle"
    along = min(abs((apart / diagonal).imag) for diagonal in (one, other))
    if abs((one / other).real) < 1e-9 and along < 1e-9:  # the diagonals are at right angles, and one halves the other
        return "kite"
    return "trapezoid"


def penguins(question: Question) -> str:
    text = question.prompt.partition("\nOptions:")[0]
    rows: dict[str, dict[str, int]] = {}
    table = text.partition("\nA table of giraffes")[0]
    for name, *numbers in re.findall(r"^(?:Add this penguin: )?(\w+), (\d+), (\d+), (\d+)$", table, re.MULTILINE):
        rows[name] = dict(zip(("age", "height", "weight"), map(int, numbers), strict=True))
    for line in text.split("\n"):
        if added := re.fullmatch(r"Add this penguin: (\w+), (\d+), (\d+), (\d+)", line):
            rows[added[1]] = {"age": int(added[2]), "height": int(added[3]), "weight": int(added[4])}
        if deleted := re.fullmatch(r"Delete the penguin (\w+)\.", line):
            del rows[deleted[1]]
        if changed := re.fullmatch(r"Change the (\w+) of the penguin (\w+) to (\d+)\.", line):
            rows[changed[2]][changed[1]] = int(changed[3])
    return chosen(question, penguin_answer(rows, text.rpartition("\n")[2]))


def penguin_answer(rows: dict[str, dict[str, int]], asked: str) -> str:
    adjectives = {"oldest": ("age", -1), "tallest": ("height", -1), "heaviest": ("weight", -1)}
    adjectives |= {"youngest": ("age", 1), "shortest": ("height", 1), "lightest": ("weight", 1)}
    if match := re.fullmatch(r"What is the (\w+) of (\w+)\?", asked):
        return str(rows[match[2]][match[1]])
    if match := re.search(r"comes (\w+) in alphabetical order", asked):
        return sorted(rows)[ORDINALS.index(match[1])]
    if match := re.search(r"sum of the (\w+)s of all", asked):
        return str(sum(row[match[1]] for row in rows.values()))
    if match := re.fullmatch(r"Which is the (?:(second|third|fourth|fifth) )?(\w+) penguin\?", asked):
        column, sign = adjectives[match[2]]
        place = ORDINALS.index(match[1] or "first")
        ranked = sorted((sign * row[column], name) for name, row in rows.items())
        assert [value for value, _ in ranked].count(ranked[place][0]) == 1
        return ranked[place][1]
    conditions = re.findall(r"(age|height|weight) of (more|less) than (\d+)", asked)
    assert conditions
    fits = [
        all((row[c] > int(n)) if w == "more" else (row[c] < int(n)) for c, w, n in conditions) for row in rows.values()
    ]
    return str(sum(fits))


def coloured(question: Question) -> str:
    told, asked = question.prompt.partition("\nOptions:")[0].split(". ", 1)
    if "in a row" in told:
        things = re.findall(r"\ban? ([a-z]+) ([a-z-]+)", told.partition("right, ")[2])
        return chosen(question, row_answer(things, asked))
    piles = re.findall(
        r"\b([a-z]+) ([a-z]+) ([a-z-]+)(?=,| and |$)", told.partition("there are ")[2].replace("and ", "")
    )
    gone, sort = re.findall(r"everything (\w+)\. How many ([\w-]+) are", asked)[0]
    singular = {"scarves": "scarf"}.get(sort, sort.removesuffix("s"))
    return chosen(question, WORDS[sum(WORDS.index(n) for n, c, t in piles if c != gone and t in (sort, singular))])


def row_answer(things: list[tuple[str, str]], asked: str) -> str:
    colours = [colour for colour, _ in things]
    names = [name for _, name in things]
    if match := re.search(r"neither (\w+) nor (\w+)", asked):
        return WORDS[len(colours) - colours.count(match[1]) - colours.count(match[2])]
    if match := re.search(r"at the (left|right) end", asked):
        return colours[0] if match[1] == "left" else colours[-1]
    if match := re.search(r"directly to the (left|right) of the ([\w-]+)", asked):
        return colours[names.index(match[2]) + (1 if match[1] == "right" else -1)]
    if match := re.search(r"things to the (left|right) of the ([\w-]+) are not (\w+)", asked):
        place = names.index(match[2])
        side = colours[:place] if match[1] == "left" else colours[place + 1 :]
        return WORDS[len(side) - side.count(match[3])]
    if match := re.search(r"farthest from the ([\w-]+)", asked):
        place = names.index(match[1])
        assert place != len(names) - 1 - place
        return colours[0] if place > len(names) - 1 - place else colours[-1]
    return colours[names.index(re.findall(r"colour is the ([\w-]+)\?", asked)[0])]


@pytest.mark.parametrize(
    ("name", "solver"),
    [("geometric_shapes", shape), ("penguins_in_a_table", penguins), ("reasoning_about_colored_objects", coloured)],
)
def test_a_second_solver_that_reads_the_prompt_agrees(name: str, solver) -> None:  # type: ignore[no-untyped-def]
    wrong = [
        (q.prompt, solver(q), q.payload["answer"]) for q in drawn(f"bbh/{name}") if solver(q) != q.payload["answer"]
    ]
    assert not wrong


def test_every_edge_of_a_polygon_meets_its_neighbours_only() -> None:
    for question in drawn("bbh/geometric_shapes"):
        (path,) = re.findall(r'd="([^"]+)"', question.prompt)
        if "A" in path:
            continue
        edges = set()
        for piece in path.split("M ")[1:]:
            points = [complex(*map(float, point.split(","))) for point in piece.replace("L", " ").split()]
            edges |= {frozenset(edge) for edge in itertools.pairwise(points)}
        corners = outline(edges)
        turns = [
            cmath.phase((after - point) / (point - before))
            for before, point, after in zip([corners[-1], *corners], corners, [*corners[1:], corners[0]], strict=False)
        ]
        assert len(corners) == 2 or abs(abs(sum(turns)) - 2 * cmath.pi) < 1e-6
