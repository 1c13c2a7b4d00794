from pathlib import Path

import pytest

from hybrid_seg_train.recipe import RECIPES, RecipeError, changed, load_recipe
from hybrid_seg_train.recipe.reference import reference


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


def test_a_recipe_builds_on_another_and_changes_only_what_it_says() -> None:
    closed, opened = load_recipe("camvid_closed_lite0"), load_recipe("camvid_open_lite0")
    assert opened.sources == closed.sources
    assert opened.schedule.batch == closed.schedule.batch
    assert opened.schedule.iterations != closed.schedule.iterations
    assert not closed.negatives.sets
    assert opened.negatives.sets


def test_a_recipe_that_is_its_own_base_is_named(tmp_path: Path) -> None:
    path = tmp_path / "loop.yaml"
    path.write_text("base: loop.yaml\nname: loop\n")
    with pytest.raises(RecipeError, match=r"loop\.yaml: is its own base"):
        load_recipe(str(path))


def test_a_loaded_recipe_can_be_changed() -> None:
    recipe = changed(load_recipe("camvid_open_lite0"), ("negatives.count=[2, 2]", "start=elsewhere"))
    assert (recipe.negatives.count, recipe.start) == ((2, 2), "elsewhere")
    with pytest.raises(RecipeError, match="camvid_open_lite0: 1 validation error"):
        changed(recipe, ("negatives.counts=[2, 2]",))


def test_the_reference_page_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs/recipes.md"
    command = "python -m hybrid_seg_train.recipe.reference docs/recipes.md"
    assert page.read_text(encoding="utf-8") == reference(), f"write it again with: {command}"


def test_every_entry_says_what_it_means() -> None:
    assert "|  |" not in reference()
