"""Sphinx extension: the claims page. {mosaic-claims} writes the table of claims, {mosaic-by-chance} how many verdicts chance would
give, {mosaic-computed} what was computed here.

Columns are this site's profile ("this run") and the profiles whose results ship with the project ("recorded").
"""

import html

from docutils import nodes
from mosaic_results import folder, in_box, profile, profile_name, table_row
from sphinx.util.docutils import SphinxDirective

from mosaic.profiles.profile import load_profile
from mosaic.reporting import by_chance, claims, published, results, verdicts
from mosaic.reporting.verdicts import POINT_ESTIMATE, Verdict

SHIPPED = ("mini", "minilm", "stories260k")
THIS_RUN, RECORDED = "this run", "recorded"
COMPUTED = {
    THIS_RUN: "computed by the run that built this site",
    RECORDED: "recorded by another run and shipped with the project; not computed by this one",
}
RULES = {
    "above": "holds where it is above {}",
    "below": "holds where it is below {}",
    "is": "holds where it is “{}”",
    "within": "holds within {} ± {}",
}


def compared() -> list[str]:
    """This site's profile and those that ship with results, as far as they have any."""
    names = dict.fromkeys([profile_name(), *SHIPPED])
    return [name for name in names if (folder() / name).is_dir()] or [profile_name()]


def mark(name: str) -> str:
    return THIS_RUN if name == profile_name() else RECORDED


def depend(directive: SphinxDirective) -> None:
    """The page is built again when a claim, a published value or a recorded number changes."""
    used = [claims.FILE, *published.FOLDER.glob("*.csv")]
    for path in used + [path for name in compared() for path in (folder() / name).glob("*.json")]:
        directive.env.note_dependency(str(path.resolve()))


def new_table(heads: list, widths: list[int], *classes: str) -> tuple[nodes.table, nodes.tbody]:
    """An empty table with its head row; heads: text or nodes."""
    table = nodes.table(classes=["mosaic-table", *classes])
    group = nodes.tgroup(cols=len(heads))
    table += group
    for width in widths:
        group += nodes.colspec(colwidth=width)
    head, body = nodes.thead(), nodes.tbody()
    head += table_row([nodes.Text(part) if isinstance(part, str) else part for part in heads])
    group += [head, body]
    return table, body


class Claims(SphinxDirective):
    """Claim | published | what is measured | one column a profile: value, interval, verdict, expectation, why."""

    def run(self):
        depend(self)
        names = compared()
        heads = ["claim and source", "published", "what is measured, and the rule"]
        heads += [[nodes.Text(name), nodes.inline("", f" {mark(name)}", classes=["run-mark"])] for name in names]
        table, body = new_table(heads, [23, 13, 25, *[39 // len(names)] * len(names)], "claims")
        for judged in zip(*(verdicts.judge_all(name, folder()) for name in names), strict=True):
            claim = judged[0].claim
            row = table_row([about(claim), nodes.Text(claim.published), measured(claim), *map(cell, judged)])
            row["ids"].append(anchor(claim))
            body += row
        return [nodes.paragraph("", profiles_sentence(names)), *in_box(table)]


def profiles_sentence(names: list[str]) -> str:
    """What the profile of each column is."""
    titles = {name: (profile() if name == profile_name() else load_profile(name)).title for name in names}
    return f"The columns are profiles. {'; '.join(f'{name}: {title}' for name, title in titles.items())}."


def anchor(claim: claims.Claim) -> str:
    """The id of a claim's line on the page."""
    return f"claim-{claim.id}"


def about(claim: claims.Claim) -> list[nodes.Node]:
    parts = [nodes.Text(claim.claim), nodes.emphasis("", f" {claim.source}; {claim.provenance}")]
    if claim.open:
        parts += [nodes.Text(" "), nodes.inline("", "open", classes=["open-question"]), nodes.Text(f" {claim.open}")]
    return parts


def measured(claim: claims.Claim) -> list[nodes.Node]:
    """The quantity, the rule in words, and when the rule was written."""
    kind, bound = next(iter(claim.rule.items()))
    rule = RULES[kind].format(*(bound if isinstance(bound, list) else [bound]))
    post_hoc = claim.frozen == claims.POST_HOC
    when = "post hoc: written with or after its results" if post_hoc else f"rule written {claim.frozen}, before its run"
    return [nodes.Text(f"{claim.quantity}; {rule}. "), nodes.emphasis("", when)]


def cell(verdict: Verdict) -> list[nodes.Node]:
    """Value and interval, the verdict, what was expected, and behind a click why."""
    word, css = verdict.verdict, verdict.verdict.replace(" ", "-")
    if verdict.claim.open and verdict.judged:
        word, css = f"open (by this alone: {word})", "open"
    parts = [nodes.Text(f"{value_text(verdict)} ") if verdict.value is not None else nodes.Text("")]
    parts.append(nodes.inline("", word, classes=["verdict", f"verdict-{css}"]))
    if verdict.expectation:
        parts += [
            nodes.Text(" "),
            nodes.inline("", verdict.expectation, classes=["expectation", _css(verdict.expectation)]),
        ]
    why = reasons(verdict)
    folded = f'<details class="why"><summary>why</summary>{html.escape(why)}</details>'
    return [*parts, nodes.raw("", folded, format="html")]


def value_text(verdict: Verdict) -> str:
    """The value and its interval; without one, that it is a point estimate."""
    value = results.shown(verdict.value)
    if verdict.low is not None:
        lead = "lead " if isinstance(verdict.value, str) else ""
        return f"{value} ({lead}{results.shown([verdict.low, verdict.high])})"
    return f"{value} ({POINT_ESTIMATE})" if verdict.judged else value


def reasons(verdict: Verdict) -> str:
    """What decided, and what had been expected with its reason."""
    expected = (verdict.claim.expected or {}).get(verdict.profile)
    reason = verdict.reason.replace(str(folder()), folder().name)  # a page shows no machine's own path
    if reason == verdict.reason:  # else it begins with a file's name
        reason = f"{reason[:1].upper()}{reason[1:]}"
    said = reason.rstrip(".") + "."
    return f"{said} Expected: {expected.verdict}, because {expected.because.rstrip('.')}." if expected else said


def _css(words: str) -> str:
    return words.replace(" ", "-")


class ByChance(SphinxDirective):
    """A line a profile: how many intervals leave out zero, and how many would by chance alone."""

    def run(self):
        depend(self)
        lines = nodes.bullet_list()
        for name in compared():
            said = by_chance.sentence(name, by_chance.counted(verdicts.judge_all(name, folder())))
            lines += nodes.list_item("", nodes.paragraph("", said))
        return [lines]


class Computed(SphinxDirective):
    """Profile | computed by this run or recorded | chapters | with which versions."""

    def run(self):
        depend(self)
        table, body = new_table(["profile", "numbers", "chapters", "libraries"], [15, 20, 30, 35])
        for name in compared():
            for versions, studies in results.recorded_versions(name, folder()):
                libraries = ", ".join(f"{library} {version}" for library, version in versions.items())
                row = (f"{name} ({mark(name)})", COMPUTED[mark(name)], ", ".join(studies), libraries)
                body += table_row(map(nodes.Text, row))
        return in_box(table)


def setup(app):
    app.add_directive("mosaic-claims", Claims)
    app.add_directive("mosaic-by-chance", ByChance)
    app.add_directive("mosaic-computed", Computed)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": False}
