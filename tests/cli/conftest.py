"""What the commands on names are tried on: a folder with a profile of one SAE, and what that SAE does on its texts."""

import pytest
from naming_profile import PROFILE

from mosaic.profiles.profile import load_profile
from mosaic.studies import naming


@pytest.fixture
def work(tmp_path):
    (tmp_path / "p.yml").write_text(PROFILE)
    return tmp_path


@pytest.fixture(scope="session")
def observed(tmp_path_factory):
    """The SAE of the profile on its texts: which latents fire, how often."""
    path = tmp_path_factory.mktemp("profile") / "p.yml"
    path.write_text(PROFILE)
    profile = load_profile(str(path))
    return naming.observe(profile, naming.encoder_of(profile, naming.source_of(profile, None, None)))
