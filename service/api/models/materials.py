"""What an applicant for a reprint sends as material, and is answered."""

from typing import Annotated, Literal, get_args

from pydantic import Field

from service.api.models.answers import Answer, Time
from service.reprints.materials import MaterialType

ReviewStep = Literal["review_1", "review_2", "handover", "complaint"]
"""What a reviewer looks at a material for."""
REVIEW_STEPS: tuple[ReviewStep, ...] = get_args(ReviewStep)


class Material(Answer):
    """One document; its pages are at `…/pages/1` to `…/pages/{pages}`."""

    id: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
    type: MaterialType
    pages: int
    size: Annotated[int, Field(description="Bytes of the file that was sent; the pictures of its pages are what is kept.")]
    uploaded_at: Time


class Removed(Answer):
    removed: Literal[True]


MATERIAL = {
    "id": "9d3b7e245f0e8a1c",
    "type": "identity",
    "pages": 2,
    "size": 1483920,
    "uploaded_at": "2026-11-25T08:26:40.000+00:00",
}
REMOVED = {"removed": True}
