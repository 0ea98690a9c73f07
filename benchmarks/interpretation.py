"""Labels of all latents of an SAE, from texts to scores: latents a second and peak memory.

    python benchmarks/interpretation.py [--widths 1k,4k,16k] [--texts 3000] [--json OUT]

The miniature's SAEs of the middle layer. Everything is in it: the model's pass, descriptions on the even texts, contexts by decile,
detection and fuzzing on the odd ones, and the tokens that each decoder row raises. Every width runs in a process of its own, so that
its peak memory is its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path


def measure(width: str, n_texts: int) -> dict:
    from mosaic.interpretation.detection import firings
    from mosaic.interpretation.outputs import projected
    from mosaic.models.causal import open_causal
    from mosaic.profiles.opening import load_model, load_saes, located, select_saes
    from mosaic.profiles.profile import load_profile
    from mosaic.saes.dictionary import load_dictionary
    from mosaic.studies.interpretation_sets import TOKENS, Explained, Windows
    from mosaic.studies.seeds import held_out_texts

    profile = load_profile("mini")
    lm, causal = load_model(profile), open_causal(profile.model)
    encoders = load_saes(profile, lm, [profile.middle], [width])
    decoder = load_dictionary(located(select_saes(profile, [profile.middle], [width])[0])).decoder
    texts = held_out_texts(profile, n_texts)
    spent, start = {}, time.perf_counter()

    def lap(name: str) -> None:
        nonlocal start
        spent[name], start = time.perf_counter() - start, time.perf_counter()

    found = firings(texts, lm, encoders)
    lap("the model's pass")
    one = Explained.of(Windows.of(found), found.codes[0])
    lap("descriptions")
    n_judged = len(one.judged.latent)
    lap("contexts and scores")
    projected(causal, decoder, TOKENS)
    lap("output side")
    seconds, described = sum(spent.values()), int((one.told.score == one.told.score).sum())
    return {
        "width": width,
        "latents": len(decoder),
        "tokens": len(found.text),
        "described": described,
        "judged": n_judged,
        "seconds": seconds,
        "latents_a_second": len(decoder) / seconds,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
        "spent": spent,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--widths", default="1k,4k,16k")
    parser.add_argument("--texts", type=int, default=3000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(measure(chosen.widths, chosen.texts)))
        return
    rows = []
    for width in chosen.widths.split(","):
        command = [sys.executable, __file__, "--one", "--widths", width, "--texts", str(chosen.texts)]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        rows.append(json.loads(said.splitlines()[-1]))
        one = rows[-1]
        print(
            f"{one['latents']:,} latents, {one['tokens']:,} tokens: {one['seconds']:.1f} s, {one['latents_a_second']:,.0f} latents a "
            f"second, {one['peak_gb']:.2f} GB; {one['described']:,} described, {one['judged']:,} judged",
            flush=True,
        )
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
