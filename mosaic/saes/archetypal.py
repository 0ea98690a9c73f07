"""An archetypal dictionary: every decoder row stays near a convex combination of the data's centroids (arXiv 2502.12892, eq. 4).

W_dec = W C + Lambda, where W [D, D] >= 0 has rows that sum to 1, C [D, d] are k-means centroids of activations whose mean is
taken off (the bias b_dec carries it), and |Lambda_i| <= delta. W = softmax(V) is row-stochastic for any V. As in the library
`overcomplete` it starts at (nearly) the identity and Lambda at 0, so that the first decoder is the centroids themselves.

Shapes: N tokens, d = d_in, D = width (latents).
"""

from __future__ import annotations

import math

from mosaic.errors import MosaicError

DELTA = 1.0  # where activations have a mean norm of sqrt(d)
OWN_CENTROID = 0.9  # of a row's weight, at the start


def constrain(sae) -> None:
    """Make W_dec of an untrained SAELens SAE archetypal; `start` then gives it centroids (until then they are 0)."""
    import torch
    from torch.nn.utils import parametrize

    width, d = sae.W_dec.shape

    class Archetypal(torch.nn.Module):
        def __init__(self):
            super().__init__()
            own = math.log(OWN_CENTROID / (1 - OWN_CENTROID) * (width - 1))
            self.logits = torch.nn.Parameter(own * torch.eye(width, device=sae.W_dec.device))
            self.register_buffer("centroids", torch.zeros(width, d, device=sae.W_dec.device))

        def forward(self, relaxation):
            norm = relaxation.norm(dim=-1, keepdim=True)
            return self.logits.softmax(-1) @ self.centroids + relaxation * (DELTA / norm.clamp(min=DELTA))

    sae.W_dec.data.zero_()
    # The centroids are not there yet: the check would find a decoder of zeros, which is what it is.
    parametrize.register_parametrization(sae, "W_dec", Archetypal())


def start(sae, x, seed: int) -> None:
    """Centroids from activations x [N, d], scaled as the SAE's inputs are; b_dec starts at their mean. seed: of k-means.
    Raises MosaicError for fewer activations than latents."""
    import torch
    from sklearn.cluster import KMeans

    if len(x) < sae.cfg.d_sae:
        raise MosaicError(
            f"{len(x)} activations of the first batches give no {sae.cfg.d_sae} centroids. Give more tokens or larger batches."
        )
    mean = x.mean(0)
    found = KMeans(sae.cfg.d_sae, n_init=1, random_state=seed).fit((x - mean).cpu().double().numpy())
    with torch.no_grad():
        centroids = sae.parametrizations.W_dec[0].centroids
        centroids.copy_(torch.from_numpy(found.cluster_centers_))
        sae.b_dec.copy_(mean)


def release(sae) -> None:
    """Leave W_dec as the plain matrix that it has become."""
    from torch.nn.utils import parametrize

    parametrize.remove_parametrizations(sae, "W_dec")
