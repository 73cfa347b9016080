"""Tokens a second when a model writes: ours with a cache and without, beside transformers' ``generate``.

    python -m benchmarks.generation             # all shapes
    python -m benchmarks.generation small       # one of: tiny, small, medium, smollm2

Both have the same random weights and choose greedily; the three take turns, and the best of several turns counts.
``products`` is the time that the matrix products of one token take when nothing else is done: what no way to
generate can save, since every weight has to be read for every token.
"""

import sys
import tempfile
import time
from collections.abc import Callable

import torch
import transformers
from torch import nn

from ttlib import runtime
from ttlib.generate.sample import generate
from ttlib.generate.session import UncachedSession
from ttlib.models.count import count_parameters
from ttlib.models.decoder_only import DecoderOnly
from ttlib.models.gpt import GPT, GPTConfig
from ttlib.models.llama import Llama, LlamaConfig
from ttlib.pretrained.gpt2 import save_gpt2
from ttlib.pretrained.llama import save_llama

PROMPT = 16
SHAPES: dict[str, GPTConfig | LlamaConfig] = {
    "tiny": GPTConfig(vocab_size=82, d_model=128, n_heads=4, d_ff=512, n_layers=4, max_len=1024),
    "small": GPTConfig(vocab_size=2048, d_model=256, n_heads=4, d_ff=1024, n_layers=6, max_len=1024),
    "medium": GPTConfig(vocab_size=1024, d_model=384, n_heads=6, d_ff=1536, n_layers=6, max_len=1024),
    "smollm2": LlamaConfig(),
}
LENGTHS = {"smollm2": (32, 128)}
TURNS = 3


def twins(config: GPTConfig | LlamaConfig) -> tuple[DecoderOnly, transformers.PreTrainedModel]:
    """The same random weights in ours and in transformers'."""
    torch.manual_seed(0)
    model = GPT(config) if isinstance(config, GPTConfig) else Llama(config)
    with tempfile.TemporaryDirectory() as folder:
        (save_gpt2 if isinstance(model, GPT) else save_llama)(model, folder)
        return model.eval(), transformers.AutoModelForCausalLM.from_pretrained(folder).eval()


def ways(
    ours: DecoderOnly, theirs: transformers.PreTrainedModel, batch: int, n: int
) -> dict[str, Callable[[], list[list[int]]]]:
    """What is compared: each writes ``n`` tokens after ``batch`` prompts."""
    prompts = torch.arange(1, batch * PROMPT + 1).view(batch, PROMPT) % 80
    asked = {"attention_mask": torch.ones_like(prompts), "max_new_tokens": n, "do_sample": False, "pad_token_id": 0}
    rows = prompts.tolist()
    return {
        "transformers": lambda: theirs.generate(prompts, **asked)[:, PROMPT:].tolist(),
        "cache": lambda: generate(ours, rows, n),
        "no cache": lambda: generate(ours, rows, n, session=UncachedSession(ours)),
    }


def products(model: DecoderOnly, batch: int) -> Callable[[], None]:
    """Every matrix of the model times one vector per row, and nothing else."""
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    weights = [(layer.weight, layer.bias) for layer in layers] + [(model.output_weight, None)]
    inputs = {size: torch.randn(batch, 1, size) for size in {weight.size(1) for weight, _ in weights}}

    @torch.inference_mode()
    def run() -> None:
        for weight, bias in weights:
            nn.functional.linear(inputs[weight.size(1)], weight, bias)

    return run


def seconds(function: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def row(name: str, batch: int, n: int, twin: tuple[DecoderOnly, transformers.PreTrainedModel]) -> str:
    """A line of the table."""
    tried = ways(*twin, batch, n)
    texts = {way: write() for way, write in tried.items() if way != "no cache"}
    same = texts["transformers"] == texts["cache"]
    if n > 128:
        del tried["no cache"]  # minutes
    times = {way: min(turn[way] for turn in turns) for turns in [_turns(tried)] for way in tried}
    floor = min(seconds(products(twin[0], batch)) for _ in range(20))
    speed = {way: batch * n / t for way, t in times.items()}
    without = f"{speed['no cache']:,.0f}" if "no cache" in speed else ""
    cells = [name, batch, n, f"{speed['transformers']:,.0f}", f"{speed['cache']:,.0f}", without]
    shares = [f"{floor * n / times[way]:.0%}" for way in ("transformers", "cache")]
    return " | ".join(map(str, [*cells, f"{speed['cache'] / speed['transformers']:.2f}", *shares, same]))


def _turns(tried: dict[str, Callable[[], object]]) -> list[dict[str, float]]:
    return [{way: seconds(write) for way, write in tried.items()} for _ in range(TURNS)]


def main(names: list[str]) -> None:
    """Print the table."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    versions = f"torch {torch.__version__}, transformers {transformers.__version__}"
    print(runtime.hardware(), versions, "threads", torch.get_num_threads())
    heading = "shape | batch | new tokens | transformers, tokens/s | cache | no cache | cache : transformers"
    print(f"{heading} | products' share: transformers | cache | same tokens")
    for name in names or SHAPES:
        twin = twins(SHAPES[name])
        print(f"{name}: {count_parameters(twin[0]) / 1e6:.1f} million parameters")
        for batch in (1, 8):
            for n in LENGTHS.get(name, (32, 128, 480)):
                print(row(name, batch, n, twin), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
