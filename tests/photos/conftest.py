"""What photo tests start from."""

import pytest

from tests.builders.world import World
from tests.photos.sending import Scene


@pytest.fixture
def scene(world: World) -> Scene:
    """Give a visit that waits for photos."""
    return Scene(world)
