"""What a subclass overrides is heard: members worked out from others step aside where one of these is overridden."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class HearsOverrides:
    """Base of classes with closed forms and shortcuts, which hold for the class that defines them and not below.

    ``rests_on`` names, for each such member, the members that its results follow from: its ground. Where a subclass
    (or a mixin put before the class) overrides some of the ground and not the member itself, the member goes back to
    its most general definition: slower, or "not known", and right. A subclass that overrides both is taken at its word.
    What is abstract where the member is defined is no ground: there the member can only follow from whatever comes.

    Decided once, when a subclass is made; nothing is looked up at a call. Replacing an attribute of one instance, or
    of a class that exists already, is not seen. An extension of ``rests_on`` repeats the base's entries.
    """

    rests_on: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        for member, grounds in cls.rests_on.items():
            if any(overridden_below(cls, ground, member) for ground in grounds):
                setattr(cls, member, most_general(cls, member))


def definition_rank(cls: type, member: str) -> int:
    """How far up ``cls.__mro__`` the definition of ``member`` in force stands: 0 in ``cls`` itself.

    Raises AttributeError where no class defines it.
    """
    for rank, holder in enumerate(cls.__mro__):
        if member in vars(holder):
            return rank
    raise AttributeError(f"{cls.__name__} has no member {member!r}")


def overridden_below(cls: type, ground: str, member: str) -> bool:
    """Whether ``cls`` has a definition of ``ground`` by a more derived class than its definition of ``member``.

    Not where that class knew ``ground`` as abstract only.
    """
    holder = cls.__mro__[definition_rank(cls, member)]
    abstract = getattr(getattr(holder, ground, None), "__isabstractmethod__", False)
    return not abstract and definition_rank(cls, ground) < definition_rank(cls, member)


def most_general(cls: type, member: str) -> Any:
    """The definition of ``member`` by the first class of the line that has one, as it stands in the class body."""
    return next(vars(holder)[member] for holder in reversed(cls.__mro__) if member in vars(holder))


def keeps(instance: object, owner: type, *members: str) -> bool:
    """Whether no subclass of ``owner`` on the way to ``type(instance)`` overrides any of ``members``."""
    cls = type(instance)
    return all(definition_rank(cls, member) >= cls.__mro__.index(owner) for member in members)
