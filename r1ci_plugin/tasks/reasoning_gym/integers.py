"""Tasks on whole numbers: sums, bits, bases, divisors, primes."""

from __future__ import annotations

import math
import re
import string
from random import Random

from r1ci_plugin.tasks.answers import Unparseable, integer, plain_operators, text
from r1ci_plugin.tasks.reasoning_gym.gym import ladder, plain, spans
from r1ci_plugin.tasks.reasoning_gym.library import Item

INTEGER_FORM = "The answer is one integer."


@plain(
    "chain_sum",
    "Sum and difference of a chain of integers",
    ("math",),
    "integer",
    knobs="terms 2 to 12, digits 2 to 8",
    givens="expression",
    form=INTEGER_FORM,
    configs=spans(5, terms=[(2, 3), (3, 4), (4, 6), (6, 9), (9, 12)], digits=[(2, 3), (2, 4), (3, 5), (4, 6), (5, 8)]),
)
def chain_sum(expression: str) -> int:
    """Terms and signs alternate, separated by spaces."""
    parts = expression.split()
    return int(parts[0]) + sum(
        int(term) * (1 if sign == "+" else -1) for sign, term in zip(parts[1::2], parts[2::2], strict=True)
    )


@plain(
    "count_bits",
    "Number of ones in the binary form of an integer",
    ("math",),
    "integer",
    chance=0.2,
    knobs="size of the number, 1e5 to 1e18",
    givens="number",
    form=INTEGER_FORM,
    configs=ladder(min_n=[1, 10**5, 10**7, 10**9, 10**12], max_n=[10**5, 10**7, 10**9, 10**12, 10**18]),
)
def count_bits(number: int) -> int:
    return number.bit_count()


def base_digits(answer: str) -> str:
    """A numeral in any base up to 36: letters in any case, leading zeros ignored."""
    body = text(answer).lower()
    if not re.fullmatch(r"[0-9a-z]{1,400}", body):
        raise Unparseable("not a numeral of digits and letters")
    return body.lstrip("0") or "0"


@plain(
    "base_conversion",
    "Convert an integer from one base to another",
    ("math",),
    "text",
    reader=base_digits,
    knobs="bases up to 5, 10, 16, 26, 36; values up to 1e3 ... 1e9",
    givens="source_repr source_base target_base",
    form="The answer is the converted number alone, without a prefix.",
    configs=ladder(
        max_base=[5, 10, 16, 26, 36],
        min_value=[16, 100, 10**3, 10**4, 10**6],
        max_value=[2000, 10**4, 10**5, 10**6, 10**9],
    ),
)
def base_conversion(source_repr: str, source_base: int, target_base: int) -> str:
    value, digits = int(source_repr, source_base), ""
    while value:
        value, digit = divmod(value, target_base)
        digits = (string.digits + string.ascii_lowercase)[digit] + digits
    return digits or "0"


def multiples(rng: Random, size: int, limit: int, largest: int) -> Item:
    """Numbers with a common divisor: without one, most answers would be 1."""
    common = rng.randint(1, largest)
    numbers = [common * rng.randint(2, limit // common) for _ in range(size)]
    asked = f"Find the greatest common divisor of these numbers: {', '.join(map(str, numbers))}."
    return Item(asked, str(math.gcd(*numbers)), {"numbers": numbers})


@plain(
    "gcd",
    "Greatest common divisor",
    ("math",),
    "integer",
    item=multiples,
    knobs="2 to 5 numbers, up to 500 ... 1e7, divisor up to 50 ... 5000",
    givens="numbers",
    form=INTEGER_FORM,
    configs=ladder(size=[2, 2, 3, 4, 5], limit=[500, 2000, 10**4, 10**5, 10**7], largest=[50, 150, 300, 1000, 5000]),
)
def gcd(numbers: list[int]) -> int:
    return math.gcd(*numbers)


@plain(
    "lcm",
    "Least common multiple",
    ("math",),
    "integer",
    knobs="2 to 4 numbers, up to 200 ... 1e5",
    givens="numbers",
    form=INTEGER_FORM,
    configs=spans(
        5,
        numbers=[(2, 2), (2, 2), (2, 3), (2, 3), (3, 4)],
        value=[(2, 200), (2, 500), (10, 1000), (10, 10**4), (10, 10**5)],
    ),
)
def lcm(numbers: list[int]) -> int:
    return math.lcm(*numbers)


def primes_upto(limit: int) -> bytearray:
    """Flags by number, 1 where the number is prime."""
    flags = bytearray([1]) * (limit + 1)
    flags[:2] = bytes(len(flags[:2]))
    for number in range(2, math.isqrt(limit) + 1):
        if flags[number]:
            flags[number * number :: number] = bytes(len(range(number * number, limit + 1, number)))
    return flags


@plain(
    "count_primes",
    "Count the primes in an interval",
    ("math",),
    "integer",
    knobs="upper end 300 to 100000",
    givens="start end",
    form=INTEGER_FORM,
    configs=ladder(max_n=[300, 1000, 10**4, 30_000, 10**5]),
)
def count_primes(start: int, end: int) -> int:
    return sum(primes_upto(end)[start:])


def factors(answer: str) -> list[int]:
    """Numbers separated by a multiplication sign or commas, in any order, also in brackets; powers as `2^3`."""
    found: list[int] = []
    for part in re.split(r"[xX*,]", plain_operators(text(answer).strip("[]")).replace("**", "^")):
        base, _, times = part.partition("^")
        count = integer(times) if times else 1
        if not 0 < count <= 100:
            raise Unparseable("a power of a prime factor is from 1 to 100")
        found += [integer(base)] * count
    return sorted(found)


def composite_or_lucky(item: Item) -> bool:
    """One prime of four is kept: of a prime, the answer is the number itself, copied."""
    return len(item.meta["factors"]) > 1 or item.meta["source_index"] % 4 == 0


@plain(
    "prime_factorization",
    "Factor an integer into primes",
    ("math", "search"),
    "integers",
    reader=factors,
    write=" × ".join,
    knobs="number up to 2000 ... 1e8",
    givens="number",
    keep=composite_or_lucky,
    configs=spans(5, value=[(50, 2000), (1000, 10**4), (10**4, 10**5), (10**5, 10**6), (10**6, 10**8)]),
)
def prime_factorization(number: int) -> list[str]:
    found, divisor = [], 2
    while divisor * divisor <= number:
        if number % divisor:
            divisor += 1
        else:
            number //= divisor
            found.append(str(divisor))
    return [*found, str(number)] if number > 1 else found


LEGS = {
    0: "snake, sea slug, jellyfish, flatworm, leech",
    2: "chicken, bird, human, duck",
    4: "dog, cat, cow, horse, lion, elephant, giraffe, tiger, deer, sheep",
    5: "starfish",
    6: "insect, ant, butterfly, beetle, bee, wasp, grasshopper, cricket, cockroach, praying mantis, firefly",
    8: "spider, scorpion",
    10: "crab, lobster, shrimp",
    14: "woodlouse",
}
LEGS_OF = {animal: legs for legs, animals in LEGS.items() for animal in animals.split(", ")}


@plain(
    "leg_counting",
    "Total number of legs of a list of animals",
    ("math",),
    "integer",
    knobs="2 to 20 kinds of animal, up to 10 ... 500 of each",
    givens="animals",
    form="By the school books: a starfish counts 5, a scorpion 8, a crab, lobster or shrimp 10, a woodlouse 14. "
    "The answer is one integer.",
    configs=spans(
        5,
        animals=[(2, 3), (3, 6), (5, 10), (8, 14), (12, 20)],
        instances=[(1, 10), (1, 15), (1, 50), (1, 100), (1, 500)],
    ),
)
def leg_counting(animals: dict[str, int]) -> int:
    return sum(LEGS_OF[animal] * count for animal, count in animals.items())
