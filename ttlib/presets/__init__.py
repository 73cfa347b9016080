"""Functions that return a whole configuration, one per model that the book trains."""

from ttlib.presets.gpt import GPTRun, gpt_shakespeare, gpt_tiny
from ttlib.presets.translate import (
    TranslationRun,
    translate_fr_en,
    translate_ru_en,
    translate_rufr_en,
    translate_tiny,
)

RUNS = {"translation": TranslationRun, "language model": GPTRun}  # by the kind that a run's record names
PRESETS = {
    preset.__name__: preset
    for preset in (translate_fr_en, translate_ru_en, translate_rufr_en, translate_tiny, gpt_shakespeare, gpt_tiny)
}

__all__ = [
    "PRESETS",
    "RUNS",
    "GPTRun",
    "TranslationRun",
    "gpt_shakespeare",
    "gpt_tiny",
    "translate_fr_en",
    "translate_ru_en",
    "translate_rufr_en",
    "translate_tiny",
]
