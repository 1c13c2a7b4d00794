"""What all parts of a recipe have in common."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """Frozen; an unknown key is an error, so that a misspelt one never passes silently."""

    model_config = ConfigDict(frozen=True, extra="forbid")
