"""Scripts for tasks of SymBench. Left out: everything `registry.py` and `teacher.py` do."""

from __future__ import annotations

from r1ci_plugin.sft.scripts.registry import find, rows, script


@script("symbench/number_multiply")
def number_multiply(prompt: str) -> str:
    (expression,) = find(r"What is (.*?)\?", prompt)
    return f"print({expression})\n"


@script("symbench/game24")
def game24(prompt: str) -> str:
    numbers, target = find(r"numbers ([\d, ]+?) exactly once.*to make (\d+)", prompt)
    return any_order(numbers, target)


def any_order(numbers: str, target: str) -> str:
    """Search for an expression of all numbers, in any order, that equals the target."""
    return f"""\
from fractions import Fraction
from itertools import permutations
def search(items, target):
    if len(items) == 1:
        return items[0][1] if items[0][0] == target else None
    for (a, x), (b, y), *rest in permutations(items):
        steps = [(a + b, f"({{x}}+{{y}})"), (a - b, f"({{x}}-{{y}})"), (a * b, f"({{x}}*{{y}})")]
        if b:
            steps.append((a / b, f"({{x}}/{{y}})"))
        for step in steps:
            found = search([step, *rest], target)
            if found:
                return found
numbers = [{numbers}]
print(search([(Fraction(n), str(n)) for n in numbers], {target}))
"""


@script("symbench/combinatorial_calculation")
def combinatorial_calculation(prompt: str) -> str:
    digits, target = find(r"digits ([\d ]+), keeping.*equals (-?\d+)\.", prompt)
    return f"""\
from fractions import Fraction
from functools import cache
digits = "{digits}".split()
@cache
def values(start, end):
    if end - start == 1:
        return {{Fraction(digits[start]): digits[start]}}
    found = {{}}
    for middle in range(start + 1, end):
        for a, x in values(start, middle).items():
            for b, y in values(middle, end).items():
                found[a + b] = f"({{x}}+{{y}})"
                found[a - b] = f"({{x}}-{{y}})"
                found[a * b] = f"({{x}}*{{y}})"
                if b:
                    found[a / b] = f"({{x}}/{{y}})"
    return found
print(values(0, len(digits))[{target}])
"""


@script("symbench/letters")
def letters(prompt: str) -> str:
    letter, word = find(r'letter "(.)".*word "(\w+)"', prompt)
    return f"""\
word = "{word}"
places = [i + 1 for i, c in enumerate(word) if c == "{letter}"]
print(f"Count: {{len(places)}}, Positions: {{places}}")
"""


@script("symbench/string_insertion")
def string_insertion(prompt: str) -> str:
    (string,) = find(r'string "(\w+)"', prompt)
    return f"""\
rules = {{"ABCD": "A", "BCDE": "B", "CDEA": "C", "DEAB": "D", "EABC": "E"}}
text = "{string}"
print("".join(c + rules.get(text[max(i - 3, 0):i + 1], "") for i, c in enumerate(text)))
"""


@script("symbench/statistical_counting")
def statistical_counting(prompt: str) -> str:
    (string,) = find(r'string "(\w+)"', prompt)
    return f"""\
from itertools import groupby
text = "{string}"
print(sum(ord(c) - 64 for c, run in groupby(text) if len(list(run)) > 1))
"""


@script("symbench/pooling")
def pooling(prompt: str) -> str:
    kind, size, matrix = find(r"Apply (max|average) pooling with a (\d+) x.*?\n\n(.*)", prompt)
    pooled = "max(window)" if kind == "max" else 'f"{sum(window) / len(window):.2f}"'
    return f"""\
m = [[int(n) for n in line.split()] for line in {rows(matrix)}.splitlines()]
k = {size}
for i in range(len(m) - k + 1):
    line = []
    for j in range(len(m[0]) - k + 1):
        window = [m[i + a][j + b] for a in range(k) for b in range(k)]
        line.append({pooled})
    print(*line)
"""


_TURNS = {
    "transpose it": "m = [list(row) for row in zip(*m)]",
    "turn it by 180 degrees": "m = [row[::-1] for row in m[::-1]]",
    "turn it by 90 degrees clockwise": "m = [list(row) for row in zip(*m[::-1])]",
    "turn it by 90 degrees counterclockwise": "m = [list(row) for row in zip(*m)][::-1]",
    "mirror it top to bottom": "m = m[::-1]",
    "mirror it left to right": "m = [row[::-1] for row in m]",
}


@script("symbench/matrix_transformation")
def matrix_transformation(prompt: str) -> str:
    orders, matrix = find(r"matrix below and (.*?)\. Answer.*?\n\n(.*)", prompt)
    steps = "\n".join(_TURNS[order.split(" (")[0]] for order in orders.split(", then "))
    return f"""\
m = [line.split() for line in {rows(matrix)}.splitlines()]
{steps}
for row in m:
    print(*row)
"""


@script("symbench/string_splitting", "symbench/string_synthesis", "symbench/synthesis_decomposition")
def reactions(prompt: str) -> str:
    stock, names, methods = find(r"nothing else: (.*?)\. The methods.*counts of (.*?) in this order.*?\n\n(.*)", prompt)
    return f"""\
import re
def amounts(text):
    return {{name: int(n) for n, name in re.findall(r"(\\d+) ([^ ,+]+)", text)}}
have = dict.fromkeys("{names}".split(", "), 0) | amounts("{stock}")
methods = [[amounts(side) for side in line.split(". ")[1].split("->")] for line in {rows(methods)}.splitlines()]
applied = True
while applied:
    applied = False
    for uses, makes in methods:
        if all(have[name] >= n for name, n in uses.items()):
            for name, n in uses.items():
                have[name] -= n
            for name, n in makes.items():
                have[name] += n
            applied = True
print(*have.values(), sep=", ")
"""


@script("symbench/mahjong_pattern")
def mahjong_pattern(prompt: str) -> str:
    hand, rounds = find(r"13 cards ([A-Z ]+)\..*?\n\n(.*)", prompt)
    return f"""\
import re
hand = "{hand}".split()
for line in {rows(rounds)}.splitlines():
    drawn, discarded = re.search(r"draw (.)(?:, discard (.))?", line).groups()
    held = {{ord(card) - ord(drawn) for card in hand}}
    runs = [(-2, -1), (-1, 1), (1, 2)]
    if hand.count(drawn) >= 2:
        kind = "Peng"
    else:
        kind = "Chi" if any(held.issuperset(run) for run in runs) else "Pass"
    hand.append(drawn)
    if discarded:
        hand.remove(discarded)
print(kind)
"""


@script("symbench/light_puzzles")
def light_puzzles(prompt: str) -> str:
    presses, grid, buttons = find(r"buttons ([A-Z ]+) are pressed.*?\n\n(.*?)\n\n(.*)", prompt)
    return f"""\
import re
grid = [[int(n) for n in line.split()] for line in {rows(grid)}.splitlines()]
buttons = {{line[0]: re.findall(r"(\\d+),(\\d+)", line) for line in {rows(buttons)}.splitlines()}}
for press in "{presses}".split():
    for row, column in buttons[press]:
        grid[int(row) - 1][int(column) - 1] ^= 1
for row in grid:
    print(*row)
"""


@script("symbench/pattern_recognition")
def pattern_recognition(prompt: str) -> str:
    (grid,) = find(r"\n\n(.*)", prompt)
    return f"""\
grid = {rows(grid)}.split()
best = (0, 0, 0)
side = [[1] * len(row) for row in grid]
for i, row in enumerate(grid):
    for j, letter in enumerate(row):
        if i and j and letter == grid[i - 1][j] == row[j - 1] == grid[i - 1][j - 1]:
            side[i][j] = 1 + min(side[i - 1][j], side[i][j - 1], side[i - 1][j - 1])
        best = max(best, (side[i][j], i + 1, j + 1))
print(best[1], best[2], sep=", ")
"""


@script("symbench/eight_queens")
def eight_queens(prompt: str) -> str:
    (board,) = find(r"and so on\.\n\n(.*)", prompt)
    return f"""\
board = [line.split() for line in {rows(board)}.splitlines()]
def free(row, column, queens):
    return all(column != c and abs(column - c) != row - r for r, c in queens)
def place(queens):
    row = len(queens)
    if row == len(board):
        return queens
    given = [c for c, cell in enumerate(board[row]) if cell == "1"]
    for column in given or [c for c, cell in enumerate(board[row]) if cell == "0"]:
        if free(row, column, queens):
            found = place([*queens, (row, column)])
            if found:
                return found
print(", ".join(f"{{row}} {{column}}" for row, column in place([])))
"""


@script("symbench/letter_logic_diagram")
def letter_logic_diagram(prompt: str) -> str:
    (square,) = find(r"separated by spaces\.\n\n(.*)", prompt)
    return f"""\
square = [line.split() for line in {rows(square)}.splitlines()]
n = len(square)
letters = [chr(97 + i) for i in range(n)]
def fits(i, j, letter):
    row, column = square[i], [square[k][j] for k in range(n)]
    return letter not in row and letter not in column
def fill(cells):
    if not cells:
        return True
    (i, j), *rest = cells
    for letter in letters:
        if fits(i, j, letter):
            square[i][j] = letter
            if fill(rest):
                return True
            square[i][j] = "-"
    return False
start = [row[:] for row in square]
for letter in letters:
    square = [row[:] for row in start]
    diagonal = [(i, n - 1 - i) for i in range(n)]
    if all(square[i][j] in (letter, "-") for i, j in diagonal):
        empty = [(i, j) for i, j in diagonal if square[i][j] == "-"]
        if all(fits(i, j, letter) for i, j in empty):
            for i, j in empty:
                square[i][j] = letter
            if fill([(i, j) for i in range(n) for j in range(n) if square[i][j] == "-"]):
                break
for row in square:
    print(*row)
"""
