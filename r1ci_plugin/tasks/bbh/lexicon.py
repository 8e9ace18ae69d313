"""Words, names and numbers the questions are written with, all of them our own choice.

Left out: which words a task draws and how many, which is each task's business. Lists only grow at their end: a
question drawn from a seed depends on their order.
"""

from __future__ import annotations

from typing import Final


def listed(text: str) -> tuple[str, ...]:
    """The words of a text, which is how long lists stay readable."""
    return tuple(text.split())


_UNITS: Final = listed(
    """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen
    """
)
_TENS: Final = listed("twenty thirty forty fifty sixty seventy eighty ninety")


def number_word(number: int) -> str:
    """0..100 in English words, `forty-two` with a hyphen."""
    if number < 20:
        return _UNITS[number]
    if number == 100:
        return "one hundred"
    tens, unit = divmod(number, 10)
    return _TENS[tens - 2] + (f"-{_UNITS[unit]}" if unit else "")


NUMBER_WORDS: Final[dict[str, int]] = {number_word(number).replace("-", " "): number for number in range(101)} | {
    "hundred": 100
}
"""Number words with spaces for hyphens, to their value."""


def spelled(text: str) -> int | None:
    """The value of 0..99,999 in English words, `four hundred (and) fifty-two`; None if the text is no such number."""
    return _spelled(" ".join(text.lower().replace("-", " ").split()), 100_000)


def _spelled(text: str, limit: int) -> int | None:
    for word, size in (("thousand", 1000), ("hundred", 100)):
        before, found, after = (part.strip() for part in f" {text} ".partition(f" {word} "))
        if found and size < limit:
            count = 1 if before in ("", "a") else _spelled(before, limit // size)
            rest = _spelled(after.removeprefix("and "), size) if after else 0
            return None if count is None or rest is None else count * size + rest
    value = NUMBER_WORDS.get(text)
    return value if value is not None and value < limit else None


COUNTABLES: Final[dict[str, tuple[str, ...]]] = {
    "fruits": listed(
        """
        apple banana pear plum peach lemon lime mango fig kiwi apricot melon orange grape quince papaya guava date
        nectarine tangerine
        """
    ),
    "vegetables": listed(
        """
        carrot turnip leek parsnip radish onion beet artichoke cabbage shallot yam potato cauliflower kohlrabi swede
        rutabaga celeriac sprout
        """
    ),
    "animals": listed(
        """
        dog cat horse cow goat rabbit hamster parrot lizard frog duck hen donkey snake turtle ferret pony goose
        pigeon tortoise
        """
    ),
    "tools": listed(
        """
        hammer saw chisel drill wrench spanner screwdriver rasp mallet spade rake hoe trowel plane clamp crowbar
        anvil sickle
        """
    ),
    "instruments": listed(
        """
        violin cello harp guitar banjo flute oboe clarinet bassoon trumpet tuba horn drum piano organ zither lute
        mandolin accordion fiddle
        """
    ),
    "clothes": listed(
        """
        shirt coat jacket hat cap scarf belt skirt dress sock shoe boot glove jumper vest robe cloak sandal mitten
        apron
        """
    ),
    "pieces of furniture": listed(
        """
        chair table stool sofa desk bed cupboard wardrobe bookcase bench dresser cabinet armchair footstool
        sideboard crib
        """
    ),
}
"""Kind of thing (in the plural, as a question asks for it) to things that plainly are of this kind and, but for those
of `ALSO`, of no other."""

ALSO: Final = {"kiwi": "animals"}
"""Things that may be taken for another kind, to this kind: where it is asked for, they are not listed."""

_IRREGULAR: Final = {
    "goose": "geese",
    "bookcase": "bookcases",
    "scarf": "scarves",
    "radish": "radishes",
    "peach": "peaches",
    "mango": "mangoes",
    "leek": "leeks",
    "wrench": "wrenches",
    "dress": "dresses",
    "bench": "benches",
    "pony": "ponies",
    "donkey": "donkeys",
}


def plural(noun: str) -> str:
    """The plural of a noun of this lexicon."""
    return _IRREGULAR.get(noun, f"{noun}s")


WORDS: Final[tuple[str, ...]] = listed(
    """
    able acid acorn actor adapt adult agile alarm album alert alley amber amuse anchor angle ankle answer apple arch
    arena armor arrow artist aspen atlas attic autumn avenue award awful baker ballad bamboo banana banner barley
    basin basket beach beacon beard beaver berry bishop blanket blossom board border bottle bracket branch bread
    breeze bridge bright broom brother bucket budget buffalo bullet butter button cabin cable cactus camel candle
    canoe canvas carbon cargo carpet castle cattle cedar cellar cement chain chalk chapel charm cheese cherry
    chimney circle citrus clay clever cliff clock cloud clover cobalt coffee collar comet copper coral corner cotton
    cradle crater crayon cricket crown crystal curtain cushion dagger dairy dance danger dawn decade deer delta
    denim desert diamond dinner dollar dolphin domino donor dragon drama dream drift dune dusk eagle earth easel
    echo edge elbow elder ember empire engine envelope equal error escape estate evening event exile fabric factor
    falcon family farmer feather fence ferry fever fiddle field figure final finger flame flannel flavor flint flood
    floor flour fluid flute foam forest fossil fountain fox frame freight frost fungus galaxy gallon garage garden
    garlic gate gentle ghost giant ginger glacier glass globe glory glove goblet gold gospel grain granite grape
    gravel green grove guest guitar habit hammer harbor harvest haven hazel heart hedge helmet hero hinge hollow
    honey hornet hotel humble hunter icicle idol igloo image inch index indigo ink insect iris iron island ivory ivy
    jacket jaguar jasmine jelly jewel jigsaw jolly journey judge juice jungle junior kayak kernel kettle kidney
    kitchen kitten knight knot label ladder lagoon lamp lantern larch laser lather lattice laurel lava lawn leaf
    lemon lens lesson letter lever lilac limit linen lion liquid lizard lobster locket lodge loom lotus lumber lunar
    lyric magnet maple marble margin market marsh mason meadow medal melody mentor merit metal meteor mirror mitten
    moment monkey mosaic moth motor mountain mouse muffin museum music mustard napkin nectar needle nephew nickel
    noble noodle north nothing novel number nurse oak oasis oath object ocean olive onion opera orange orbit orchard
    order otter oven owl oxygen oyster paddle palace palm panda panel paper parade parcel park parrot pasture patch
    peanut pearl pebble pencil penny pepper petal piano picnic pigeon pillow pilot pine pirate pistol planet plaster
    plate plaza plum pocket poem polar pollen pond pony poplar porch potter powder prairie prism prize pumpkin
    puppet purple puzzle quail quarry quartz queen quest quiet quill quilt quiver rabbit radar radio raft rain ranch
    rapid raven razor recipe reef relic ribbon riddle ridge rifle ripple river robin rocket roof rope rose rover
    ruby rudder rumor rural saddle saffron sailor salad salmon salt sandal satin saucer scale scarf school scout
    sculptor season secret seed shadow shark shell shelter sheriff shield shore shovel shrimp signal silk silver
    sketch sleeve slope smoke snail snow soap soil solar sonnet south spade spark spice spider spinach spiral spoon
    spring square squid stable stamp starch statue steam stem stone storm stove straw stream street summer summit
    sunset swamp sweater swift sword symbol syrup table tailor talent tango teapot temple tennis theater thicket
    thimble thorn thread throne thunder ticket tiger timber tinsel toast tomato topaz torch tower trader trail
    treaty trophy trout trumpet tulip tunnel turban turtle tutor twig twin umbrella uncle union unit upper urban
    urchin useful usual valley valve vanilla vapor vault velvet vessel victor village vine violet violin visit
    voyage vulture wafer wagon walnut walrus warden water wax weasel weaver wedge wheat wheel whisper willow window
    winter wisdom wizard wolf wonder woolen wreath yacht yarn yeast yellow yogurt young zebra zenith zinc zipper
    zone
    """
)
"""About 600 plain words in lower case, alphabetical, without repeats."""

STEMS: Final[tuple[str, ...]] = listed(
    """
    accept act add aim allow arrest ask attend bank bark beam bend bind boil build burn call camp cast claim clean
    climb collect command count cover crack cross depart deposit detect dress drift drill earn employ enter expand
    fail farm fast fill find fish fold follow form gain garden gather grant guard haunt head heat help hint hunt
    inform invent jump kick land learn lend load lock look mark melt mend mind mount need open order own pack paint
    part pass perform plant play pour press print protect pull push rain reach record report resist rest return roll
    row sail scan scold seek send sign sing smell sort speak spell spoil spread start stay switch talk test think
    touch train transform travel turn visit wait walk want warm wash watch weld whisper wind wish work yield
    """
)
"""Verbs that take the endings of `ENDINGS` without a change of spelling."""

ENDINGS: Final[tuple[str, ...]] = ("", "ing", "er", "ers", "ings")
"""Words of one stem share a long beginning, which makes their order harder to see."""

NAMES: Final[tuple[str, ...]] = listed(
    """
    Ada Adam Agnes Alan Alba Alma Amir Anika Anton Astrid Aurel Basil Beata Benno Bianca Boris Bruno Callum Carla
    Cecil Celia Clara Conrad Cora Cyril Dalia Dario Delia Dina Dora Edgar Edith Elena Elias Elsa Emil Enid Erik Esme
    Ezra Fabio Faye Felix Fiona Flora Franz Freya Gareth Gemma Gino Greta Hanna Harvey Hazel Hector Helga Hugo Ida
    Igor Imani Ines Ivan Jalen Janek Jasper Jonas Joris Judith Julia Kamal Karin Katya Keith Kenji Lara Lars Leila
    Lena Leo Linus Lorna Lucia Magnus Malik Marek Marta Milan Mina Mira Nadia Nelson Nina Noah Nora Olaf Olga Omar
    Oscar Otto Paula Pedro Petra Quentin Rania Rasmus Renata Rita Rolf Rosa Rufus Sabine Samir Selma Silas Simon
    Sofia Stella Sven Tamar Tessa Theo Tilda Tobias Uma Ursula Vera Victor Viola Wanda Wilma Yara Yusuf Zeno Zoe
    """
)
"""First names, alphabetical, without repeats."""

COLOURS: Final[tuple[str, ...]] = listed(
    """
    red orange yellow green blue brown pink purple black white grey silver golden turquoise magenta beige maroon
    olive
    """
)
"""Colours that nobody takes for one another."""
