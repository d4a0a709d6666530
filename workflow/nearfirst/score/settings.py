"""Settings of the scores of answers (Section A.4)."""

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, PositiveFloat, model_validator

from nearfirst.common.hub import HUB_ID
from nearfirst.common.settings import Section


class ScoreSettings(Section):
    """ROUGE and Exact Match of an answer against its references."""

    rouge: Literal["fmeasure", "paper"] = Field(
        "fmeasure",
        description="`fmeasure`, as in the published code; `paper`: recall for ROUGE-1 and F_β for "
        "ROUGE-L (Eqs. 2 to 5).",
    )
    beta: PositiveFloat = Field(1.0, description="β of F_β (Eq. 5); above 1, recall weighs more.")
    stemming: bool = Field(True, description="Compare stems of (English) words.")
    references: Literal["max", "mean"] = Field(
        "max", description="How the scores against several references are combined."
    )
    tokenizer: str = Field(
        "words",
        pattern=r"^[^\s-]",
        description="`words` of ASCII letters and digits, as in rouge-score; for other scripts the "
        "subwords of `model`, the base model, or of a Hugging Face id or folder.",
    )

    @model_validator(mode="after")
    def _tokenizer_exists(self) -> Self:
        # Fail before hours of generation, not after.
        if not Path(self.tokenizer).is_dir() and not re.fullmatch(HUB_ID, self.tokenizer):
            raise ValueError(
                f"tokenizer: {self.tokenizer!r} is neither words, model, a folder here nor a "
                "Hugging Face id"
            )
        return self
