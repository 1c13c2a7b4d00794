"""That what the shipped recipes name exists, without the data they are for."""

import pytest

from hybrid_seg_train.data.label_space import load_label_space
from hybrid_seg_train.data.readers import READERS
from hybrid_seg_train.flows.config import flow_config
from hybrid_seg_train.models import output_stride
from hybrid_seg_train.negatives.read import FORMATS
from hybrid_seg_train.networks import closed_network
from hybrid_seg_train.recipe import RECIPES, load_recipe
from hybrid_seg_train.samples.pasting import class_filter

NAMES = sorted(path.stem for path in RECIPES.glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_classes_readers_formats_flows_and_starts_exist(name: str) -> None:
    recipe = load_recipe(name)
    assert set(recipe.hold_out) <= set(load_label_space(recipe.classes).names)
    for source in (*recipe.sources, recipe.validation):
        assert source.reader in {*READERS, "scenes"}
    for part in recipe.negatives.sets:
        assert part.kind in FORMATS
        class_filter(part)
    if recipe.flow is not None:
        assert recipe.flow.crop % flow_config(recipe.flow.model).multiple == 0
    starts = [recipe.start, recipe.negatives.flow and recipe.negatives.flow.start]
    assert all(start.removeprefix("runs/") in NAMES for start in starts if start)
    weights = recipe.loss.class_weights
    assert weights is None or len(weights) == len(load_label_space(recipe.classes))


@pytest.mark.parametrize(
    ("name", "stride"),
    [("camvid_hybrid_lite0", 2), ("cityscapes_closed_deeplabv3plus", 4), ("streethazards_closed_ldn121", 4)],
)
def test_every_network_can_be_built(name: str, stride: int) -> None:
    recipe = load_recipe(name)
    network = closed_network(recipe, weights=False)
    assert output_stride(network, (128, 128)) == stride
    assert network.backbone_parameters()
