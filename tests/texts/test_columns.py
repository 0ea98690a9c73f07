import pytest

from mosaic.errors import MosaicError
from mosaic.texts.columns import named, said
from mosaic.texts.own_files import read_file


@pytest.mark.parametrize(
    "columns,exact,expected",
    [
        ("text label", "", ("text", "label")),
        ("prompt target", "", ("prompt", "target")),
        ("prompt target text label", "", ("text", "label")),
        ("text target", "", ("text", "target")),
        ("prompt label", "", ("prompt", "label")),
        ("prompt target", "text", ("text", "target")),
        ("prompt target", "text label", ("text", "label")),
        ("body stars", "", ("text", "label")),
    ],
)
def test_other_names_stand_in_for_defaults_alone(columns, exact, expected):
    assert named(columns.split(), "text", "label", exact.split()) == expected


def test_a_column_is_not_read_twice():
    assert named(["prompt", "b"], "text", "prompt", ["prompt"]) == ("text", "prompt")
    assert named(["prompt", "b"], "text", None) == ("prompt", None)


def test_what_is_read_instead_is_said_in_one_line():
    asked = ("text", "label")
    assert said(asked, asked) is None
    assert said(asked, ("prompt", "target")) == "texts are read from column 'prompt', labels from 'target'"
    assert said(asked, ("prompt", "label")) == "texts are read from column 'prompt'"
    assert said(asked, ("text", "target")) == "labels are read from column 'target'"
    assert said(("text", None), ("prompt", None)) == "texts are read from column 'prompt'"


def test_a_file_of_sae_probes_is_read(tmp_path, caplog):
    path = tmp_path / "a.csv"
    path.write_text("prompt,target\nx,1\ny,0\n")
    read = read_file(path)
    assert read.texts == ["x", "y"] and read.labels.tolist() == ["1", "0"]
    assert caplog.messages == ["a.csv: texts are read from column 'prompt', labels from 'target'."]
    with pytest.raises(MosaicError, match="no column 'text'; its columns are 'prompt', 'target'"):
        read_file(path, exact=["text"])
    with pytest.raises(MosaicError, match="no column 'label'"):
        read_file(path, "prompt", "label", exact=["prompt", "label"])
