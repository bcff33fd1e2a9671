"""Parameters over classes: the fast set takes some, the whole set all."""

import pytest

from foleybench.synthfoley import class_names, load_class


def each_class(*traits, among=None):
    """Return the classes as parameters; one whose traits were all seen in classes before it is marked slow.

    Args:
        traits: Fields of a class's card: ``mechanism`` decides the motion and the picture, ``voice`` the sound.
        among: Names; all classes when None.
    """
    seen = set()
    found = []
    for name in class_names() if among is None else among:
        new = {(trait, getattr(load_class(name), trait)) for trait in traits} - seen
        seen |= new
        found.append(pytest.param(name, marks=() if new else pytest.mark.slow))
    return found
