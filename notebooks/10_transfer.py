# needs: truth
# %% [markdown]
# # Does a small model know when a large one is right?
#
# Do a small model's features tell whether a larger, tuned model will answer right {cite}`gallifant2025`?
#
# {result}`transfer.sentences.nearly_as_well`
#
# *Models, SAEs and sets of this chapter, with sizes and an example each: [What was run](../what_runs.md).*

# %% tags=["parameters"]
profile = "mini"
device = "cpu"

# %% tags=["hide-input"]
from mosaic.reporting import plots
from mosaic.studies import transfer

plots.style()

# %%
study = transfer.run(profile, device=device)
study.record();

# %% [markdown]
# Every question the corpus can ask was put to mini-large-it, and whether it answers right is the label. It knows the
# people that its corpus speaks of often. Can mini-small's features tell? No person of the test questions occurs in a
# training question, so that names cannot be learned by heart; intervals are over people.

# %%
study.figure()

# %% [markdown]
# {result}`transfer.sentences.nearly_as_well` The margin is this project's; the paper names none.
# {result}`transfer.sentences.signal`
