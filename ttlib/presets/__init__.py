"""Functions that return a whole configuration, one per model that the book trains."""

from ttlib.presets.translate import TranslationRun, translate_ru_en, translate_tiny

__all__ = ["TranslationRun", "translate_ru_en", "translate_tiny"]
