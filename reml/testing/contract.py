"""What all contract classes have in common: one that is to be run says so if it lacks what it is to be run on."""

from __future__ import annotations


class Contract:
    """Tests of what `make` gives.

    `TypeError` for a class with the name of one that pytest runs (`Test...`) that leaves a method of the contract to be
    written: pytest passes over abstract classes without a word.
    """

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        wanted = {name for base in cls.__bases__ for name in getattr(base, "__abstractmethods__", ())}
        lacking = sorted(name for name in wanted if getattr(getattr(cls, name), "__isabstractmethod__", False))
        if lacking and cls.__name__.startswith("Test"):
            raise TypeError(
                f"{cls.__name__} has no {' and no '.join(lacking)}, so that none of its tests would run: write "
                f"`def {lacking[0]}(self)` in it, which gives what is to be tested (docs/contract.md)."
            )
