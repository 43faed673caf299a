"""What every part of a storyboard's schema has in common."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


class BoardPart(BaseModel):
    """A mapping in a board: frozen, and with no keys but its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, protected_namespaces=())

    PLANNED_FIELDS: ClassVar[frozenset[str]] = frozenset()
    """Fields of which planning makes clips and joins, by which two films are compared in their place."""

    @property
    def film_values(self) -> dict[str, Any]:
        """Key -> value of what is set and is not planned: it goes into the film as it is written here."""
        return self.model_dump(
            mode="json", by_alias=True, exclude_defaults=True, exclude=set(self.PLANNED_FIELDS)
        )


def listed(value: Any) -> Any:
    """One text, or one mapping, as a list of it."""
    return [value] if isinstance(value, str | dict) else value
