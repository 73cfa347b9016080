"""Figures: data in, figure out. They follow the page's colours and carry their own text alternative."""

from ttlib.viz.architecture import draw_seq2seq
from ttlib.viz.attention import heatmap
from ttlib.viz.cache import cache_picture
from ttlib.viz.cosines import cosine_map
from ttlib.viz.curves import lines, loss_curve, slope, training_curve
from ttlib.viz.decoder import draw_decoder_block
from ttlib.viz.effects import show_effects
from ttlib.viz.encoder import draw_encoder
from ttlib.viz.explorer import explore, explore_heads
from ttlib.viz.masks import mask_picture, padding_picture
from ttlib.viz.next_tokens import next_tokens
from ttlib.viz.one_token import one_token
from ttlib.viz.positions import table_map, turning_pairs
from ttlib.viz.residuals import residual_picture
from ttlib.viz.spread import spread
from ttlib.viz.statistics import statistics_picture
from ttlib.viz.style import Picture, canvas
from ttlib.viz.tokens import show_tokens
from ttlib.viz.vectors import principal_plane, word_map

__all__ = [
    "Picture",
    "cache_picture",
    "canvas",
    "cosine_map",
    "draw_decoder_block",
    "draw_encoder",
    "draw_seq2seq",
    "explore",
    "explore_heads",
    "heatmap",
    "lines",
    "loss_curve",
    "mask_picture",
    "next_tokens",
    "one_token",
    "padding_picture",
    "principal_plane",
    "residual_picture",
    "show_effects",
    "show_tokens",
    "slope",
    "spread",
    "statistics_picture",
    "table_map",
    "training_curve",
    "turning_pairs",
    "word_map",
]
