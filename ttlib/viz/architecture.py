"""The paper's figure 1 with a model's own numbers in it."""

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from ttlib.viz.style import INK, Picture, canvas

COLOURS = {"attention": "#E69F00", "feed-forward": "#56B4E9", "table": "#CCCCCC"}
WIDTH, HEIGHT = 3.2, 0.62
ALT = (
    "Two stacks of boxes. Left, the encoder: source ids, embedding and positions, then {n_encoder_layers} blocks "
    "of self-attention and feed-forward; its output, the memory, goes as keys and values to the decoder's "
    "cross-attention. Right, the decoder: target ids so far, embedding and positions, then {n_decoder_layers} "
    "blocks of masked self-attention, cross-attention and feed-forward; on top the embedding table gives logits "
    "over {tgt_vocab_size} tokens."
)


def draw_seq2seq(sizes: Mapping[str, int]) -> Picture:
    """Boxes for the layers, arrows with the shapes that flow along them; ``sizes`` is ``config.to_dict()``."""
    d, heads = sizes["d_model"], sizes["n_heads"]
    embedding, ff = "embedding {:,} × " + f"{d}\n+ positions", f"feed-forward\n{d} → {sizes['d_ff']} → {d}"
    encoder = [
        ("table", embedding.format(sizes["src_vocab_size"])),
        ("attention", f"self-attention\n{heads} heads"),
        ("feed-forward", ff),
    ]
    decoder = [
        ("table", embedding.format(sizes["tgt_vocab_size"])),
        ("attention", f"masked self-attention\n{heads} heads"),
        ("attention", f"cross-attention\n{heads} heads"),
        ("feed-forward", ff),
        ("table", "logits: the embedding\ntable once more"),
    ]
    with canvas(7.0, 5.2) as (figure, ax):
        _stack(ax, 0.0, encoder, "source ids (B, S)", f"× {sizes['n_encoder_layers']}", last=2)
        _stack(ax, 5.2, decoder, "target ids so far (B, T)", f"× {sizes['n_decoder_layers']}", last=3)
        ax.text(5.2 + WIDTH / 2, 5.3, f"(B, T, {sizes['tgt_vocab_size']:,})", ha="center")
        _memory(ax, d)
        ax.set(xlim=(-1.0, 8.8), ylim=(-1.0, 5.7))
        ax.axis("off")
        return Picture(figure, ALT.format(**sizes))


def _memory(ax: Axes, d_model: int) -> None:
    """The arrow from the encoder's top to the cross-attention."""
    middle, turn, cross = WIDTH / 2, 3.3, 2.2 + HEIGHT / 2
    ax.plot([middle, middle, 4.2, 4.2], [2.2 + HEIGHT, turn, turn, cross], color=INK, linewidth=1.2)
    ax.annotate("", (5.15, cross), (4.2, cross), arrowprops={"arrowstyle": "-|>", "color": INK})
    ax.text(middle + 0.1, turn + 0.1, f"memory (B, S, {d_model})")
    ax.text(4.4, cross + 0.1, "k, v", fontsize=8)


def _stack(ax: Axes, x: float, layers: list[tuple[str, str]], entry: str, times: str, last: int) -> None:
    """One column of boxes; the dashed frame around boxes 1 … last is what is repeated."""
    ax.text(x + WIDTH / 2, -0.75, entry, ha="center")
    for i, (kind, text) in enumerate(layers):
        y = 1.1 * i
        box = FancyBboxPatch((x, y), WIDTH, HEIGHT, boxstyle="round,pad=0.05", facecolor=COLOURS[kind], edgecolor=INK)
        ax.add_patch(box)
        ax.text(x + WIDTH / 2, y + HEIGHT / 2, text, ha="center", va="center", fontsize=8, color="black")
        start = (x + WIDTH / 2, y - 1.1 + HEIGHT + 0.06 if i else -0.45)
        ax.annotate("", (x + WIDTH / 2, y - 0.05), start, arrowprops={"arrowstyle": "-|>", "color": INK})
    frame = FancyBboxPatch(
        (x - 0.15, 0.95),
        WIDTH + 0.3,
        1.1 * (last - 1) + HEIGHT + 0.3,
        boxstyle="round,pad=0.05",
        fill=False,
        linestyle="--",
        edgecolor=INK,
    )
    ax.add_patch(frame)
    ax.text(x - 0.3, 1.0, times, ha="right", fontsize=11)
