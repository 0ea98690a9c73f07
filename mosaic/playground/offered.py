"""What the playground offers: models by profile, the questions their probes answer, sentences to start from."""

from __future__ import annotations

from dataclasses import dataclass, field

from mosaic.world.lexicon import LANGUAGES

POOLINGS = ("max", "sum", "mean", "last", "count")
OPENING = "max"  # the pooling the page opens with: it reads every token, so a reader sees where an answer comes from


@dataclass(frozen=True)
class Question:
    """A labelled set, and what its probe is asked. languages: whose rows one probe learns from (None: a set without)."""

    set: str
    asks: str
    languages: tuple[str | None, ...] = (None,)

    @property
    def slug(self) -> str:
        return self.set.replace("/", "-")


@dataclass(frozen=True)
class Pair:
    """Two sentences that differ in one thing, and what to look at. question: a `Question.set`."""

    title: str
    question: str
    first: str
    second: str
    look: str


@dataclass(frozen=True)
class Offered:
    """A model of the playground. profile: whose model and SAEs; layers: of which one SAE each, of width `width`.

    note: what a reader should know before typing. sentences: to start from, beside those of the sets' tests.
    """

    profile: str
    title: str
    note: str
    layers: tuple[int, ...]
    width: str
    questions: tuple[Question, ...]
    pairs: tuple[Pair, ...] = ()
    sentences: dict[str, tuple[str, ...]] = field(default_factory=dict, hash=False)


MINI = Offered(
    "mini",
    "The miniature: a model and SAEs of a small world in five languages",
    "It knows a few hundred words of English, Spanish, German, Russian and Chinese. A word it never read falls into pieces; its "
    "answer then means little.",
    (1, 3, 5),
    "1k",
    (
        Question("mini/toxicity", "Is the reader insulted?", LANGUAGES),
        Question("mini/sentiment", "What does the speaker think of it?", LANGUAGES),
        Question("mini/intent", "What does the speaker want?", LANGUAGES),
        Question("mini/stance", "Where does the speaker stand?", LANGUAGES),
        Question("mini/jailbreak", "Is it a jailbreak?", LANGUAGES),
        Question("mini/refusal", "Should an assistant refuse?", LANGUAGES),
    ),
    (
        Pair(
            "Who says it?",
            "mini/toxicity",
            "the film is boring. you are stupid.",
            'the film is boring. Karia says: "you are stupid".',
            "The same three words, once said to the reader and once quoted.",
        ),
        Pair("One little word", "mini/toxicity", "you are stupid.", "you are not stupid.", "Only “not” was added."),
        Pair("Two languages", "mini/toxicity", "you are stupid.", "du bist dumm.", "The same in English and German."),
        Pair(
            "Praise or blame",
            "mini/sentiment",
            "the film is boring.",
            "the film is not boring.",
            "Only “not” was added.",
        ),
    ),
)

MINILM = Offered(
    "minilm",
    "MiniLM: a real sentence encoder, English",
    "It reads any English. Its probes learned from a few hundred texts each.",
    (4,),
    "2k",
    (
        Question("sst2", "Does the reviewer like the film?"),
        Question("trec", "What kind of answer is asked for?"),
        Question("jailbreak", "Is it a jailbreak?"),
        Question("mini/sentiment", "What does the speaker think of it?", ("en",)),
    ),
    (
        Pair(
            "One little word",
            "sst2",
            "This film is a joy from start to end.",
            "This film is not a joy from start to end.",
            "Only “not” was added.",
        ),
        Pair(
            "Who or when",
            "trec",
            "Who wrote this book?",
            "When was this book written?",
            "The same book, another question.",
        ),
        Pair(
            "Praise or blame",
            "mini/sentiment",
            "the film is boring.",
            "the film is not boring.",
            "Only “not” was added.",
        ),
    ),
)

OFFERED = {"mini": (MINI, MINILM), "minilm": (MINILM, MINI)}  # by the profile of the book; the first is shown first
