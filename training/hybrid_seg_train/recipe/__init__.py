"""Recipes: everything that decides what a training, a calibration and an evaluation do, as one YAML file."""

from hybrid_seg_train.recipe.load import RECIPES, Recipe, RecipeError, changed, load_recipe

__all__ = ["RECIPES", "Recipe", "RecipeError", "changed", "load_recipe"]
