import csv

import pytest

from mosaic.errors import MosaicError
from mosaic.reporting import published
from mosaic.reporting.claims import load_claims

FILE_KEY = "mosaic.gemma-2-2b.textdetox/multilingual_toxicity_dataset.en.L5.16k"


def test_every_value_is_a_number_with_its_provenance():
    table = published.table()
    assert len(table) > 2_200
    for key, one in table.items():
        assert one.key == key and isinstance(one.value, float)
        assert one.quantity and one.source.startswith("arXiv") and one.provenance


def test_values_and_series_by_key():
    assert published.value("seeds.width.N=131072") == 0.2758
    assert published.series("seeds.width") == {
        32: 0.8125, 768: 0.7852, 4084: 0.6956, 27648: 0.4346, 32768: 0.4159, 131072: 0.2758,
    }  # fmt: skip
    assert published.series("seeds.tokens") == {800_000_000: 0.0726, 8_000_000_000: 0.4159, 80_000_000_000: 0.6121}
    assert list(published.series("seeds.only_in_one")) == list(range(2, 10))
    assert list(published.series("seeds.layer.N=32768")) == list(range(12))
    assert published.series("seeds.threshold")[0.7] == 0.416
    assert set(published.series("song.architecture")) == {"topk", "batchtopk", "gated", "jumprelu", "relu"}


def test_rows_of_the_result_files_have_keys_and_repeats_are_numbered():
    assert published.value(f"{FILE_KEY}.sae.sum.raw.linear") == 0.966999
    assert published.value(f"{FILE_KEY}.hidden.last.raw.linear.2") != published.value(
        f"{FILE_KEY}.hidden.last.raw.linear"
    )
    assert "cut at six decimals" in published.entry(f"{FILE_KEY}.sae.sum.raw.linear").provenance
    assert (
        "cut"
        not in published.entry("mosaic.mean_over_models.ALL.all-all.L12.16k.sae.sum.binarised.linear.mean").provenance
    )
    with (published.FOLDER / "mosaic_files.csv").open(encoding="utf-8") as file:
        rows = sum(1 for _ in csv.DictReader(file))
    with (published.FOLDER / "values.csv").open(encoding="utf-8") as file:
        rows += sum(1 for _ in csv.DictReader(file))
    assert len(published.table()) == rows == 233 + 2_078


@pytest.mark.parametrize(
    "key,text",
    [("seeds.width.N=32", "0.8125"), ("seeds.floor.c", "0.270"), (f"{FILE_KEY}.sae.sum.raw.linear", "0.967")],
)
def test_prose_has_the_published_digits(key, text):
    assert published.entry(key).shown() == text


def test_unknown_keys_name_the_nearest():
    with pytest.raises(MosaicError, match=r"'seeds.width.N=131071'; the nearest keys are seeds.width.N=131072"):
        published.value("seeds.width.N=131071")
    with pytest.raises(MosaicError, match=r"no series is published under 'seeds.wdth'; the nearest are seeds.width,"):
        published.series("seeds.wdth")
    with pytest.raises(MosaicError, match="no series"):
        published.series("seeds.width.N=32")


@pytest.mark.parametrize(
    "text,keys,unknown",
    [
        (".81 (32 latents) to .28 (131k)", ("seeds.width.N=32", "seeds.width.N=131072"), []),
        (".82 (32 latents)", ("seeds.width.N=32",), [".82"]),
        (".42 (32k), .41, .416, 0.4159", ("seeds.width.N=32768",), []),  # rounded or cut
        (".43 (33k)", ("seeds.width.N=32768",), [".43", "33k"]),
        (".07 (0.8B), .61 (8B)", ("seeds.tokens.T=0.8B",), [".61", "8B"]),
        ("-.011, -.01, -.02", ("mosaic.binarising.top20.difference",), ["-.02"]),
        ('difference > 0, Llama-3-8B, arXiv 2501.16615, "a .5 of theirs", 477 pairs', ("mosaic.pairs.n",), []),
        ("10,000 times, 20,000 times", ("seeds.frequent_orphans.low",), ["20,000"]),
    ],
)
def test_numbers_of_a_text_come_from_the_file(text, keys, unknown):
    assert published.unknown_numbers(text, keys) == unknown


@pytest.mark.parametrize("claim", load_claims(), ids=lambda claim: claim.id)
def test_published_numbers_of_a_claim_come_from_the_file(claim):
    """A number in `published` or `open` that fails here needs its key in the claim's `published_keys`."""
    for text in (claim.published, claim.open or ""):
        assert published.unknown_numbers(text, claim.published_keys) == [], f"{claim.id}: {text}"


def test_the_aggregates_are_those_of_the_result_files():
    """Means that were handed over, computed again from the rows that the package carries."""
    with (published.FOLDER / "mosaic_files.csv").open(encoding="utf-8") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if "classify_scores" in row["source_path"] and row["classifier"] == "linear_probe"
        ]
    cells: dict[tuple, dict[tuple, list[float]]] = {}
    for row in rows:
        cell = tuple(row[name] for name in ("model", "dataset", "layer", "width", "config_or_language", "split"))
        kind = (published.POOLINGS[row["pooling"]], row["binarized"])
        cells.setdefault(cell, {}).setdefault(kind, []).append(float(row["value"]))
    mean = {cell: {kind: sum(v) / len(v) for kind, v in kinds.items()} for cell, kinds in cells.items()}
    sae = [(pooling, binarised) for pooling in ("sum", "top20", "top50") for binarised in ("none", ">1.0")]
    complete = [kinds for kinds in mean.values() if all(kind in kinds for kind in sae)]
    assert len(complete) == published.value("mosaic.binarising.n")
    for pooling in ("sum", "top20", "top50"):
        raw, binarised = (sum(k[pooling, b] for k in complete) / len(complete) for b in ("none", ">1.0"))
        assert raw == pytest.approx(published.value(f"mosaic.binarising.{pooling}.raw"), abs=5.1e-4)
        assert binarised == pytest.approx(published.value(f"mosaic.binarising.{pooling}.binarised"), abs=5.1e-4)
        difference = published.value(f"mosaic.binarising.{pooling}.difference")
        assert binarised - raw == pytest.approx(difference, abs=1.1e-3)
    pairs = [
        one - mean[cell]["last", "none"]
        for cell, kinds in cells.items()
        if ("last", "none") in kinds
        for kind, values in kinds.items()
        if kind[0] != "last"
        for one in values
    ]
    assert len(pairs) == pytest.approx(published.value("mosaic.pairs.n"), abs=3)
    assert sum(d > 0 for d in pairs) / len(pairs) == pytest.approx(published.value("mosaic.pairs.ahead"), abs=0.01)
    assert sum(pairs) / len(pairs) == pytest.approx(published.value("mosaic.pairs.difference"), abs=1e-3)


def test_what_is_said_of_trees_and_translations_is_in_the_result_files():
    """Pairs and cells, counted again: trees against linear probes, hidden states under trees, toxicity in translation."""
    with (published.FOLDER / "mosaic_files.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if "classify_scores" in row["source_path"]]
    names = ("model", "dataset", "config_or_language", "split", "layer", "width")
    setting = ("features", "pooling", "binarized", "top_n")

    def means(rows, key):
        found: dict = {}
        for row in rows:
            found.setdefault(key(row), []).append(float(row["value"]))
        return {one: sum(values) / len(values) for one, values in found.items()}

    def of(row, columns):
        return tuple(row[name] for name in columns)

    sae = [row for row in rows if row["features"] == "sae" and row["metric"] == "test_macro_f1"]
    both = means(sae, lambda row: (of(row, names + setting), row["classifier"]))
    pairs = [(both[cell, "linear_probe"], score) for (cell, kind), score in both.items()
             if kind == "decision_tree" and (cell, "linear_probe") in both]  # fmt: skip
    linear, tree = (sum(side) / len(pairs) for side in zip(*pairs, strict=True))
    assert len(pairs) == published.value("mosaic.trees.n")
    assert linear == pytest.approx(published.value("mosaic.trees.linear"), abs=6e-4)
    assert tree == pytest.approx(published.value("mosaic.trees.tree"), abs=6e-4)
    assert linear - tree == pytest.approx(published.value("mosaic.trees.difference"), abs=6e-4)

    trees = [row for row in rows if row["classifier"] == "decision_tree"]
    hidden = means([row for row in trees if row["features"] == "hidden"], lambda row: of(row, names))
    ahead = [
        float(row["value"]) - hidden[of(row, names)]
        for row in trees
        if row["features"] == "sae" and of(row, names) in hidden
    ]
    assert len(ahead) == published.value("mosaic.trees.pairs.n")
    assert sum(ahead) / len(ahead) == pytest.approx(published.value("mosaic.trees.pairs.difference"), abs=6e-4)
    assert sum(d > 0 for d in ahead) / len(ahead) == pytest.approx(
        published.value("mosaic.trees.pairs.ahead"), abs=6e-3
    )

    toxic = [row for row in sae if "multilingual_toxicity" in row["dataset"] and row["classifier"] == "linear_probe"]
    cells = means(toxic, lambda row: (of(row, (*names[:1], *names[2:], *setting)), row["dataset"].split("/")[0]))
    d = [cells[cell, "textdetox"] - score for (cell, source), score in cells.items()
         if source == "AIM-Harvard" and cell[2] != "en" and (cell, "textdetox") in cells]  # fmt: skip
    assert len(d) == published.value("mosaic.translated.n")
    assert sum(d) / len(d) == pytest.approx(published.value("mosaic.translated.difference"), abs=6e-4)
