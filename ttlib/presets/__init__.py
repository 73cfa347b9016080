"""Functions that return a whole configuration, one per model that the book trains."""

from ttlib.presets.translate import (
    TranslationRun,
    translate_fr_en,
    translate_ru_en,
    translate_rufr_en,
    translate_tiny,
)

__all__ = ["TranslationRun", "translate_fr_en", "translate_ru_en", "translate_rufr_en", "translate_tiny"]
