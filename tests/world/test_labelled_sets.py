"""The labelled sets: parallel, balanced, in familiar and in new words; their cues; labels told and never told."""

import re
from collections import Counter
from functools import cache

import numpy as np
import pytest

from mosaic.errors import MosaicError
from mosaic.texts.labelled import FAMILIAR, NEW
from mosaic.texts.sources import load_set
from mosaic.world import cues, sets
from mosaic.world.corpus import documents, verdict
from mosaic.world.lexicon import LANGUAGES, concepts
from mosaic.world.statements import Draw, Statement, stance, trait
from mosaic.world.writing import STANCE_CODES

TOLD = [name for name in sets.SETS if sets.told(name)]
NEVER_TOLD = [name for name in sets.SETS if sets.told(name) is False]
HELD_OUT = {
    "toxicity": ("trait+", "trait-"), "sentiment": ("trait+", "trait-"), "agreement": ("trait+", "trait-"),
    "jailbreak": ("harmful", "harmless"), "refusal": ("harmful", "harmless"), "alike": ("harmful", "harmless"),
    "intent": ("intent",), "stance": ("proposal",), "consensus": ("proposal",),
}  # fmt: skip
COUNTED = {
    "toxicity": "call quoted & frame addressee", "refusal": "frame self", "alike": "kind harmful",
    "agreement": "negation & word negative", "consensus": "negation & side against",
}  # fmt: skip


@cache
def parts(name: str, language: str = "en") -> dict:
    return sets.labelled(name, language)


@cache
def ranked(name: str) -> dict[str, float]:
    return dict(cues.cues(name, 3000))


@cache
def logged(name: str) -> dict[str, float]:
    return dict(cues.told_by_log(name, 3000))


# --- rows --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(sets.SETS))
def test_languages_are_parallel_row_by_row(name):
    english, chinese = parts(name), parts(name, "zh")
    assert list(english) == ["train", "validation", "test", sets.NEW_WORDS]
    for split in english:
        assert [(r.group, r.label, r.truth) for r in english[split]] == [
            (r.group, r.label, r.truth) for r in chinese[split]
        ]


@pytest.mark.parametrize("name", list(sets.SETS))
def test_sets_are_balanced_and_noisy_only_where_nothing_is_tested(name):
    rows, kind = parts(name), sets.SETS[name]
    assert [len(part) for part in rows.values()] == [*kind.rows, kind.rows[2]]
    learned = rows["train"] + rows["validation"]
    assert 0.01 < np.mean([r.label != r.truth for r in learned]) < 0.05
    assert all(r.label == r.truth for r in rows["test"] + rows[sets.NEW_WORDS])
    shares = Counter(r.label for r in learned)
    assert set(shares) == set(kind.classes)
    for n in shares.values():
        assert 0.75 / len(kind.classes) < n / len(learned) < 1.25 / len(kind.classes)


def test_no_text_stands_in_two_messages():
    for name in sets.SETS:
        rows = parts(name)
        texts = [r.text for part in ("train", "validation", "test") for r in rows[part]]
        assert len(set(texts)) == len(texts)
        new = [r.text for r in rows[sets.NEW_WORDS]]
        assert len(set(new)) == len(new)
    assert sets.labelled("toxicity") == parts("toxicity")


@pytest.mark.parametrize("language", LANGUAGES)
def test_held_out_concepts_have_a_second_word_in_every_language(language):
    for kind in {kind for kinds in HELD_OUT.values() for kind in kinds}:
        for concept in concepts(kind):
            *familiar, new = concept.forms[language]
            assert familiar and new not in familiar, (concept.name, language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", list(sets.SETS))
def test_the_same_messages_in_new_words(name, language):
    """Every message but those that have no word to change (only where things are) has a new one, and its own label."""
    rows = parts(name, language)
    for old, new in zip(rows["test"], rows[sets.NEW_WORDS], strict=True):
        assert (old.group, old.label, old.truth, old.factors) == (new.group, new.label, new.truth, new.factors)
        assert (old.text == new.text) == ("word positive" not in old.factors and "word negative" not in old.factors
                                          and name == "sentiment")  # fmt: skip
    assert (sets.unchanged(name, language) > 0) == (name == "sentiment")


def test_new_words_change_nothing_but_the_words():
    """Names, degrees, nouns and order stay: what differs is a held-out synonym in the place of another one."""
    forms = {
        kind: {form for c in concepts(kind) for form in c.forms["en"]} for kinds in HELD_OUT.values() for kind in kinds
    }
    for name, kinds in HELD_OUT.items():
        known = sorted({form for kind in kinds for form in forms[kind]}, key=len, reverse=True)
        pattern = re.compile("|".join(rf"\b{re.escape(form)}\b" for form in known))
        for old, new in zip(parts(name)["test"], parts(name)[sets.NEW_WORDS], strict=True):
            assert pattern.sub("_", old.text) == pattern.sub("_", new.text)


@pytest.fixture(scope="module")
def read_by_the_model():
    return "\n".join(document.text for document in documents(0, 0, 20_000))


@pytest.mark.parametrize("name", list(sets.SETS))
def test_new_words_are_new_to_the_training_set_but_not_to_the_language_model(name, read_by_the_model):
    rows = parts(name)
    held = {c.forms["en"][-1] for kind in HELD_OUT[name] for c in concepts(kind)}

    def used(texts: str):
        return {phrase for phrase in held if re.search(rf"\b{re.escape(phrase)}\b", texts)}

    for part in ("train", "validation", "test"):
        assert used("\n".join(r.text for r in rows[part])) == set()
    assert len(used("\n".join(r.text for r in rows[sets.NEW_WORDS]))) > 0.8 * len(held)
    assert len(used(read_by_the_model)) > 0.8 * len(held)


def test_a_probe_gets_both_parts_of_the_test_and_no_others():
    train, test = load_set("mini/stance")
    rows, n = parts("stance"), sets.SETS["stance"].rows[2]
    assert train.parts is None and list(test.part_rows()) == [FAMILIAR, NEW]
    assert [test.texts[i] for i in test.part_rows()[FAMILIAR]] == [r.text for r in rows["test"]]
    assert [test.texts[i] for i in test.part_rows()[NEW]] == [r.text for r in rows[sets.NEW_WORDS]]
    assert list(test.groups[:n]) == list(test.groups[n:]) and not set(test.groups) & set(train.groups)


def test_behaviour_has_one_wording_and_never_shows_a_test_person_in_training():
    train, test = load_set("mini/behaviour")
    assert not set(train.groups) & set(test.groups) and set(test.labels) == {"correct", "incorrect"}
    assert test.parts is None and sets.told("mini/behaviour") is None


def test_unknown_set_or_language_is_named():
    with pytest.raises(MosaicError, match="no miniature set 'irony'.*toxicity.*languages: en"):
        load_set("mini/irony")
    with pytest.raises(MosaicError, match="'fr'"):
        load_set("mini/toxicity", "fr")


# --- cues --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TOLD)
def test_no_cue_gives_a_told_label_away(name):
    """No count, pair of counts, or pair of things across the full stop (by design .70 at most, and a sample's play)."""
    best = max(ranked(name), key=ranked(name).get)
    assert ranked(name)[best] <= 0.72, f"{best} alone gives {ranked(name)[best]:.3f}"


@pytest.mark.parametrize("name", NEVER_TOLD)
def test_adding_up_never_finds_a_comparison(name):
    assert cues.added_up(name, 3000) < 0.62
    assert ranked(name)[COUNTED[name]] == 1  # odd or even: who looks the pair up has the label, who adds up has not


def test_word_order_is_looked_at(monkeypatch):
    """A label that only the order gives away is found, and by no count."""
    leaky = sets.SETS["agreement"]
    by_order = type(leaky)(**{**vars(leaky), "label": lambda s: "same" if s[0].call == "quoted" else "different"})
    monkeypatch.setitem(sets.SETS, "leaky", by_order)
    found = dict(cues.cues("leaky", 600))
    assert found["first: call quoted"] == 1 and found["first: opens quoted & second: negation"] == 1
    assert max(value for cue, value in found.items() if not cue.startswith(cues.PLACES)) < 0.65


# --- told and never told -----------------------------------------------------------------------------------------


def test_every_group_has_labels_of_both_kinds():
    for group in ("message", "request", "stance"):
        assert {kind.told for kind in sets.SETS.values() if kind.group == group} == {True, False}
    assert all(kind.why for kind in sets.SETS.values())


@pytest.mark.parametrize("name", TOLD)
def test_the_verdict_of_the_log_tells_a_told_label(name):
    assert logged(name)["verdict"] == 1


@pytest.mark.parametrize("name", NEVER_TOLD)
def test_no_code_of_the_log_tells_a_label_never_told(name):
    """Neither the whole verdict nor any code in its place; that a code stands anywhere tells of one class of three."""
    found = logged(name)
    assert found["verdict"] < 0.6
    assert max(value for code, value in found.items() if ": " in code) < 0.6
    assert max(found.values()) < 0.8


@pytest.mark.parametrize("name", NEVER_TOLD)
def test_the_logs_of_the_corpus_itself_never_tell(name):
    """Documents that a model was trained on, of the set's kind, with two statements: read back from the log, the label
    has as many of each class under every first code, and no first code is a class."""
    under: dict[str, Counter] = {}
    for d in documents(0, 0, 20_000):
        log = [code.strip() for code in d.text[d.message :].split(" · ")]
        if d.kind == sets.SETS[name].group and d.factors["n"] == "2" and (label := read_back(name, log)):
            under.setdefault(log[0], Counter())[label] += 1
            assert not {"same", "different"} & set(" ".join(log).split())
    total = sum(map(Counter.total, under.values()))
    assert total > 100
    assert sum(max(c.values()) for c in under.values()) / total < 0.65


def read_back(name: str, log: list[str]) -> str | None:
    """The label of a document of the corpus, from the codes of its two statements; None where it has none."""
    codes = [code.split() for code in log[2:]]
    if name == "agreement":
        if not all({"positive", "negative"} & set(code) for code in codes):
            return None  # a place has no mood
        if sum(code[0] == "quote" for code in codes) != 1:
            return None
        said = ["negative" in code for code in codes]
    elif name == "alike":
        if not all({"harmful", "harmless"} & set(code) for code in codes):
            return None
        said = ["harmful" in code for code in codes]
    else:
        said = [code[-1] for code in codes]
    return "same" if said[0] == said[1] else "different"


def test_what_agrees():
    """The three labels on statements of known content, both ways."""
    good, bad = concepts("trait+")[0], concepts("trait-")[0]
    own, theirs = Statement("trait", "thing", content=good), Statement("trait", "thing", content=bad, call="quoted")
    agreement = sets.SETS["agreement"].label
    assert agreement([own, theirs]) == "different"
    assert agreement([own, Statement("trait", "thing", content=bad, negated=True, call="quoted")]) == "same"
    harm, tea = (
        Statement("want", "self", content=concepts("harmful")[0]),
        Statement("want", "third", content=concepts("harmless")[0]),
    )
    alike = sets.SETS["alike"].label
    assert (alike([harm, tea]), alike([harm, harm]), alike([tea, tea])) == ("different", "same", "same")
    proposal = concepts("proposal")[0]
    against = Statement("stance", "self", content=proposal, side="against")
    not_for = Statement("stance", "third", content=proposal, side="for", negated=True)
    consensus = sets.SETS["consensus"].label
    assert consensus([against, not_for]) == "same"
    assert consensus([against, Statement("stance", "third", content=proposal, side="for")]) == "different"


def test_the_verdict_is_what_the_corpus_writes():
    """`corpus.verdict` names the codes from which documents are made (their order is drawn)."""
    draw = Draw("verdict")
    said = [trait(draw, "addressee", "negative", "")]
    assert verdict("message", said) == ["hide", "downbeat"]
    opinion = stance(draw, "self", concepts("proposal")[0])
    assert verdict("stance", [opinion]) == [STANCE_CODES[opinion.stance], opinion.content.name]
