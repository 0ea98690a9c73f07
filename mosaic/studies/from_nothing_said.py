"""What the chapter that begins from nothing says, chosen by its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mosaic.studies.wording import between, sign

ALIKE = 0.01  # AUROC, within which two latents tell a factor equally well
CLEAR = 0.95  # AUROC from which a latent is said to tell its factor


def plane(counts: Mapping[str, int], n: int) -> str:
    """In which picture most features are kept. counts: {density in per cent: features kept of n}."""
    listed = ", ".join(f"{count} of {n} where each is there in {p}% of the examples" for p, count in counts.items())
    first, *_, last = counts.values()
    if last > first:
        return (
            f"Where they are rare: {listed}. Features that are seldom there are seldom there together. So they can share two numbers and "
            "rarely get in each other's way."
        )
    return f"Here rare features are not kept better: {listed}."


def rise(by_density: Mapping[str, Mapping], least: Mapping) -> str:
    """Whether sparser features are packed more densely. by_density: {density in per cent: {mean}}, the densest first."""
    first, *_, last = by_density
    ends = (
        f"Active in {first}% of the examples, {by_density[first]['mean']:.1f} features are represented; active in "
        f"{last}%, {by_density[last]['mean']:.1f}"
    )
    words = {
        "above": "The number rises at every step",
        "below": "But it does not rise at every step: at one it falls",
        "between": "Whether it rises at every step is undecided",
    }[sign(least["interval"])]
    return (
        f"{ends}. {words} (the smallest rise is {least['value']:.1f}, {between(least['interval'], '{:.1f}'.format)})."
    )


def linear_model(by_density: Mapping[str, Mapping], d: int) -> str:
    """Whether the linear control ever represents more features than it has dimensions."""
    most = max(one["mean"] for one in by_density.values())
    if most <= d:
        return f"Without the ReLU no density gives more than {most:g} features in {d} dimensions: no superposition."
    return f"Even without the ReLU up to {most:g} features are represented in {d} dimensions."


def amplitudes(linear: float, sae: float) -> str:
    """How much of the true amplitudes is recovered, by a linear reading and by the SAE's latents."""
    left = f"The best linear reading leaves {linear:.0%} of the amplitudes' variance unexplained, the SAE's latents {sae:.0%}"
    if sae < linear:
        return (
            f"{left}. A latent may stay silent: it cuts off what is small, most of which is noise from other features."
        )
    return f"{left}. Here the latents tell no more."


def overlap(found: Mapping[str, float]) -> str:
    """Which of two readings of one feature keeps examples with it and without it further apart, and what a latent's zeros cost.

    found: `toy_reading.overlaps`.
    """
    product, latent = found["product"], found["latent"]
    which = (
        "less by the latent than"
        if latent < product
        else "more by the latent than"
        if latent > product
        else "as much by the latent as"
    )
    return (
        f"The two overlap {which} by the product ({latent:.0%} of the area against {product:.0%}). Without the feature the latent is "
        f"zero in {found['silent']:.0%} of the examples; with it in {found['missed']:.0%}, and those it misses."
    )


def training(history: Mapping[str, Sequence[float]]) -> str:
    """What happened from the first step to the last."""
    loss, fvu, l0 = history["loss"], history["FVU"], history["L0"]
    went = "fell" if fvu[-1] < fvu[0] else "did not fall"
    return (
        f"The loss went from {loss[0]:.2f} to {loss[-1]:.2f}. The fraction of variance unexplained {went}, from {fvu[0]:.2f} to "
        f"{fvu[-1]:.2f}, with {l0[-1]:.1f} latents active per example."
    )


def found(row: Mapping, n: int, random: float) -> str:
    """How many of the true features an SAE found. row: of its reading. random: mean cosine of a random dictionary."""
    how = (
        "all" if row["found"] == n else "nearly all" if row["found"] >= 0.9 * n else "some" if row["found"] else "none"
    )
    return (
        f"The SAE, which never saw the true directions, found {how} of them: {row['found']} of {n}. Its latents have a mean cosine of "
        f"{row['cosine']:.2f} with the nearest true direction; a dictionary that learned nothing has {random:.2f}."
    )


def widths(rows: Mapping[int, Mapping], n: int) -> str:
    """What too few and too many latents do."""
    few, many = min(rows), max(rows)
    first = (
        f"With {few} latents for {n} features, {rows[few]['found']} features are found and {rows[few]['fvu']:.0%} of the variance is left: "
        "latents settle between features."
        if rows[few]["found"] < n / 2
        else f"Even {few} latents for {n} features find {rows[few]['found']}."
    )
    spare = many - rows[many]["found"]
    dead = f"{rows[many]['dead']} of them never fire"
    return (
        f"{first} With {many} latents, {rows[many]['found']} are found. {spare} latents are left over: {dead}, and the others stand for no "
        "single feature."
    )


def ks(rows: Mapping[int, Mapping], n: int) -> str:
    """Which sparsity finds most, and whether the best reconstruction is the same SAE."""
    best, closest = max(rows, key=lambda k: rows[k]["found"]), min(rows, key=lambda k: rows[k]["fvu"])
    alike = [str(k) for k in rows if rows[k]["found"] == rows[best]["found"]]
    one = f"Most true features are found at k = {' and '.join(alike)}: {rows[best]['found']} of {n}."
    if rows[closest]["found"] >= rows[best]["found"]:
        return f"{one} The SAE that reconstructs best, k = {closest}, finds as many."
    return (
        f"{one} The SAE that reconstructs best, k = {closest}, leaves {rows[closest]['fvu']:.0%} of the variance and finds only "
        f"{rows[closest]['found']}. A good reconstruction is not a good dictionary."
    )


def shrinkage(found: Mapping) -> str:
    """Whether an L1 penalty says less than is there."""
    if found["difference"] is None:
        return "Too few features were found to tell whether the penalty shrinks activations."
    words = {"above": "larger than", "below": "smaller than", "between": "not told apart from"}[sign(found["interval"])]
    return (
        f"Under the penalty a latent gives {found['l1']:.0%} of the true amplitude; with TopK, k = {found['k']}, it gives {found['topk']:.0%}. "
        f"The first is {words} the second (difference {found['difference']:+.2f}, {between(found['interval'], '{:+.2f}'.format)})."
    )


def latents(rows: Sequence[Mapping]) -> str:
    """How well each of the three tells its factor, and whether its contrast shows it."""
    clear = [row["name"] for row in rows if row["interval"][0] >= CLEAR]
    told = ", ".join(f"{row['name']} {row['auroc']:.2f} ({between(row['interval'], '{:.2f}'.format)})" for row in rows)
    right = sum(row["largest_with"] > row["largest_without"] for row in rows)
    which = "All three tell" if len(clear) == len(rows) else f"{len(clear)} of {len(rows)} surely tell"
    return (
        f"{which} their factor with an AUROC of {CLEAR} or more: {told}. On {right} of {len(rows)} contrasts the latent is stronger where "
        "its factor is present."
    )


def unlearned(pairs: Sequence[tuple[float, float]]) -> str:
    """The control. pairs: (lower end of a latent's AUROC, AUROC of the random dictionary's best) of each factor."""
    numbers = ", ".join(f"{random:.2f}" for _, random in pairs)
    ahead = sum(low > random + ALIKE for low, random in pairs)
    found = f"The best latents of a random dictionary, chosen in the same way, reach {numbers}"
    if ahead == len(pairs):
        return f"{found}: less each time, so learning added something."
    return f"{found}: surely less for {ahead} of {len(pairs)}. What is told equally well by random directions is owed to the model, not to the SAE."
