"""Column shapes that several models share."""

from enum import StrEnum

from sqlalchemy import Enum


def words(vocabulary: type[StrEnum]) -> Enum:
    """A text column restricted, by a check in the database, to the values of a closed vocabulary."""
    return Enum(
        vocabulary,
        native_enum=False,
        create_constraint=True,
        length=24,
        values_callable=lambda members: [member.value for member in members],
        name=vocabulary.__name__.lower(),
    )
