from pathlib import Path

import pytest

from hybrid_seg_train.recipe import RECIPES, RecipeError, load_recipe


@pytest.mark.parametrize("name", sorted(path.stem for path in RECIPES.glob("*.yaml")))
def test_every_shipped_recipe_is_valid_and_carries_its_name(name: str) -> None:
    assert load_recipe(name).name == name


def test_overrides_change_one_entry() -> None:
    recipe = load_recipe("camvid_hybrid_lite0", ("schedule.iterations=12", "loss.energy=plain", "seed=3"))
    assert (recipe.schedule.iterations, recipe.loss.energy, recipe.seed) == (12, "plain", 3)
    assert recipe.loss.beta == load_recipe("camvid_hybrid_lite0").loss.beta


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("schedule.iterations", "expected section.key=value"),
        ("schedule.iteration=3", "schedule.iteration\n.*not permitted"),
        ("name.first=3", "name is not a section"),
        ("schedule.iterations=many", "valid integer"),
    ],
)
def test_a_wrong_override_is_named(override: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load_recipe("camvid_hybrid_lite0", (override,))


def test_an_unknown_recipe_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"nothing: no such recipe; .*camvid_hybrid_lite0"):
        load_recipe("nothing")
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [")
    with pytest.raises(RecipeError, match=r"broken\.yaml"):
        load_recipe(str(broken))
