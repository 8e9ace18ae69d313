"""Tasks with one right answer, solved a second time in another way, from what the prompt states."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from itertools import permutations, product

import pytest

from r1ci_plugin.tasks import Question, get_task

Reference = Callable[[str], str]


def paragraphs(prompt: str) -> list[str]:
    return prompt.split("\n\n")


def board(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def shown(rows: list[list[object]]) -> str:
    return "\n".join(" ".join(map(str, row)) for row in rows)


def letters(prompt: str) -> str:
    letter, word = re.findall(r'"(\w+)"', prompt)
    positions = [match.start() + 1 for match in re.finditer(letter, word)]
    return f"{len(positions)}: {positions}"


def number_multiply(prompt: str) -> str:
    total = 1
    for factor in re.findall(r"-?\d+", prompt):
        total *= int(factor)
    return f"{total:,}"


def string_insertion(prompt: str) -> str:
    original = re.findall(r'"(\w+)"', prompt)[0]
    inserted = {pattern: letter for letter, pattern in re.findall(r"([A-E]) after ([A-E]{4})", prompt)}
    result = list(original)
    for place in range(len(original) - 4, -1, -1):  # from the end, so that earlier places do not move
        if original[place : place + 4] in inserted:
            result.insert(place + 4, inserted[original[place : place + 4]])
    return "".join(result)


def statistical_counting(prompt: str) -> str:
    text = re.findall(r'"(\w+)"', prompt)[0]
    return str(sum(ord(match[0][0]) - 64 for match in re.finditer(r"([A-Z])\1+", text)))


def matrix_transformation(prompt: str) -> str:
    head, matrix = paragraphs(prompt)
    rows = board(matrix)
    for clockwise, counter, half, left_right, top_bottom, transpose in re.findall(
        r"(90 degrees clockwise)|(90 degrees counter)|(180)|(left to right)|(top to bottom)|(transpose)", head
    ):
        height, width = len(rows), len(rows[0])
        turned = bool(clockwise or counter or transpose)
        place: Callable[[int, int], tuple[int, int]]
        if clockwise:
            place = lambda r, c, h=height: (h - 1 - c, r)  # noqa: E731
        elif counter:
            place = lambda r, c, w=width: (c, w - 1 - r)  # noqa: E731
        elif half:
            place = lambda r, c, h=height, w=width: (h - 1 - r, w - 1 - c)  # noqa: E731
        elif left_right:
            place = lambda r, c, w=width: (r, w - 1 - c)  # noqa: E731
        elif top_bottom:
            place = lambda r, c, h=height: (h - 1 - r, c)  # noqa: E731
        else:
            place = lambda r, c: (c, r)  # noqa: E731
        new_height, new_width = (width, height) if turned else (height, width)
        rows = [[rows[place(r, c)[0]][place(r, c)[1]] for c in range(new_width)] for r in range(new_height)]
    return shown(rows)


def light_puzzles(prompt: str) -> str:
    head, lights, effects = paragraphs(prompt)
    presses = re.search(r"The buttons ([A-Z ]+) are pressed", head)
    assert presses is not None
    grid = [[int(light) for light in row] for row in board(lights)]
    for line in effects.splitlines():
        times = presses[1].split().count(line[0])
        for row, column in re.findall(r"\((\d+),(\d+)\)", line):
            grid[int(row) - 1][int(column) - 1] ^= times % 2
    return shown(grid)


def pooling(prompt: str) -> str:
    head, matrix = paragraphs(prompt)
    window = int(re.findall(r"(\d+) x", head)[0])
    rows = [[int(cell) for cell in row] for row in board(matrix)]
    size = len(rows) - window + 1
    result: list[list[object]] = [[0] * size for _ in range(size)]
    for r, c in product(range(size), repeat=2):
        values = [rows[r + i][c + j] for i, j in product(range(window), repeat=2)]
        result[r][c] = max(values) if "max pooling" in head else round(sum(values) / len(values), 2)
    return shown(result)


def game_2048(prompt: str) -> str:
    head, grid = paragraphs(prompt)
    rows = [[int(cell) for cell in row] for row in board(grid)]
    numbers = re.search(r"in row (\d+), column (\d+)", head)
    moves = re.search(r"makes the moves ([udlr ]+) one", head)
    assert numbers is not None
    assert moves is not None
    cells = {complex(c, r): value for r, row in enumerate(rows) for c, value in enumerate(row)}
    at = complex(int(numbers[2]) - 1, int(numbers[1]) - 1)
    for move in moves[1].split():
        to = at + {"u": -1j, "d": 1j, "l": -1, "r": 1}[move]
        if to in cells and (cells[to] == 0 or cells[to] == cells[at]):
            cells[to], cells[at], at = cells[to] + cells[at], 0, to
    return shown([[cells[complex(c, r)] for c in range(len(rows))] for r in range(len(rows))])


def reversi(prompt: str) -> str:
    """Turns runs over on lines of text, cut out of the board in each direction."""
    head, text = paragraphs(prompt)
    rows = board(text)
    side = len(rows)
    lines = [[(r, c) for c in range(side)] for r in range(side)] + [[(r, c) for r in range(side)] for c in range(side)]
    for offset in range(-side + 1, side):
        lines.append([(r, r + offset) for r in range(side) if 0 <= r + offset < side])
        lines.append([(r, side - 1 - r + offset) for r in range(side) if 0 <= side - 1 - r + offset < side])
    for number, (row, column) in enumerate(re.findall(r"\((\d+),(\d+)\)", head.split("top left, are:")[1])):
        player, other = "10" if number % 2 == 0 else "01"
        cell = (int(row) - 1, int(column) - 1)
        turned = set()
        for line in lines:
            if cell in line:
                place = line.index(cell)
                for arm in (line[place + 1 :], line[:place][::-1]):
                    run = re.match(rf"{other}+(?={player})", "".join(rows[r][c] for r, c in arm))
                    turned |= set(arm[: run.end()]) if run else set()
        assert turned
        assert rows[cell[0]][cell[1]] == "*"
        for r, c in turned | {cell}:
            rows[r][c] = player
    return shown(rows)


def mahjong_pattern(prompt: str) -> str:
    head, rounds = paragraphs(prompt)
    found = re.search(r"cards ([A-Z ]+)\.", head)
    assert found is not None
    hand = sorted(found[1].split())
    for line in rounds.splitlines()[:-1]:
        drawn, out = re.findall(r"(?:draw|discard) ([A-Z])", line)
        hand = sorted([*hand, drawn])
        hand.remove(out)
    card = rounds.splitlines()[-1].rstrip(".")[-1]
    if hand.count(card) > 1:
        return "Peng"
    pairs = [(ord(a) - ord(card), ord(b) - ord(card)) for a in hand for b in hand]
    return "Chi" if {(-2, -1), (-1, 1), (1, 2)} & set(pairs) else "Pass"


def new_operator(prompt: str) -> str:
    """Python evaluates our own definitions here: the text is ours, not a model's."""
    found = re.search(r"defined: (.*)\. Evaluate ([^,A]*?)(?: from left|\. Answer)", prompt)
    assert found is not None
    definitions = dict(re.findall(r"a (\S) b = ([^;]+)", found[1]))
    first, *rest = found[2].split()
    value = Fraction(first)
    for symbol, number in zip(rest[::2], rest[1::2], strict=True):
        value = eval(definitions[symbol], {"a": value, "b": Fraction(number)})
    return str(value)


def pattern_recognition(prompt: str) -> str:
    rows = paragraphs(prompt)[1].splitlines()
    for side in range(min(len(rows), len(rows[0])), 2, -1):
        corners = [
            (r + side, c + side)
            for r in range(len(rows) - side + 1)
            for c in range(len(rows[0]) - side + 1)
            if len({letter for row in rows[r : r + side] for letter in row[c : c + side]}) == 1
        ]
        if corners:
            assert len(corners) == 1
            return f"({corners[0][0]}, {corners[0][1]})"
    raise AssertionError("no square")


def reactions(prompt: str) -> str:
    head, table = paragraphs(prompt)
    start = re.search(r"There are these \w+ and nothing else: (.*?)\. The", head)
    wanted = re.search(r"final counts of (.*) in this order", head)
    assert start is not None
    assert wanted is not None
    stock = dict.fromkeys(wanted[1].split(", "), 0)
    stock.update({name: int(count) for count, name in re.findall(r"(\d+) (\S+?)(?:,|$)", start[1])})
    methods = []
    for line in table.splitlines():
        left, right = line.split(". ", 1)[1].split(" -> ")
        methods.append([[(int(n), name) for n, name in re.findall(r"(\d+) (\S+)", side)] for side in (left, right)])
    busy = True
    while busy:
        busy = False
        for left, right in methods:
            if all(stock[name] >= count for count, name in left):
                busy = True
                for count, name in left:
                    stock[name] -= count
                for count, name in right:
                    stock[name] += count
            if not any(all(stock[name] >= count for count, name in inputs) for inputs, _ in methods):
                busy = False
                break
    return " ".join(map(str, stock.values()))


def string_deletion(prompt: str) -> str:
    head, table = paragraphs(prompt)
    string = re.findall(r'"(\w+)"', head)[0]
    limit = int(re.findall(r"after (\d+) steps", head)[0])
    rules = [line.split(". ", 1)[1] for line in table.splitlines()]
    seen = [string]
    while len(seen) <= limit:
        for rule in rules:
            changed = rewritten(rule, seen[-1])
            if changed is not None:
                break
        if changed is None:
            break
        seen.append(changed)
        if changed in seen[:-1]:
            break
    return seen[-1]


def rewritten(rule: str, string: str) -> str | None:
    """One rule, read from its sentence."""
    if found := re.match(r"If the string begins with (\w) and ends with (\w), swap", rule):
        return (
            re.sub(rf"^{found[1]}(.*){found[2]}$", rf"{found[2]}\1{found[1]}", string)
            if re.match(rf"^{found[1]}.*{found[2]}$", string)
            else None
        )
    if found := re.match(r"If the number of (\w) .* append (\w)", rule):
        return string + found[2] if string.count(found[1]) in range(2, 1000, 2) else None
    found = re.match(r"If the string (begins with|ends with|contains) (\w+), (?:delete.*|replace .* by (\w+))\.", rule)
    assert found is not None
    pattern = {"begins with": "^{}", "ends with": "{}$", "contains": "{}"}[found[1]].format(found[2])
    return re.sub(pattern, found[3] or "", string, count=1) if re.search(pattern, string) else None


def cryptanalysis(prompt: str) -> str:
    head, guesses = paragraphs(prompt)
    found = re.search(r"of (\d+) different digits.* different letters \(A-([A-Z])\)", head)
    assert found is not None
    size = int(found[1])
    clues = []
    for line in guesses.splitlines():
        guess, digits, letters_told = re.match(r"(\w+): digits (.*); letters (.*)", line).groups()  # type: ignore[union-attr]
        clues.append((guess[:size], digits, guess[size:], letters_told))
    alphabet = [chr(code) for code in range(ord("A"), ord(found[2]) + 1)]
    hints = "too small" in head
    secrets = []
    for symbols, which in (("0123456789", 0), (alphabet, 2)):
        fits = [
            s
            for s in permutations(symbols, size)
            if all(told(s, c[which], hints, which) == c[which + 1] for c in clues)
        ]
        assert len(fits) == 1
        secrets += fits[0]
    return "".join(secrets)


def told(secret: tuple[str, ...], guess: str, hints: bool, which: int) -> str:
    in_place = len([1 for n in range(len(guess)) if guess[n] == secret[n]])
    shared = len(set(guess) & set(secret))
    text = f"{in_place} in place, {shared - in_place} misplaced, {len(guess) - shared} wrong"
    wrong = set(guess) - set(secret)
    if hints and wrong and all(w < s for w in wrong for s in secret):
        text += ", too early" if which else ", too small"
    if hints and wrong and all(w > s for w in wrong for s in secret):
        text += ", too late" if which else ", too large"
    return text


REFERENCES: dict[str, Reference] = {
    "letters": letters,
    "number_multiply": number_multiply,
    "string_insertion": string_insertion,
    "statistical_counting": statistical_counting,
    "matrix_transformation": matrix_transformation,
    "light_puzzles": light_puzzles,
    "pooling": pooling,
    "game_2048": game_2048,
    "reversi": reversi,
    "mahjong_pattern": mahjong_pattern,
    "new_operator": new_operator,
    "pattern_recognition": pattern_recognition,
    "string_splitting": reactions,
    "string_synthesis": reactions,
    "synthesis_decomposition": reactions,
    "string_deletion_and_modification": string_deletion,
    "cryptanalysis": cryptanalysis,
}


def questions(name: str, seeds: int) -> list[Question]:
    task = get_task(f"symbench/{name}")
    return [task.make(seed, level) for level in range(1, task.info.levels + 1) for seed in range(seeds)]


@pytest.mark.parametrize("name", REFERENCES)
def test_answer_found_in_another_way_from_the_prompt_is_right(name: str) -> None:
    task = get_task(f"symbench/{name}")
    for question in questions(name, 2 if name == "cryptanalysis" else 8):
        verdict = task.verify(question, REFERENCES[name](question.prompt))
        assert verdict.outcome == "correct", (question.seed, question.difficulty, verdict)


@pytest.mark.parametrize("name", REFERENCES)
def test_unique_answer_with_one_changed_symbol_is_not_right(name: str) -> None:
    """Only changes of meaning count: cells, digits and letters are replaced, separators are left alone."""
    task = get_task(f"symbench/{name}")
    for question in questions(name, 1):
        answer = task.solve(question)
        for place in [place for place, sign in enumerate(answer) if sign.isalnum()][:40]:
            other = {"0": "1", "a": "b", "A": "B"}.get(answer[place], "0" if answer[place].isdigit() else "A")
            changed = answer[:place] + other + answer[place + 1 :]
            if changed != answer and not _same_number(changed, answer):
                assert task.verify(question, changed).score == 0, (changed, answer)


def _same_number(changed: str, answer: str) -> bool:
    """Whether only a label before numbers, such as `Count`, was changed, or the last decimal within its rounding."""
    numbers = re.findall(r"-?\d+\.?\d*", changed), re.findall(r"-?\d+\.?\d*", answer)
    if "Count" in answer and numbers[0] == numbers[1]:
        return True
    different = [(a, b) for a, b in zip(*numbers, strict=False) if a != b]
    return len(numbers[0]) == len(numbers[1]) and all(
        "." in b and abs(float(a) - float(b)) < 0.02 for a, b in different
    )
