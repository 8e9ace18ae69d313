"""Scripts for tasks of Reasoning Gym. Left out: everything `registry.py` and `teacher.py` do."""

from __future__ import annotations

import re

from r1ci_plugin.sft.scripts.registry import find, rows, script
from r1ci_plugin.sft.scripts.symbench import any_order


@script("reasoning_gym/chain_sum")
def chain_sum(prompt: str) -> str:
    (expression,) = find(r"problem: (.*?) =", prompt)
    return f"print({expression})\n"


@script("reasoning_gym/spell_backward")
def spell_backward(prompt: str) -> str:
    (word,) = find(r"\): (\w+)", prompt)
    return f'print("{word}"[::-1])\n'


@script("reasoning_gym/count_bits")
def count_bits(prompt: str) -> str:
    (number,) = find(r"number (\d+)", prompt)
    return f'print(bin({number}).count("1"))\n'


_BASES = {"binary": 2, "hexadecimal": 16}


@script("reasoning_gym/base_conversion")
def base_conversion(prompt: str) -> str:
    source, number, target = find(r"convert the (\S+) number (\w+) to (\S+)", prompt)
    bases = [_BASES[name] if name in _BASES else int(name.removeprefix("base-")) for name in (source, target)]
    return f"""\
number = int("{number}", {bases[0]})
digits = ""
while number:
    number, digit = divmod(number, {bases[1]})
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
print(digits)
"""


@script("reasoning_gym/basic_arithmetic")
def basic_arithmetic(prompt: str) -> str:
    (expression,) = find(r"Calculate (.*?)\.\n", prompt)
    exact = re.sub(r"([0-9]+)", r"Fraction(\1)", expression)
    return f"from fractions import Fraction\nprint({exact})\n"


@script("reasoning_gym/decimal_chain_sum")
def decimal_chain_sum(prompt: str) -> str:
    (expression,) = find(r"problem: (.*?) =", prompt)
    exact = re.sub(r"([0-9.]+)", r'Decimal("\1")', expression)
    return f"from decimal import Decimal\nprint({exact})\n"


@script("reasoning_gym/bitwise_arithmetic")
def bitwise_arithmetic(prompt: str) -> str:
    (expression,) = find(r"value\.\n(.*?)\n", prompt)
    return f"print(hex({expression}))\n"


@script("reasoning_gym/lcm")
def lcm(prompt: str) -> str:
    (numbers,) = find(r"numbers: ([\d, ]+)", prompt)
    return f"from math import lcm\nprint(lcm({numbers}))\n"


@script("reasoning_gym/fraction_simplification")
def fraction_simplification(prompt: str) -> str:
    numerator, denominator = re.findall(r"\d+", prompt)[:2]
    return f"from fractions import Fraction\nprint(Fraction({numerator}, {denominator}))\n"


@script("reasoning_gym/count_primes")
def count_primes(prompt: str) -> str:
    low, high = find(r"between (\d+) and (\d+)", prompt)
    return f"""\
def is_prime(n):
    return n > 1 and all(n % d for d in range(2, int(n ** 0.5) + 1))
print(sum(map(is_prime, range({low}, {high} + 1))))
"""


@script("reasoning_gym/simple_equations")
def simple_equations(prompt: str) -> str:
    variable, left, right = find(r"(\w)(?: in the equation| that satisfies)?: (.*) = (-?\d+)", prompt)
    return f"""\
from fractions import Fraction
def difference({variable}):
    return {left} - {right}
slope = difference(1) - difference(0)
print(Fraction(-difference(0), slope))
"""


@script("reasoning_gym/simple_geometry")
def simple_geometry(prompt: str) -> str:
    angles = re.findall(r"([\d.]+)°", prompt)
    return f"""\
angles = [{", ".join(angles)}]
print(180 * (len(angles) - 1) - sum(angles))
"""


@script("reasoning_gym/dice")
def dice(prompt: str) -> str:
    sides, least = find(r"these dice: (.*?)\. .*rolling (\d+) or higher", prompt)
    return f"""\
from fractions import Fraction
ways = {{0: 1}}
total = 1
for sides in [{sides.replace("1d", "")}]:
    total *= sides
    rolled = {{}}
    for points, count in ways.items():
        for side in range(1, sides + 1):
            rolled[points + side] = rolled.get(points + side, 0) + count
    ways = rolled
print(Fraction(sum(count for points, count in ways.items() if points >= {least}), total))
"""


@script("reasoning_gym/countdown")
def countdown(prompt: str) -> str:
    target, numbers = find(r"Make (\d+) from the numbers ([\d, ]+), using", prompt)
    return any_order(numbers, target)


@script("reasoning_gym/group_anagrams")
def group_anagrams(prompt: str) -> str:
    (words,) = find(r"into anagrams:\n(\[.*?\])", prompt)
    return f"""\
import json
groups = {{}}
for word in {words}:
    groups.setdefault("".join(sorted(word)), []).append(word)
print(json.dumps(list(groups.values())))
"""


@script("reasoning_gym/number_sorting")
def number_sorting(prompt: str) -> str:
    order, numbers = find(r"in (\w+) order: (.*?)\n", prompt)
    reverse = ", reverse=True" if order == "descending" else ""
    return f'print(sorted("{numbers}".split(", "), key=float{reverse}))\n'


@script("reasoning_gym/number_filtering")
def number_filtering(prompt: str) -> str:
    verb, order, bound, numbers = find(r"(Keep|Remove) all numbers (\w+) than (\S+) in this list: (\[.*?\])", prompt)
    test = f"float(n) {'<' if order == 'smaller' else '>'} {bound}"
    return f"print([n for n in {numbers} if {test if verb == 'Keep' else f'not {test}'}])\n"


@script("reasoning_gym/word_sequence_reversal")
def word_sequence_reversal(prompt: str) -> str:
    (words,) = find(r"list of words: (.*?)\n", prompt)
    return f'print(", ".join("{words}".split(", ")[::-1]))\n'


@script("reasoning_gym/ransom_note")
def ransom_note(prompt: str) -> str:
    note, magazine = find(r"Note: (\w+)\nMagazine: (\w+)", prompt)
    return f"""\
from collections import Counter
note = Counter("{note}")
magazine = Counter("{magazine}")
print(note <= magazine)
"""


@script("reasoning_gym/palindrome_generation")
def palindrome_generation(prompt: str) -> str:
    (letters,) = find(r"letters: ([a-z, ]+)", prompt)
    return f"""\
from collections import Counter
counts = Counter("{letters}".split(", "))
half = "".join(letter * (n // 2) for letter, n in counts.items())
middle = "".join(letter for letter, n in counts.items() if n % 2)
print(half + middle + half[::-1])
"""


@script("reasoning_gym/palindrome_partitioning")
def palindrome_partitioning(prompt: str) -> str:
    (string,) = find(r"String: (\w+)", prompt)
    return f"""\
import json
def cuts(text):
    if not text:
        return [[]]
    heads = [text[:i] for i in range(1, len(text) + 1)]
    return [[head, *rest] for head in heads if head == head[::-1] for rest in cuts(text[len(head):])]
print(json.dumps(cuts("{string}")))
"""


@script("reasoning_gym/binary_alternation")
def binary_alternation(prompt: str) -> str:
    (string,) = find(r"alternating: ([01]+)", prompt)
    return f"""\
text = "{string}"
found = []
for first in "01":
    wanted = [str((int(first) + i) % 2) for i in range(len(text))]
    if wanted.count("1") == text.count("1"):
        found.append(sum(a != b for a, b in zip(text, wanted)) // 2)
print(min(found, default=-1))
"""


@script("reasoning_gym/spiral_matrix")
def spiral_matrix(prompt: str) -> str:
    (matrix,) = find(r"spiral order\?\n(.*?)\n\n", prompt)
    return f"""\
m = [line.split() for line in {rows(matrix)}.splitlines()]
spiral = []
while m:
    spiral += m.pop(0)
    m = [list(row) for row in zip(*m)][::-1]
print(*spiral)
"""


@script("reasoning_gym/binary_matrix")
def binary_matrix(prompt: str) -> str:
    (matrix,) = find(r"matrix below:\n(.*?)\n\n", prompt)
    return f"""\
m = [line.split() for line in {rows(matrix)}.splitlines()]
zeros = [(i, j) for i, row in enumerate(m) for j, cell in enumerate(row) if cell == "0"]
for i, row in enumerate(m):
    print(*(min(abs(i - a) + abs(j - b) for a, b in zeros) for j in range(len(row))))
"""


@script("reasoning_gym/game_of_life")
def game_of_life(prompt: str) -> str:
    steps, board = find(r"after (\d+) steps.*\n\n(\[\[.*?\]\])\.", prompt)
    return f"""\
import json
board = json.loads({rows(board)})
for step in range({steps}):
    n, k = len(board), len(board[0])
    def neighbours(i, j):
        shifts = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b]
        return sum(board[(i + a) % n][(j + b) % k] for a, b in shifts)
    around = [[neighbours(i, j) for j in range(k)] for i in range(n)]
    board = [[int(around[i][j] == 3 or (board[i][j] and around[i][j] == 2)) for j in range(k)] for i in range(n)]
print(json.dumps(board))
"""


@script("reasoning_gym/course_schedule")
def course_schedule(prompt: str) -> str:
    count, pairs = find(r"total of (\d+) courses.*\n(\[\(.*?\)\])\n", prompt)
    return f"""\
from graphlib import CycleError, TopologicalSorter
order = TopologicalSorter({{course: set() for course in range({count})}})
for course, first in {pairs}:
    order.add(course, first)
try:
    order.prepare()
    print(True)
except CycleError:
    print(False)
"""


@script("reasoning_gym/maze")
def maze(prompt: str) -> str:
    start, goal, grid, wall = find(r"from '(.)' \(start\) to '(.)' \(goal\):\n\n```\n(.*?)\n```\nLegend: '(.)'", prompt)
    return f"""\
grid = {grid.split()!r}
places = {{cell: (i, j) for i, row in enumerate(grid) for j, cell in enumerate(row)}}
steps, reached, edge = 0, set(), {{places[{start!r}]}}
while places[{goal!r}] not in edge:
    steps += 1
    reached |= edge
    around = {{(i + a, j + b) for i, j in edge for a, b in ((0, 1), (1, 0), (0, -1), (-1, 0))}}
    edge = {{(i, j) for i, j in around if grid[i][j] != {wall!r}}} - reached
print(steps)
"""


@script("reasoning_gym/jugs")
def jugs(prompt: str) -> str:
    holds, wanted = find(r"Jug (.*?) litres\..*exactly (\d+) litres", prompt)
    sizes = {name: int(size) for name, size in re.findall(r"(\w) holds (\d+)", holds)}
    return f"""\
import json
sizes = {sizes}
names = list(sizes)
paths = {{tuple(0 for name in names): []}}
queue = list(paths)
for state in queue:
    if {wanted} in state:
        print(json.dumps(paths[state]))
        break
    now = dict(zip(names, state))
    moves = []
    for a in names:
        moves.append((f"fill {{a}}", {{**now, a: sizes[a]}}))
        moves.append((f"empty {{a}}", {{**now, a: 0}}))
        for b in names:
            if a != b:
                poured = min(now[a], sizes[b] - now[b])
                moves.append((f"pour {{a}}->{{b}}", {{**now, a: now[a] - poured, b: now[b] + poured}}))
    for move, after in moves:
        key = tuple(after.values())
        if key not in paths:
            paths[key] = [*paths[state], move]
            queue.append(key)
"""
