"""The three losses are their formulas, training resumes to the same bytes, and a card says what the saved SAE does."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import sae_folder, sentences
from safetensors.torch import load_file, save_file

from mosaic.errors import MosaicError
from mosaic.models import splicing
from mosaic.saes import end_to_end, end_to_end_measuring, end_to_end_training
from mosaic.saes.dictionary import load_dictionary
from mosaic.saes.end_to_end import EndToEndRun, EndToEndSpec, ReluSAE
from mosaic.saes.loading import load_encoder
from mosaic.saes.source import SAESource

SPECS = [
    EndToEndSpec("local", 1, 24, 2.0),
    EndToEndSpec("e2e", 1, 24, 0.5),
    EndToEndSpec("e2e+ds", 1, 24, 0.5, seed=3, beta=0.25),
]
RUN = EndToEndRun(documents=48, batch=4, held_out=0.1, checkpoint_steps=5)
TEXTS = sentences(60, seed=4)


@pytest.fixture(scope="module")
def trained(speaking, tmp_path_factory):
    lm, out = speaking("gemma2"), tmp_path_factory.mktemp("trained")
    before = {name: p.clone() for name, p in lm.model.named_parameters()}
    rows = end_to_end_training.train(lm, TEXTS, SPECS, RUN, out)
    assert all(torch.equal(p, before[name]) and p.grad is None for name, p in lm.model.named_parameters())
    return out, rows


def slow_kl(p_logits, q_logits):
    p, q = (np.exp(x - x.max()) / np.exp(x - x.max()).sum() for x in (p_logits, q_logits))
    return sum(p[v] * np.log(p[v] / q[v]) for v in range(len(p)))


def test_the_losses_are_their_formulas(speaking):
    lm = speaking("gemma2")
    batch = splicing.batch_of(lm, lm.tokenize(TEXTS), range(4))
    before = splicing.original(lm, batch, 1)
    a, sae = before.residuals[1], ReluSAE.new(64, 24, seed=1)
    with torch.no_grad():
        sae.W_dec.mul_(torch.linspace(0.5, 2, 24)[:, None])  # lengths that must not count
        sae.b_enc.add_(0.2)
    codes = sae.encode(a)
    decoded = sae.decode(codes)
    after = splicing.spliced(lm, batch, before, decoded)
    x, d = a.numpy().astype(float), 64
    W_enc, b_enc, W_dec, b_dec = (t.detach().numpy().astype(float) for t in sae.parameters.values())
    c = np.maximum(x @ W_enc + b_enc, 0)
    xhat = c @ (W_dec / np.linalg.norm(W_dec, axis=1, keepdims=True)) + b_dec
    penalty = np.mean([np.abs(row).sum() / d for row in c])
    squares = np.mean([((u - v) ** 2).sum() for u, v in zip(x, xhat, strict=True)])
    p, q = (one.logits.detach().numpy().astype(float) for one in (before, after))
    said = np.mean([slow_kl(u, v) for u, v in zip(p, q, strict=True)])
    assert said != pytest.approx(np.mean([slow_kl(v, u) for u, v in zip(p, q, strict=True)]), rel=1e-3)
    later = [
        np.mean([((u - v) ** 2).sum() for u, v in zip(before.residuals[k].numpy(), after.residuals[k].detach().numpy(), strict=True)])
        for k in (2, 3)
    ]  # fmt: skip
    expected = [
        squares + 2.0 * penalty,
        said + 0.5 * penalty,
        said + 0.25 / 2 * sum(later) + 0.5 * penalty,
    ]
    for spec, value in zip(SPECS, expected, strict=True):
        passes = (None, None) if spec.loss == "local" else (before, after)
        got = end_to_end.loss(spec, a, codes, decoded, *passes)
        assert got.item() == pytest.approx(value, rel=1e-4), spec.loss


def test_it_starts_at_the_mean_and_every_row_has_length_one():
    sae = ReluSAE.new(8, 20, seed=2)
    a = torch.randn(50, 8) + 3
    sae.centre(a.mean(0))
    mean = a.mean(0, keepdim=True)
    torch.testing.assert_close(sae.encode(mean), torch.zeros(1, 20), atol=1e-5, rtol=0)
    torch.testing.assert_close(sae.decode(sae.encode(mean)), mean, atol=1e-4, rtol=0)
    torch.testing.assert_close(sae.rows.norm(dim=1), torch.ones(20))
    assert torch.equal(ReluSAE.new(8, 20, seed=2).W_dec, sae.W_dec) and not torch.equal(
        ReluSAE.new(8, 20, seed=3).W_dec, sae.W_dec
    )


def test_the_rate_warms_up_and_falls_along_a_cosine():
    run = EndToEndRun(documents=160, batch=16, warm_up=0.2, last=0.1)
    rates = [end_to_end_training.schedule(step, run) for step in range(run.steps)]
    assert rates[:3] == [0.5, 1.0, 1.0] and rates == sorted(rates[:2]) + sorted(rates[2:], reverse=True)
    assert rates[6] == pytest.approx(0.55) and 0.1 < rates[-1] < 0.15


def test_every_epoch_reads_each_text_once_in_another_order():
    run = EndToEndRun(batch=3)
    lengths = np.arange(14) % 5
    stream = end_to_end_training.order_of(lengths, run)
    first, second = ([next(stream) for _ in range(4)] for _ in range(2))
    assert all(len(set(np.concatenate(epoch))) == 12 for epoch in (first, second))
    assert [b.tolist() for b in first] != [b.tolist() for b in second]
    again = end_to_end_training.order_of(lengths, run)
    assert all(np.array_equal(a, b) for a, b in zip([*first, *second], again, strict=False))


def test_a_card_says_what_the_saved_sae_does(speaking, trained):
    lm, (out, rows) = speaking("gemma2"), trained
    assert json.loads((out / "card.json").read_text()) == rows and [r["loss"] for r in rows] == [
        "local",
        "e2e",
        "e2e+ds",
    ]
    order = np.random.default_rng(RUN.seed).permutation(len(TEXTS))
    held = [TEXTS[i] for i in order[:6]]
    for row in rows:
        sae = end_to_end_measuring.opened(out / row["name"])
        sums = dict.fromkeys(("l0", "kl", "ce", "error", "last"), 0.0)
        n = predictions = 0
        fired = np.zeros(24, dtype=bool)
        everything = []
        with torch.no_grad():
            for text in held:
                batch = splicing.batch_of(lm, lm.tokenize([text]), [0])
                before = splicing.original(lm, batch, 1)
                a = before.residuals[1]
                codes = sae.encode(a)
                after = splicing.spliced(lm, batch, before, sae.decode(codes))
                p, q = before.logits.double().numpy(), after.logits.double().numpy()
                sums["kl"] += sum(slow_kl(u, v) for u, v in zip(p, q, strict=True))
                ids = lm.tokenize([text]).ids[0][2:]
                for u, v, token in zip(p, q, ids, strict=False):
                    sums["ce"] += np.log(np.exp(v).sum()) - v[token] - np.log(np.exp(u).sum()) + u[token]
                sums["l0"] += float((codes > 0).sum())
                sums["error"] += float((a - sae.decode(codes)).square().sum())
                sums["last"] += float((before.residuals[3] - after.residuals[3]).square().sum())
                fired |= (codes > 0).any(0).numpy()
                everything.append(a.numpy())
                n, predictions = n + len(a), predictions + len(ids)
        x = np.concatenate(everything)
        assert row["held_out_tokens"] == n and row["alive"] == fired.sum()
        assert row["l0"] == pytest.approx(sums["l0"] / n)
        assert row["kl"] == pytest.approx(sums["kl"] / n, rel=1e-3, abs=1e-6)
        assert row["added_ce"] == pytest.approx(sums["ce"] / predictions, rel=1e-3, abs=1e-5)
        assert row["error"] == pytest.approx(sums["error"] / n, rel=1e-4)
        assert row["fvu"] == pytest.approx(sums["error"] / ((x - x.mean(0)) ** 2).sum(), rel=1e-3)
        assert list(row["downstream"]) == ["2", "3"] and row["downstream"]["3"] == pytest.approx(
            sums["last"] / n, rel=1e-3
        )
        assert np.array_equal(load_dictionary(out / row["name"]).alive, fired)


def test_what_is_saved_is_read_as_sae_lens_writes_it(trained, speaking):
    from sae_lens import SAE

    out, rows = trained
    for row in rows:
        folder = out / row["name"]
        config = json.loads((folder / "cfg.json").read_text())
        assert config["architecture"] == "standard" and config["apply_b_dec_to_input"] is False
        assert config["metadata"]["hook_name"] == "layers.1" and config["metadata"]["loss"] == row["loss"]
        encoder = load_encoder(SAESource(1, "24", path=str(folder)), speaking("gemma2").spec.id, 64)
        a = torch.randn(9, 64) * 3
        sae = SAE.load_from_disk(str(folder))
        ours = end_to_end_measuring.opened(folder)
        torch.testing.assert_close(ours.encode(a), sae.encode(a), atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(ours.decode(ours.encode(a)), sae(a), atol=1e-5, rtol=1e-5)
        np.testing.assert_allclose(encoder.encode(a).toarray(), sae.encode(a).detach().numpy(), atol=1e-5)
        np.testing.assert_allclose(np.linalg.norm(load_dictionary(folder).decoder, axis=1), 1, atol=5e-3)  # bfloat16
    assert not (out / "checkpoint.safetensors").exists()


def test_texts_are_measured_one_by_one_in_their_order(speaking, trained):
    lm, (out, rows) = speaking("gemma2"), trained
    sae = end_to_end_measuring.opened(out / rows[1]["name"])
    texts = ["the cat sat on the mat", "", "she ran", *TEXTS[:4]]
    (found,) = end_to_end_measuring.measure_all(lm, lm.tokenize(texts), [sae], 1)
    assert found.tokens.tolist()[:3] == [6, 0, 2] and found.predictions.tolist()[:3] == [5, 0, 1]
    for i in (0, 2, 5):
        (alone,) = end_to_end_measuring.measure_all(lm, lm.tokenize([texts[i]]), [sae], 1)
        for name in ("active", "kl", "added", "error", "square"):
            assert getattr(found, name)[i] == pytest.approx(getattr(alone, name)[0], rel=1e-3, abs=1e-5), name
    assert found.error[1] == found.kl[1] == 0 and found.active.sum() == found.fires.sum()


def test_all_read_one_stream_and_learn(trained):
    _, rows = trained
    assert len({(row["batches"], row["tokens"]) for row in rows}) == 1 and rows[0]["documents"] == 48
    assert len({row["name"] for row in rows}) == 3 and rows[2]["name"] == "e2e_ds_layer_1_width_24_lambda_0.5_seed_3"


def test_a_killed_run_ends_with_the_same_bytes(speaking, trained, tmp_path, monkeypatch):
    out, _ = trained
    lm, real = speaking("gemma2"), end_to_end_training.original
    calls = iter(range(100))

    def killed(*arguments):
        if next(calls) == 8:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(end_to_end_training, "original", killed)
    with pytest.raises(KeyboardInterrupt):
        end_to_end_training.train(lm, TEXTS, SPECS, RUN, tmp_path)
    assert (tmp_path / "checkpoint.safetensors").is_file()
    with pytest.raises(MosaicError, match="holds a run of other SAEs, texts or settings"):
        end_to_end_training.train(lm, TEXTS, SPECS, replace(RUN, clip=1.0), tmp_path)
    end_to_end_training.train(lm, TEXTS, SPECS, RUN, tmp_path)
    assert next(calls) < 20  # 8 before it was killed, 7 after step 5
    files = sorted(path.relative_to(out) for path in out.rglob("*") if path.is_file())
    assert len(files) == 10
    assert [f for f in files if (out / f).read_bytes() != (tmp_path / f).read_bytes()] == []


def test_an_sae_of_another_form_is_named(trained, tmp_path):
    out, rows = trained
    with pytest.raises(MosaicError, match="are topk, True, none; standard, False and none were expected"):
        end_to_end_measuring.opened(sae_folder(tmp_path, "topk"))
    folder = tmp_path / "lacking"
    shutil.copytree(out / rows[0]["name"], folder)
    tensors = load_file(folder / "sae_weights.safetensors")
    save_file({name: value for name, value in tensors.items() if name != "b_dec"}, folder / "sae_weights.safetensors")
    with pytest.raises(MosaicError, match="lacking has no b_dec. Copy the SAE again"):
        end_to_end_measuring.opened(folder)


@pytest.mark.parametrize(
    "change,run,message",
    [
        ({"loss": "l2"}, {}, r"loss 'l2' is not one of local, e2e, e2e\+ds"),
        ({"sparsity": -1.0}, {}, "lambda -1 and beta 0 must not be below 0"),
        ({"beta": 1.0}, {}, r"beta is 1. It weighs the downstream errors of e2e\+ds"),
        ({"loss": "e2e+ds"}, {}, "beta is 0. It weighs"),
        ({"layer": 2}, {}, "read one layer"),
        ({"loss": "local", "sparsity": 2.0}, {}, "two SAEs are called local_layer_1_width_24_lambda_2_seed_0"),
        ({}, {"documents": 7}, "7 documents are not two batches of 4"),
        ({}, {"batch": 58, "documents": 200}, "60 texts do not fill a batch of 58"),
    ],
)
def test_what_cannot_be_trained_is_named(speaking, tmp_path, change, run, message):
    specs = [SPECS[0], replace(SPECS[1], **change)]
    with pytest.raises(MosaicError, match=message):
        end_to_end_training.train(speaking("gemma2"), TEXTS, specs, replace(RUN, **run), tmp_path)
