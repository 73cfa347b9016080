"""The translation model's sizes."""

from dataclasses import dataclass

from ttlib.data.translation import TranslationData
from ttlib.models.config import Seq2SeqConfig
from ttlib.presets.run import Run
from ttlib.train.config import TrainConfig
from ttlib.train.translation import prepare


@dataclass(frozen=True, kw_only=True)
class TranslationRun(Run):
    """A run of an encoder–decoder model."""

    kind = "translation"
    start = staticmethod(prepare)
    data: TranslationData
    model: Seq2SeqConfig


def translate_ru_en() -> TranslationRun:
    """The shipped Russian to English model: 8.0 million parameters, 16 MB in bfloat16."""
    return TranslationRun(
        data=TranslationData(editions="basic,basic,world,modern"),
        model=Seq2SeqConfig(src_vocab_size=5600, tgt_vocab_size=4000, dropout=0.2),
        train=TrainConfig(steps=6000, average=0.999),
    )


def translate_tiny() -> TranslationRun:
    """A model that trains in minutes on two cores: half as wide, one English edition."""
    return TranslationRun(
        data=TranslationData(),
        model=Seq2SeqConfig(src_vocab_size=4000, tgt_vocab_size=3000, d_model=128, d_ff=512, dropout=0.1),
        train=TrainConfig(steps=500, lr=3e-3, warmup=100),
    )


def translate_fr_en() -> TranslationRun:
    """French to English, for the experiment with swapped encoders: as wide as `translate_ru_en`, less deep."""
    return TranslationRun(
        data=TranslationData(editions="basic,world", src="segond"),
        model=Seq2SeqConfig(
            src_vocab_size=5000, tgt_vocab_size=4000, n_encoder_layers=2, n_decoder_layers=2, dropout=0.15
        ),
        train=TrainConfig(steps=3600, max_tokens=4000, average=0.998),
    )


def translate_rufr_en() -> TranslationRun:
    """Russian and French to English in one model: one encoder and one vocabulary for both sources."""
    return TranslationRun(
        data=TranslationData(editions="basic,world", src="synodal,segond"),
        model=Seq2SeqConfig(
            src_vocab_size=7000, tgt_vocab_size=4000, n_encoder_layers=2, n_decoder_layers=2, dropout=0.15
        ),
        train=TrainConfig(steps=4000, max_tokens=4000, average=0.998),
    )
