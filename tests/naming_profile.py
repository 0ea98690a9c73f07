"""A profile of one SAE on a few texts, for the commands on names: its file, how commands are told of it, a key that is nobody's."""

SECRET = "sk-not/for+anybody-1234567890"
PROFILE = """
title: one SAE of the miniature on a few texts
model: {id: weights/mini/mini-small, max_length: 128}
shape: {n_layers: 6, d_model: 128, parameters: 197120, embedding: 524288}
saes: [{layer: 3, width: 1k, path: weights/mini/saes-small/layer_3_width_1k_seed_0}]
middle: 3
width: 1k
poolings: [max]
datasets: [mini/intent]
max_train: 150
max_test: 20
"""
AT = ["--profile", "p.yml", "--cache", "cache"]


def files_of(folder) -> str:
    return "".join(path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file())
