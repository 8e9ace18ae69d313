"""Tasks of propositional and categorical logic."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product
from random import Random
from typing import Any

from r1ci_plugin.tasks.answers import Unparseable, text
from r1ci_plugin.tasks.base import Payload, Verdict
from r1ci_plugin.tasks.reasoning_gym.gym import Gym, gym, ladder, plain, spans
from r1ci_plugin.tasks.reasoning_gym.library import Item, draw

Formula = tuple[Any, ...]
"""`("var", name)`, `("¬", f)` or `(sign, f, g)`."""

MAX_FORMULA_DEPTH = 40
MAX_FORMULA_TOKENS = 400
_SIGNS: dict[str, Callable[[bool, bool], bool]] = {
    "∧": lambda a, b: a and b,
    "∨": lambda a, b: a or b,
    "→": lambda a, b: not a or b,
    "↔": lambda a, b: a == b,
}
LETTERS = "ABCDEGHJKLMNPQRSUWXYZ"
"""Names of variables; without those that look like a sign or a truth value."""
_BINDS = {"↔": 1, "→": 2, "∨": 3, "∧": 4}
_TOKEN = re.compile(r"\s*(<->|->|[A-Z]|[¬~!∧&∨|→↔()])")
_SPELLINGS = {"~": "¬", "!": "¬", "&": "∧", "|": "∨", "->": "→", "<->": "↔"}


def read_formula(written: str) -> Formula:
    """A formula in the usual signs or their ASCII spellings. Raises Unparseable."""
    tokens: list[str] = []
    place, body = 0, written.rstrip()
    while place < len(body):
        match = _TOKEN.match(body, place)
        if not match or len(tokens) == MAX_FORMULA_TOKENS:
            raise Unparseable(f"not a formula of at most {MAX_FORMULA_TOKENS} signs, at character {place + 1}")
        tokens.append(_SPELLINGS.get(match[1], match[1]))
        place = match.end()
    tokens.reverse()
    formula = _formula(tokens, 0, 0)
    if tokens:
        raise Unparseable(f"unexpected {tokens[-1]} in the formula")
    return formula


def _formula(tokens: list[str], floor: int, depth: int) -> Formula:
    if depth > MAX_FORMULA_DEPTH or not tokens:
        raise Unparseable("the formula is nested too deeply or ends too early")
    token = tokens.pop()
    left: Formula
    if token == "¬":
        left = ("¬", _formula(tokens, 5, depth + 1))
    elif token == "(":
        left = _formula(tokens, 0, depth + 1)
        if not tokens or tokens.pop() != ")":
            raise Unparseable("a bracket is not closed")
    elif token.isalpha():
        left = ("var", token)
    else:
        raise Unparseable(f"{token} has no place in the formula")
    while tokens and (strength := _BINDS.get(tokens[-1], -1)) > 0 and strength >= floor:
        sign = tokens.pop()
        left = (sign, left, _formula(tokens, strength + (sign != "→"), depth + 1))
    return left


def holds(formula: Formula, world: dict[str, bool]) -> bool:
    """The truth value of a formula. Raises Unparseable for a variable the world does not know."""
    if formula[0] == "var":
        if formula[1] not in world:
            raise Unparseable(f"{formula[1]} is not a variable of the premises")
        return world[formula[1]]
    if formula[0] == "¬":
        return not holds(formula[1], world)
    return _SIGNS[formula[0]](holds(formula[1], world), holds(formula[2], world))


def size(formula: Formula) -> int:
    """How many times a variable occurs."""
    return 1 if formula[0] == "var" else sum(size(part) for part in formula[1:])


def worlds(names: list[str]) -> list[dict[str, bool]]:
    return [dict(zip(names, values, strict=True)) for values in product((True, False), repeat=len(names))]


def short_formulas(names: list[str]) -> list[str]:
    """All formulae of one or two literals, shortest first."""
    literals = [*names, *(f"¬{name}" for name in names)]
    pairs = [(a, b) for i, a in enumerate(literals) for b in literals[i + 1 :] if a.strip("¬") != b.strip("¬")]
    return [*literals, *(f"{a} {sign} {b}" for a, b in pairs for sign in "∨→↔∧")]


class Conclusions:
    """What follows from premises together and from none of them alone."""

    def __init__(self, premises: list[str], names: list[str]) -> None:
        self.worlds = worlds(names)
        self.premises = [[holds(read_formula(premise), world) for world in self.worlds] for premise in premises]
        self.possible = [all(column) for column in zip(*self.premises, strict=True)]

    def fault(self, conclusion: Formula) -> str:
        """Why this is no good conclusion; empty if it is one."""
        true = [holds(conclusion, world) for world in self.worlds]
        if size(conclusion) > 2:
            return "more than two occurrences of variables"
        if not all(there for there, possible in zip(true, self.possible, strict=True) if possible):
            return "it does not follow from the premises"
        for number, premise in enumerate(self.premises, 1):
            if all(there for there, possible in zip(true, premise, strict=True) if possible):
                return f"it follows from premise {number} alone"
        return ""


@gym(
    "propositional_logic",
    "Draw a conclusion that needs several premises",
    ("logical", "search"),
    "expression",
    knobs="3 to 6 variables, 3 to 8 premises, depth 2 to 4",
    givens="premises variables",
    chance=0.3,
    configs=spans(
        5,
        vars=[(3, 3), (3, 4), (4, 4), (4, 5), (5, 6)],
        statements=[(3, 3), (3, 4), (4, 5), (4, 6), (5, 8)],
        complexity=[(1, 2), (2, 2), (2, 3), (2, 3), (2, 4)],
    ),
)
class PropositionalLogic(Gym):
    """The library's scorer pays for any tautology-free formula, a copied premise included; here the premises must be
    combined. It names the variables P, Q, R in every question, so that one formula was right in a third of them."""

    def item(self, rng: Random, **config: Any) -> Item:
        """An item of the library with other letters for its variables."""
        item = draw(self.dataset, rng, **config)
        old = item.meta["variables"]
        letters = str.maketrans(dict(zip(old, rng.sample(LETTERS, len(old)), strict=True)))
        premises = [premise.translate(letters) for premise in item.meta["premises"]]
        return Item("", "", {"premises": premises, "variables": [name.translate(letters) for name in old]})

    def keep(self, item: Item) -> bool:
        conclusions = Conclusions(item.meta["premises"], item.meta["variables"])
        return any(conclusions.possible) and bool(self.found(item.meta["premises"], item.meta["variables"]))

    def prompt(self, item: Item) -> str:
        premises = "\n".join(f"{number}. {premise}" for number, premise in enumerate(item.meta["premises"], 1))
        return (
            f"Premises, with ∨ for or, ∧ for and, → for implies, ↔ for if and only if, ¬ for not:\n{premises}\n\n"
            "State one conclusion that follows from the premises together, but does not follow from any single "
            "premise alone. "
            "Variables may occur at most twice in it, counting repetitions, e.g. ¬P, or P → ¬Q.\n\nThe answer is the "
            "formula alone."
        )

    def stored(self, item: Item) -> Payload:
        return {}

    def found(self, premises: list[str], variables: list[str]) -> str:
        conclusions = Conclusions(premises, variables)
        return next((short for short in short_formulas(variables) if not conclusions.fault(read_formula(short))), "")

    def check(self, payload: Payload, answer: str) -> Verdict:
        fault = Conclusions(payload["premises"], payload["variables"]).fault(read_formula(text(answer)))
        return Verdict.wrong(fault) if fault else Verdict.correct()

    def oracle(self, payload: Payload) -> str:
        return self.found(payload["premises"], payload["variables"])


_GATES: dict[str, Callable[[list[bool]], bool]] = {
    "&": all,
    "+": any,
    "↑": lambda inputs: not all(inputs),
    "↓": lambda inputs: not any(inputs),
    "⊕": lambda inputs: sum(inputs) % 2 == 1,
}


def gate(written: str, parts: list[str], values: dict[str, int]) -> bool:
    """The output of a gate on input names, a prime marking negation; a single input passes through."""
    inputs = [bool(values[part.rstrip("'")]) != part.endswith("'") for part in parts]
    return _GATES[written](inputs) if len(inputs) > 1 else inputs[0]


@plain(
    "circuit_logic",
    "Output of a drawn logic circuit",
    ("logical",),
    "integer",
    chance=0.6,
    knobs="2 to 9 gates of 2 to 5 inputs",
    givens="term_strings final_gate assignments",
    form="A gate with more than two inputs works on all of them: XOR is 1 if an odd number of inputs is 1, NAND is 0 "
    "only if all are 1. "
    "The answer is 0 or 1.",
    answer_in_prompt=True,
    configs=spans(5, terms=[(2, 2), (2, 3), (3, 5), (5, 7), (7, 9)], inputs=[(2, 2), (2, 3), (2, 4), (2, 4), (3, 5)]),
)
def circuit_logic(term_strings: list[str], final_gate: str, assignments: dict[str, int]) -> int:
    terms = []
    for term in term_strings:
        sign = next((sign for sign in "&↑⊕" if sign in term), "&")
        terms.append(gate(sign, term.split(sign), assignments))
    return int(_GATES[{"OR": "+", "NOR": "↓", "XOR": "⊕", "AND": "&"}[final_gate]](terms))


def tells(statement: list[Any], truthful: tuple[bool, ...]) -> bool:
    """Whether a nested statement on who tells the truth is true."""
    kind, parts = statement[0], statement[1:]
    if kind in ("telling-truth", "lying"):
        return bool(truthful[parts[0]] == (kind == "telling-truth"))
    said = [tells(part, truthful) for part in parts]
    if kind == "not":
        return not said[0]
    truths: dict[str, bool] = {
        "and": all(said),
        "or": any(said),
        "->": not said[0] or said[-1],
        "<=>": said[0] == said[-1],
    }
    return truths[kind]


def knights_given(item: Item) -> Payload:
    terms = item.meta["knight_knave_terms"]
    return {
        "statements": item.meta["statements"],
        "names": list(item.meta["names"]),
        "roles": [terms["knight"], terms["knave"]],
    }


@gym(
    "knights_knaves",
    "Who tells the truth and who lies",
    ("logical",),
    "text",
    givens=knights_given,
    chance=0.125,
    knobs="2 to 7 people, nesting of statements 2 to 3",
    configs=ladder(n_people=[2, 3, 4, 5, 7], depth_constraint=[2, 2, 2, 3, 3], width_constraint=[2, 2, 2, 2, 3]),
)
class KnightsKnaves(Gym):
    """Everybody must be named exactly once with one of the two roles; other words are ignored only between such
    statements."""

    def solutions(self, payload: Payload) -> list[tuple[bool, ...]]:
        options = product((True, False), repeat=len(payload["names"]))
        return [
            guess
            for guess in options
            if all(tells(said, guess) == guess[i] for i, said in enumerate(payload["statements"]))
        ]

    def keep(self, item: Item) -> bool:
        return len(self.solutions(self.given(item))) == 1

    def stored(self, item: Item) -> Payload:
        return {}

    def check(self, payload: Payload, answer: str) -> Verdict:
        names, (knight, knave) = payload["names"], [role.lower() for role in payload["roles"]]
        body = " ".join(text(answer).replace(";", ",").replace("\n", ",").split()).rstrip(".")
        claims = re.split(r" ?(?:, ?and |,| and ) ?", body, flags=re.IGNORECASE)
        said: dict[str, bool] = {}
        for claim in claims:
            match = re.fullmatch(r"(\w+)(?: is an? |: ?)(\w+)\.?", claim, flags=re.IGNORECASE)
            if not match or match[1] not in names or match[2].lower() not in (knight, knave) or match[1] in said:
                raise Unparseable(f"not one statement a person of the form NAME is a {knight}/{knave}: {claim[:60]!r}")
            said[match[1]] = match[2].lower() == knight
        if set(said) != set(names):
            return Verdict.wrong("not everybody is named")
        right = sum(said[name] == truth for name, truth in zip(names, self.solutions(payload)[0], strict=True))
        return (
            Verdict.correct()
            if right == len(names)
            else Verdict.wrong(f"{right} of {len(names)} are right", 0.9 * right / len(names))
        )

    def oracle(self, payload: Payload) -> str:
        guess = self.solutions(payload)[0]
        roles = payload["roles"]
        return ", ".join(
            f"{name} is a {roles[0] if truth else roles[1]}"
            for name, truth in zip(payload["names"], guess, strict=True)
        )


Claim = tuple[str, int, int]
_CLAIMS: dict[str, str] = {
    "at least": "At least {0} of these {n} statements are true.",
    "at most": "At most {0} of these {n} statements are true.",
    "exactly": "Exactly {0} of these {n} statements are true.",
    "false": "Exactly {0} of these {n} statements are false.",
    "either": "Either statement {0} or statement {1} is true, but not both.",
    "both": "Statements {0} and {1} are both true or both false.",
    "not": "Statement {0} is false.",
    "even": "The number of true statements is even.",
}


def claimed(claim: Claim, truths: tuple[bool, ...]) -> bool:
    """Whether a claim about the truth values of all statements, its own among them, is right."""
    kind, a, b = claim
    count = sum(truths)
    if kind in ("either", "both"):
        return (truths[a - 1] != truths[b - 1]) == (kind == "either")
    if kind == "not":
        return not truths[a - 1]
    return {
        "at least": count >= a,
        "at most": count <= a,
        "exactly": count == a,
        "false": len(truths) - count == a,
        "even": count % 2 == 0,
    }[kind]


def self_consistent(claims: list[Claim]) -> int:
    options = product((True, False), repeat=len(claims))
    return sum(
        all(claimed(claim, truths) == truth for claim, truth in zip(claims, truths, strict=True)) for truths in options
    )


def statements(rng: Random, low: int, high: int) -> Item:
    """Self-referring statements; every number of solutions from 0 to 4 is drawn equally often. The library knows few
    questions."""
    wanted = rng.randint(0, 4)
    while True:
        n = rng.randint(low, high)
        claims: list[Claim] = []
        for _ in range(n):
            kind = rng.choice(list(_CLAIMS))
            first, second = rng.sample(range(1, n + 1), 2)
            claims.append(
                (kind, 0, 0) if kind == "even" else (kind, first, second if kind in ("either", "both") else 0)
            )
        if self_consistent(claims) == wanted and len(set(claims)) == n:
            break
    stated = "\n".join(f"Statement {i}: {_CLAIMS[kind].format(a, b, n=n)}" for i, (kind, a, b) in enumerate(claims, 1))
    return Item(
        f"Each of these statements is either true or false:\n\n{stated}\n\nIn how many ways can truth values be given "
        "to the statements such that "
        "every statement is true exactly if what it says is the case? The answer is one integer.",
        str(wanted),
        {"claims": claims},
    )


@plain(
    "self_reference",
    "Count the consistent truth values of self-referring statements",
    ("logical",),
    "integer",
    item=statements,
    chance=0.2,
    knobs="4 to 9 statements",
    givens="claims",
    configs=ladder(low=[4, 5, 6, 7, 8], high=[5, 6, 7, 8, 9]),
)
def self_reference(claims: list[Any]) -> int:
    return self_consistent([(kind, a, b) for kind, a, b in claims])


_KINDS = (
    "bakers",
    "sailors",
    "poets",
    "doctors",
    "gardeners",
    "dancers",
    "farmers",
    "painters",
    "lawyers",
    "pilots",
    "teachers",
    "singers",
    "chess players",
    "vegetarians",
    "early risers",
    "swimmers",
    "cyclists",
    "collectors",
    "climbers",
    "twins",
)
_QUANTIFIERS = {
    "all": "All {} are {}",
    "no": "No {} are {}",
    "some": "Some {} are {}",
    "some not": "Some {} are not {}",
}

Sentence = tuple[str, int, int]


_OPPOSITE = {"all": "some not", "no": "some", "some": "no", "some not": "all"}


def concerns(sentence: Sentence, region: int) -> bool:
    """Whether members of a region (a bit mask of classes) break an `all` or `no`, or bear out the two others."""
    quantifier, subject, predicate = sentence
    inside = bool(region >> predicate & 1)
    return bool(region >> subject & 1) and inside == (quantifier in ("no", "some"))


def consistent(sentences: list[Sentence], classes: int) -> bool:
    """Whether a world without empty classes makes all sentences true: the one with every region that breaks none."""
    inhabited = [
        region
        for region in range(1 << classes)
        if not any(concerns(s, region) for s in sentences if s[0] in ("all", "no"))
    ]
    witnessed = all(any(concerns(s, region) for region in inhabited) for s in sentences if s[0] in ("some", "some not"))
    return witnessed and all(any(region >> c & 1 for region in inhabited) for c in range(classes))


def follows(premises: list[Sentence], conclusion: Sentence, classes: int) -> bool:
    """Whether the conclusion holds in every world of the premises in which no class is empty."""
    quantifier, subject, predicate = conclusion
    return not consistent([*premises, (_OPPOSITE[quantifier], subject, predicate)], classes)


def syllogism_item(rng: Random, count: int, near: float) -> Item:
    """A chain of `count` premises and a conclusion that follows in half of the cases.

    `near` is the share of conclusions on the two classes of one premise.
    """
    wanted = rng.random() < 0.5
    names = rng.sample(_KINDS, count + 1)
    while True:
        premises: list[Sentence] = []
        for link in range(count):
            subject, predicate = rng.sample((link, link + 1), 2)
            premises.append((rng.choice(list(_QUANTIFIERS)), subject, predicate))
        link = rng.randrange(count)
        subject, predicate = rng.sample((link, link + 1) if rng.random() < near else (0, count), 2)
        conclusion: Sentence = (rng.choice(list(_QUANTIFIERS)), subject, predicate)
        possible = conclusion not in premises and consistent(premises, count + 1)
        if possible and follows(premises, conclusion, count + 1) == wanted:
            break
    rng.shuffle(premises)
    *told, asked = (_QUANTIFIERS[q].format(names[a], names[b]) for q, a, b in (*premises, conclusion))
    stated = "\n".join(f"{number}. {sentence}." for number, sentence in enumerate(told, 1))
    return Item(
        f"Assume that there is at least one member of every class named.\n\n{stated}\n\n"
        f"Does this follow: {asked}?\n\nThe answer is Yes or No.",
        "Yes" if wanted else "No",
        {"premises": premises, "conclusion": conclusion},
    )


@plain(
    "syllogism",
    "Does the conclusion follow from premises",
    ("logical",),
    "yes_no",
    item=syllogism_item,
    chance=0.5,
    answer_in_prompt=True,
    knobs="2 to 4 premises, share of conclusions that only turn a premise around",
    givens="premises conclusion",
    configs=ladder(count=[2, 2, 3, 3, 4], near=[0.7, 0.3, 0.2, 0.0, 0.2]),
)
def syllogism(premises: list[Any], conclusion: list[Any]) -> str:
    known: list[Sentence] = [(q, a, b) for q, a, b in premises]
    return "Yes" if follows(known, (conclusion[0], conclusion[1], conclusion[2]), len(premises) + 1) else "No"
