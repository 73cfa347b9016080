"""Functions that return a whole configuration, one per model that the book trains."""

from ttlib.presets.bert import BertRun, bert_base, bert_large, bert_small
from ttlib.presets.gpt import GPTRun, gpt_shakespeare, gpt_tiny
from ttlib.presets.translate import (
    TranslationRun,
    translate_fr_en,
    translate_ru_en,
    translate_rufr_en,
    translate_tiny,
)

RUNS = {run.kind: run for run in (TranslationRun, GPTRun, BertRun)}  # by the kind that a run's record names
PRESETS = {
    preset.__name__: preset
    for preset in (
        translate_fr_en,
        translate_ru_en,
        translate_rufr_en,
        translate_tiny,
        gpt_shakespeare,
        gpt_tiny,
        bert_small,
    )
}

__all__ = [
    "PRESETS",
    "RUNS",
    "BertRun",
    "GPTRun",
    "TranslationRun",
    "bert_base",
    "bert_large",
    "bert_small",
    "gpt_shakespeare",
    "gpt_tiny",
    "translate_fr_en",
    "translate_ru_en",
    "translate_rufr_en",
    "translate_tiny",
]
