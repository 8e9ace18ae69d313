"""Tasks on lists of numbers: filtering, sorting, and finding the rule behind examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import accumulate, pairwise, product
from random import Random

from r1ci_plugin.tasks.answers import rational, words
from r1ci_plugin.tasks.reasoning_gym.gym import ladder, plain
from r1ci_plugin.tasks.reasoning_gym.library import Item

LIST_FORM = "The answer is the list of numbers alone, as they are written above, e.g. ['1.5', '-2']."


def numerals(answer: str) -> list[Fraction]:
    """Numbers in brackets or not, quoted or not; compared by value."""
    return [rational(word) for word in words(answer)]


_SIZES = {
    "min_numbers": [3, 5, 8, 15, 30],
    "max_numbers": [5, 8, 15, 30, 60],
    "max_decimals": [1, 2, 3, 4, 5],
    "min_value": [-50, -100, -100, -500, -1000],
    "max_value": [50, 100, 100, 500, 1000],
}


@plain(
    "number_filtering",
    "Keep or remove the numbers beyond a bound",
    ("math", "logical"),
    "sequence",
    reader=numerals,
    write=str,
    knobs="3 to 60 numbers, 0 to 5 decimals",
    givens="original_numbers filter_value operation",
    form=LIST_FORM,
    keep=lambda item: 0 < len(item.meta["result"]) < len(item.meta["original_numbers"]),
    configs=ladder(**_SIZES),
)
def number_filtering(original_numbers: list[str], filter_value: str, operation: str) -> list[str]:
    action, _, side = operation.partition("_")
    sign = 1 if side == "larger" else -1
    return [
        number
        for number in original_numbers
        if (sign * (rational(number) - rational(filter_value)) > 0) == (action == "keep")
    ]


@plain(
    "number_sorting",
    "Sort numbers up or down",
    ("order",),
    "sequence",
    reader=numerals,
    write=str,
    knobs="3 to 60 numbers, 0 to 5 decimals",
    givens="original_numbers direction",
    configs=ladder(**_SIZES),
)
def number_sorting(original_numbers: list[str], direction: str) -> list[str]:
    return sorted(original_numbers, key=rational, reverse=direction == "descending")


Rule = Callable[[list[int]], list[int]]


def _rules() -> dict[str, Rule]:
    """The rules a question of `list_functions` may be made from."""
    rules: dict[str, Rule] = {
        "reversed": lambda xs: xs[::-1],
        "sorted": sorted,
        "sorted downward": lambda xs: sorted(xs, reverse=True),
        "sum": lambda xs: [sum(xs)],
        "largest": lambda xs: [max(xs)],
        "smallest": lambda xs: [min(xs)],
        "length": lambda xs: [len(xs)],
        "spread": lambda xs: [max(xs) - min(xs)],
        "even ones": lambda xs: [x for x in xs if x % 2 == 0],
        "odd ones": lambda xs: [x for x in xs if x % 2],
        "count of even": lambda xs: [sum(x % 2 == 0 for x in xs)],
        "running sum": lambda xs: list(accumulate(xs)),
        "running maximum": lambda xs: list(accumulate(xs, max)),
        "differences": lambda xs: [b - a for a, b in pairwise(xs)],
        "neighbour sums": lambda xs: [a + b for a, b in pairwise(xs)],
        "every second": lambda xs: xs[::2],
        "without repeats": lambda xs: list(dict.fromkeys(xs)),
        "ends swapped": lambda xs: [xs[-1], *xs[1:-1], xs[0]],
        "last digits": lambda xs: [x % 10 for x in xs],
    }
    for k in range(1, 4):
        rules[f"element {k}"] = lambda xs, k=k: [xs[k - 1]]  # type: ignore[misc]
        rules[f"first {k}"] = lambda xs, k=k: xs[:k]  # type: ignore[misc]
        rules[f"last {k}"] = lambda xs, k=k: xs[-k:]  # type: ignore[misc]
        rules[f"without the first {k}"] = lambda xs, k=k: xs[k:]  # type: ignore[misc]
        rules[f"turned by {k}"] = lambda xs, k=k: xs[k:] + xs[:k]  # type: ignore[misc]
    for k in range(2, 10):
        rules[f"plus {k}"] = lambda xs, k=k: [x + k for x in xs]  # type: ignore[misc]
        rules[f"times {k}"] = lambda xs, k=k: [x * k for x in xs]  # type: ignore[misc]
        rules[f"multiples of {k}"] = lambda xs, k=k: [x for x in xs if x % k == 0]  # type: ignore[misc]
        rules[f"above {10 * k}"] = lambda xs, k=k: [x for x in xs if x > 10 * k]  # type: ignore[misc]
        rules[f"count above {10 * k}"] = lambda xs, k=k: [sum(x > 10 * k for x in xs)]  # type: ignore[misc]
    return rules


RULES = _rules()


def chained(names: tuple[str, ...], xs: list[int]) -> list[int] | None:
    """The rules applied one after the other; None where one does not apply."""
    try:
        for name in names:
            xs = RULES[name](xs)
    except (IndexError, ValueError):
        return None
    return xs


def outputs(examples: list[list[list[int]]], asked: list[int]) -> set[tuple[int, ...]]:
    """What every rule, and every chain of two, that fits the examples makes of the asked list. Single rules first:
    they win."""
    for length in (1, 2):
        fitting = [
            names for names in product(RULES, repeat=length) if all(chained(names, xs) == ys for xs, ys in examples)
        ]
        found = {tuple(result) for names in fitting if (result := chained(names, asked)) is not None}
        if found:
            return found
    return set()


def rule_examples(rng: Random, length: int, shown: int, size: int) -> Item:
    """Examples of one hidden rule such that every equally simple rule that fits them gives the same answer."""
    while True:
        names = tuple(rng.sample(list(RULES), length))
        lists = [[rng.randint(0, 99) for _ in range(rng.randint(4, size))] for _ in range(shown + 1)]
        results = [chained(names, xs) or [] for xs in lists]
        if any(not result for result in results) or results[-1] in [*lists, *results[:-1]]:
            continue
        if results[:-1] == lists[:-1] or all(result == results[0] for result in results[:-1]):
            continue  # the examples show no rule
        examples, asked = [[xs, ys] for xs, ys in zip(lists[:-1], results[:-1], strict=True)], lists[-1]
        if outputs(examples, asked) == {tuple(results[-1])}:
            break
    stated = "\n".join(f"Input {n}: {xs}\nOutput {n}: {ys}" for n, (xs, ys) in enumerate(examples, 1))
    return Item(
        "One hidden rule makes every output from its input. Find it and apply it to the last input.\n\n"
        f"{stated}\n\nInput {shown + 1}: {asked}\nOutput {shown + 1}: ?\n\nThe answer is the list of numbers alone, "
        "e.g. [1, 2].",
        str(results[-1]),
        {"examples": examples, "asked": asked},
    )


@plain(
    "list_functions",
    "Find the rule that maps lists to lists",
    ("logical",),
    "integers",
    item=rule_examples,
    knobs="rules of one or two steps, lists up to 6 ... 12 numbers",
    givens="examples asked",
    configs=ladder(length=[1, 1, 1, 2, 2], shown=[6, 5, 4, 6, 5], size=[6, 8, 12, 8, 12]),
)
def list_functions(examples: list[list[list[int]]], asked: list[int]) -> list[int]:
    return list(min(outputs(examples, asked)))


Operation = tuple[str, int]


def operations(largest: int) -> list[Operation]:
    steps = [n for n in range(-largest, largest + 1) if n]
    return [
        *(("add", n) for n in steps),
        *(("multiply", n) for n in steps if abs(n) > 1),
        ("halve", 0),
        ("add previous", 0),
    ]


def following(chain: tuple[Operation, ...], last: int, before: int) -> int:
    """The next term after `last`, which comes after `before`."""
    term = last
    for name, n in chain:
        term = (
            term + n
            if name == "add"
            else term * n
            if name == "multiply"
            else term // 2
            if name == "halve"
            else term + before
        )
    return term


def continuations(sequence: list[int], largest: int) -> Iterator[int]:
    """The next term under every chain of one or two operations that explains all terms from the third on."""
    for length in (1, 2):
        for chain in product(operations(largest), repeat=length):
            if all(following(chain, b, a) == c for a, b, c in zip(sequence, sequence[1:], sequence[2:], strict=False)):
                yield following(chain, sequence[-1], sequence[-2])


def random_sequence(rng: Random, length: int, terms: int, largest: int) -> Item:
    """A sequence that only one next term can continue, bounded in size and not constant."""
    while True:
        chain = tuple(rng.choice(operations(largest)) for _ in range(length))
        shown = [rng.randint(-30, 30), rng.randint(-30, 30)]
        while len(shown) < terms:
            shown.append(following(chain, shown[-1], shown[-2]))
        if max(map(abs, shown)) < 10**6 and len(set(shown)) == terms and len(set(continuations(shown, largest))) == 1:
            break
    return Item(
        f"{', '.join(map(str, shown))}, ?\n\nFrom the third term on, every term is made from the term before it by "
        "the same one or two steps, where a "
        f"step is one of: add a fixed whole number from {-largest} to {largest}, multiply by such a number, halve "
        "(rounding down), or add the term that "
        "stands two places before the new one. What is the next term? The answer is one integer.",
        str(following(chain, shown[-1], shown[-2])),
        {"sequence": shown, "largest": largest},
    )


@plain(
    "number_sequence",
    "Next term of a sequence",
    ("math", "logical"),
    "integer",
    item=random_sequence,
    knobs="rules of one or two steps, constants up to 5 ... 12, 5 to 7 terms shown",
    givens="sequence largest",
    configs=ladder(length=[1, 2, 2, 2, 2], terms=[6, 7, 7, 6, 6], largest=[5, 5, 8, 10, 12]),
)
def number_sequence(sequence: list[int], largest: int) -> int:
    return next(continuations(sequence, largest))
