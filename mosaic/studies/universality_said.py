"""What the chapter on universal feature spaces says, chosen by its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mosaic.interpretation.aligned import WORDS
from mosaic.reporting.results import shown
from mosaic.studies.universality_kinds import ANY, Kinds
from mosaic.studies.wording import between, sign, signed

NAMES = {"svcca": "SVCCA", "rsa": "RSA"}
WITHIN = {"r": "mean r", "rsa": "RSA", "one_component": "one component", "svcca": "SVCCA"}
RULES = {
    "all pairs": "all",
    "no mark": "neither latent on a mark",
    "no mark and no single word": "neither on a mark, neither on one word alone",
    "as published": "neither on a mark, a word in common (as published)",
}
NAMED = 4  # kinds that are named one by one; of more, those alone that are told apart
SIDES = {"above": "more alike", "below": "less alike", "between": "not told apart"}


def percent(share: float) -> str:
    """.905 as "91 %"."""
    return f"{100 * share:.0f} %"


def read(found: Mapping[str, tuple[str, int]]) -> str:
    """What a row is beside each other model. found: {model: (unit, how many)}."""
    parts = [f"{n:,} {unit} beside {name}" for name, (unit, n) in found.items()]
    words = [name for name, (unit, _) in found.items() if unit == WORDS]
    said = f"Latents are paired on {' and '.join(parts)}."
    if not words:
        return said
    return (
        f"{said} The tokenizer of {' and '.join(words)} cuts texts elsewhere; a row is then a whole word that both models read, with "
        "the activations of its last token."
    )


def alike(first: str, second: str, found: Mapping[str, Mapping]) -> str:
    """Whether two feature spaces are more alike than a permuted pairing makes them. found: {svcca, rsa: summaries}."""
    said = []
    for measure, one in found.items():
        words = {
            "above": "above what a permuted pairing gives",
            "below": "below what a permuted pairing gives",
            "between": "not told apart from a permuted pairing",
        }[sign(one["interval"])]
        numbers = f"{one['value']:.3f}, permuted {round(one['null'], 3) + 0.0:.3f}; excess {signed(one['excess'])}, {between(one['interval'])}"
        said.append(f"{NAMES[measure]} is {words} ({numbers}).")
    n = next(iter(found.values()))["n"]
    return f"Two spaces are compared on {shown(n)} pairs of latents: {first} and {second}. {' '.join(said)}"


def grid(share: Mapping[str, Mapping]) -> str:
    """How many layer pairs are above chance. share: {svcca, rsa: {k, n}}."""
    parts = [f"{one['k']} of {one['n']} by {NAMES[measure]}" for measure, one in share.items()]
    return f"Of all pairs of layers, these are above a permuted pairing at a false-discovery rate of 5 %: {' and '.join(parts)}."


def control(name: str, found: Mapping) -> str:
    """The trained SAE's RSA beside a control's. found: their difference."""
    whether = {
        "above": "the trained SAE's space is more like the other model's",
        "below": "the trained SAE's space is less like the other model's",
        "between": "it cannot be told whether the trained SAE's space is more like the other model's",
    }[sign(found["interval"])]
    n, m = found["n_pairs"]
    return (
        f"By RSA, {whether} than that of {name} is (difference {signed(found['difference'])}, {between(found['interval'])}). The "
        f"two have {shown(found['of'])} and {shown(found['other'])}, on {n} and {m} pairs."
    )


def one_component(rows: Sequence[Mapping], main: Mapping, share: Mapping, best: float) -> str:
    """What the published code computed, and what it gives here. rows: {n_pairs, measured, theory}. main: of the middle layers;
    share: of the pairs of layers above a permuted pairing; best: the largest value."""
    parts = [f"{row['measured']:.4f} for {row['n_pairs']:,} pairs ({row['theory']:.4f} in theory)" for row in rows]
    words = {"above": "above", "below": "below", "between": "not told apart from"}[sign(main["interval"])]
    return (
        f"Permuted pairings of unrelated rows have a mean correlation of {' and '.join(parts)}. By that measure the middle layers "
        f"are {words} a permuted pairing here ({main['value']:.3f}, permuted {main['null']:.3f}), {share['k']} of {share['n']} "
        f"pairs of layers are above it, and the highest is {best:.3f}."
    )


def filters(found: Mapping[str, Mapping]) -> str:
    """What is left of the pairs, and whether it is as alike. found: {rule: its numbers}, all pairs first."""
    everything, *rest = found.items()
    parts = []
    for name, one in rest:
        head = f'The rule "{RULES[name]}" leaves {one["n"]} of {everything[1]["n"]} pairs ({percent(one["share"])})'
        if one["rsa"] is None:
            parts.append(f"{head}, too few to compare.")
            continue
        rsa = one["rsa"]
        side = {"above": "above", "below": "below", "between": "not told apart from"}[sign(rsa["interval"])]
        told = f"{head}. Their RSA is {side} a permuted pairing (excess {signed(rsa['excess'])}, {between(rsa['interval'])})."
        if one["beside_any"]:
            found_r, found_rsa = one["beside_any"]["r"], one["beside_any"]["rsa"]
            told += (
                f" Beside as many pairs drawn from all, they are {SIDES[sign(found_rsa['interval'])]} by RSA "
                f"({signed(found_rsa['difference'])}). By how they fire, they are {SIDES[sign(found_r['interval'])]} "
                f"({signed(found_r['difference'])})."
            )
        parts.append(told)
    return " ".join(parts)


def kinds(of: Kinds) -> str:
    """Whether pairs of latents of one kind are more alike than as many drawn from all."""
    names, what = (
        f"{of.compared.first.name} against {of.compared.second.name}",
        "list of words" if of.by_lists else "kind of factor",
    )
    return groups(names, what, of.summary(), of.over())


def groups(names: str, what: str, found: Mapping[str, Mapping], over: Mapping | None = None) -> str:
    """names: of the two spaces. what: a kind is. found: {kind: its measures}; over: their mean over kinds."""
    if not found:
        return f"{names}: too few latents of a {what} to compare."
    sides = {name: sign(one["rsa"]["interval"]) for name, one in found.items()}
    parts = [
        _kind(name, found[name]) for name in found if name != ANY and (len(found) <= NAMED or sides[name] != "between")
    ]
    if silent := [name for name in found if name != ANY and sides[name] == "between" and len(found) > NAMED]:
        parts.append(f"not told apart: {', '.join(silent)}")
    parts += [_kind(name, one) for name, one in found.items() if name == ANY]
    said = f"{names}, RSA within a {what}, beside as many pairs drawn from all: {'; '.join(parts)}."
    if not over or over["n"] < 2:
        return said
    means = [
        f"{SIDES[sign(over[measure]['interval'])]} by {WITHIN[measure]} ({signed(over[measure]['difference'])}, "
        f"{between(over[measure]['interval'])})"
        for measure in ("rsa", "one_component", "r")
    ]
    return f"{said} The mean over {over['n']}: {', '.join(means)}."


def _kind(name: str, one: Mapping) -> str:
    rsa = one["rsa"]
    return f"{name}: {SIDES[sign(rsa['interval'])]} ({signed(rsa['difference'])}, {between(rsa['interval'])}; {one['n']} pairs)"


def kind_rows(of: Kinds) -> list[dict]:
    """A row a kind: its measures beside those of any pairs, and what two of its latents fire on."""
    rows = []
    for name, one in of.summary().items():
        words = [" ".join(dict.fromkeys(of.words[pair])) for pair in of.members[name][:2]]
        row = {"of": f"{of.compared.first.name}; {of.compared.second.name}", "kind": name, "n": one["n"]}
        for measure in WITHIN:
            row |= {measure: one[measure]["value"], f"{measure} any": one[measure]["of_any"]}
        rows.append(row | {"words": "; ".join(words)})
    return rows
