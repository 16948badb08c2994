"""A small repository of recipes, indexed, for tests of what is decided from recipes."""

import functools
import pathlib

from plugins.module_utils._core.recipes.index import Recipes, index_recipes
from plugins.module_utils._core.recipes.recipe import read_recipe

LIBRARY = pathlib.Path(__file__).resolve().parents[1] / "data" / "recipes" / "spack_repo" / "library"


@functools.cache
def library(complete=True):
    files = {str(path.relative_to(LIBRARY)): read_recipe(path.read_text()) for path in sorted(LIBRARY.rglob("*.py"))}
    return Recipes([index_recipes("library", files)], complete)
