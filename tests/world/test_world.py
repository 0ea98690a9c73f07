"""The miniature world: grammar, factors, labelled sets whose labels hang on compositions, and who may see the factors."""

import ast
import hashlib
import math
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mosaic.texts.sources import load_set
from mosaic.world import grammar, sets, statements, writing
from mosaic.world.corpus import document, documents, fact, fact_weights
from mosaic.world.lexicon import LANGUAGES, agree, concepts, names
from mosaic.world.statements import Draw, Statement
from mosaic.world.writing import Style

ROOT = Path(__file__).parent.parent.parent
KINDS = ("trait+", "trait-", "thing", "person", "city", "harmful", "harmless", "intent", "proposal")


# --- words and grammar -------------------------------------------------------------------------------------------


def test_every_concept_has_words_in_all_five_languages():
    for kind in KINDS:
        assert concepts(kind)
        for concept in concepts(kind):
            assert set(concept.forms) == set(LANGUAGES) and all(all(forms) for forms in concept.forms.values())


def test_no_trait_word_means_two_things():
    for language in LANGUAGES:
        words = Counter(w for kind in ("trait+", "trait-") for c in concepts(kind) for w in c.forms[language])
        assert [w for w, n in words.items() if n > 1] == []


@pytest.mark.parametrize(
    ("language", "adjective", "gender", "expected"),
    [
        ("es", "tonto", "f", "tonta"), ("es", "encantador", "f", "encantadora"), ("es", "inútil", "f", "inútil"),
        ("ru", "глупый", "f", "глупая"), ("ru", "искренний", "f", "искренняя"), ("ru", "плохой", "n", "плохое"),
        ("ru", "хороший", "n", "хорошее"), ("ru", "жалкий", "n", "жалкое"), ("de", "dumm", "f", "dumm"),
        ("en", "stupid", "f", "stupid"), ("ru", "настоящий", "f", "настоящая"),
    ],
)  # fmt: skip
def test_adjectives_agree_with_their_noun(language, adjective, gender, expected):
    assert agree(language, adjective, gender) == expected


def named(kind: str, name: str):
    return next(c for c in concepts(kind) if c.name == name)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", 'Anna says: "the soup is not very bad".'),
        ("es", "Anna dice: «la sopa no es muy mala»."),
        ("de", "Anna sagt: „die Suppe ist nicht sehr schlecht“."),
        ("ru", "Anna говорит: «этот суп не очень плохой»."),
        ("zh", "Anna说：“这个汤并不非常糟糕”。"),
    ],
)
def test_one_statement_in_five_languages(language, expected, monkeypatch):
    class First(Draw):
        def pick(self, options, weights=None):
            return options[0]

    monkeypatch.setattr(writing, "names", lambda: ("Anna",) * 40)
    said = Statement("trait", "thing", named("thing", "soup"), named("trait-", "bad"), True, "intense", call="quoted")
    text, spans = grammar.write(writing.render(First("x"), said, Style(language)))
    assert text == expected
    factors = {text[a:b]: dict(f) for a, b, f in spans}
    trait = next(w for w, f in factors.items() if "polarity" in f)
    assert factors[trait] == {"polarity": "negative", "concept": "bad", "mood": "positive", "quotation": "yes"}


def test_spans_cover_the_words_of_every_document():
    for drawn in documents(3, 0, 300):
        for start, end, _ in drawn.spans:
            assert drawn.text[start:end].strip() == drawn.text[start:end] != ""
        assert drawn.spans[-1][1] == len(drawn.text) and 0 < drawn.message <= len(drawn.text)


# --- entropy -----------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_nats_add_up_to_minus_log_p(sizes):
    draw = Draw("nats")
    for n in sizes:
        draw.pick(range(n))
    assert draw.nats == pytest.approx(math.log(math.prod(sizes)))
    draw.flip(0.25)
    assert draw.nats - math.log(math.prod(sizes)) in (pytest.approx(-math.log(0.25)), pytest.approx(-math.log(0.75)))


def test_documents_repeat_and_differ():
    again = [d.text for d in documents(1, 0, 200)]
    assert again == [d.text for d in documents(1, 0, 200)]
    assert len(set(again)) > 150 and again != [d.text for d in documents(2, 0, 200)]
    assert all(document(1, i, short=True).factors.get("n", "1") == "1" for i in range(100))


def test_facts_never_change_and_zipf_orders_people():
    assert fact("Alan", "city") is fact("Alan", "city")
    weights = fact_weights()
    assert weights == sorted(weights, reverse=True) and len(weights) == len(names()) == len(set(names()))


@pytest.mark.parametrize(
    ("seed", "short", "expected"),
    [
        (0, False, "443e6d71fd420de732b03f5063468940"), (0, True, "5ac6884bd51e794fe107f4865bf6b622"),
        (99, False, "b0e2a6c9c7fab45c59d6084c82dbc353"), (101, False, "ef23e71e563cd13775911e2ab41a983d"),
    ],
)  # fmt: skip
def test_the_corpus_is_the_one_that_the_shipped_models_and_saes_were_trained_on(seed, short, expected):
    """Texts, factors, spans and nats, byte for byte. A change here asks for `mosaic mini build`."""
    seen = hashlib.sha256()
    for d in documents(seed, 0, 2000, short):
        seen.update(repr((d.text, d.kind, d.language, d.message, d.factors, d.spans, round(d.nats, 9))).encode())
    assert seen.hexdigest()[:32] == expected


# --- compositions ------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(st.integers(0, 10_000))
def test_toxic_means_the_reader_is_called_something_bad_in_the_speakers_own_words(seed):
    said = [statements.trait(Draw(f"{seed}/{i}")) for i in range(2)]
    slow = False
    for s in said:
        bad_word = s.content.kind == "trait-"
        bad = (bad_word and not s.negated) or (not bad_word and s.negated)
        if s.frame == "addressee" and bad and s.call != "quoted":
            slow = True
    assert statements.toxic(said) == slow


def test_the_log_says_what_the_message_means():
    checked = Counter()
    for drawn in documents(4, 0, 1500):
        if drawn.kind == "message":
            log = drawn.text[drawn.message :].split(" · ")
            verdict = "hide" if drawn.factors["toxicity"] == "toxic" else "keep"
            assert verdict in [part.strip() for part in log[:2]]
            assert writing.MOOD_CODES[drawn.factors["mood"]] in [part.strip() for part in log[:2]]
            checked[verdict] += 1
        if drawn.kind == "request":
            assert drawn.factors["decision"] in [p.strip() for p in drawn.text[drawn.message :].split(" · ")[:2]]
    assert min(checked["hide"], checked["keep"]) > 50


# --- who may see the factors -------------------------------------------------------------------------------------


def test_only_sources_truth_and_studies_reach_the_world():
    """Between a text and a score nothing imports the miniature or speaks of its factors."""
    for floor in ("models", "saes", "features", "probing"):
        for path in (ROOT / "mosaic" / floor).glob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            imported = {
                f"{node.module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
                for node in ast.walk(tree)
                if isinstance(node, ast.Import | ast.ImportFrom)
                for alias in node.names
            }
            touches = {name for name in imported if name.startswith(("mosaic.world", "mosaic.miniature"))}
            assert not touches, f"{path.name} imports {touches}"
            attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
            assert "factors" not in attributes, path.name


def test_the_extraction_sees_texts_alone(tiny, monkeypatch):
    """Features are the same when every factor is out of reach."""
    from mosaic.features.extract import extract
    from mosaic.features.request import Request

    request = Request((), (1,), ("max",))
    train, _ = load_set("mini/toxicity")
    before = extract(train.texts[:40], tiny("gemma2"), request)[0].matrix

    class Trap(dict):
        def _spring(self, *_):
            raise AssertionError("a factor was read")

        __getitem__ = get = keys = values = items = __iter__ = __contains__ = _spring

    monkeypatch.setattr(sets, "facts_of", lambda statements: Trap())
    trapped, test = load_set("mini/toxicity")
    after = extract(trapped.texts[:40], tiny("gemma2"), request)[0].matrix
    assert (before != after).nnz == 0 and list(trapped.labels) == list(train.labels)
    assert set(vars(trapped)) == {"name", "texts", "labels", "groups", "languages", "parts"}
    assert len(test) == 2 * sets.SETS["toxicity"].rows[2]
