"""The surrogate objective at all cut points: one cached forward against one forward per cut point.

Variants, all on the same random weights and responses:

* `plain`: one forward with log-probabilities and entropies, what a trainer computes anyway;
* `one pass`: the same forward kept as a cache, plus the packed query pass (all of RePro);
* `query`: the query pass alone, when generation or the old log-probabilities left a cache;
* `loop`: `plain`, whose entropies choose the cut points, and k + 2 forwards over the whole width,
  as the co-author's code does;
* `cut loop`: `plain` and k + 2 forwards, each over the thought of one response up to its cut
  only (`repeat_loop`).

Only the probes' positions are turned into logits in the repeated forwards of both loops.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable

import torch
from timing import interleaved, peak_memory
from transformers import Qwen3Config, Qwen3ForCausalLM

from repro.process_reward import one_pass, repeat_loop
from repro.process_reward.probes import Probe

SHAPES = {
    "narrow": {"hidden_size": 128, "intermediate_size": 384, "num_hidden_layers": 4, "heads": 4},
    "wide": {"hidden_size": 512, "intermediate_size": 1536, "num_hidden_layers": 4, "heads": 8},
    "qwen3-1.7b": {
        "hidden_size": 2048,
        "intermediate_size": 6144,
        "num_hidden_layers": 28,
        "heads": 16,
    },
}
PROMPT = 64
PROBE = 8  # tokens, all scored


def make_model(shape: str, vocabulary: int, dtype: torch.dtype, device: str) -> Qwen3ForCausalLM:
    """Return a randomly initialised Qwen3 model."""
    sizes = dict(SHAPES[shape])
    heads = sizes.pop("heads")
    torch.manual_seed(0)
    config = Qwen3Config(
        **sizes,
        vocab_size=vocabulary,
        num_attention_heads=heads,
        num_key_value_heads=heads // 2,
        head_dim=sizes["hidden_size"] // heads,
        max_position_embeddings=40960,
        tie_word_embeddings=True,
    )
    with torch.device(device):
        return Qwen3ForCausalLM(config).to(dtype).eval()


def make_variants(model, rows: int, length: int, k: int, check: bool) -> dict[str, Callable]:
    """Return the variants for `rows` responses of `length` tokens with k + 2 cut points."""
    device, vocabulary = model.device, model.config.vocab_size
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(vocabulary, (rows, PROMPT + length), generator=generator).to(device)
    mask = torch.ones_like(ids)
    cuts = torch.linspace(0, length, k + 2).long().expand(rows, -1).contiguous().to(device)
    probe = Probe(tuple(torch.randint(vocabulary, (PROBE,)).tolist()), (True,) * PROBE)
    probes = [[probe] * (k + 2)] * rows

    def plain():
        return one_pass.cached_forward(model, ids, mask, PROMPT)

    def whole():
        forward, _, _ = plain()
        return one_pass.surrogate_objective(model, forward, cuts, probes, batch_size=rows)

    @torch.no_grad()
    def loop():
        plain()
        tail = torch.tensor(probe.ids, device=device).expand(rows, -1)
        found = []
        for cut in cuts[0].tolist():
            context = PROMPT + cut
            row = torch.cat([ids[:, :context], tail, ids[:, context:]], dim=1)
            keep = torch.arange(context - 1, context + PROBE - 1, device=device)
            logits = model(input_ids=row, use_cache=False, logits_to_keep=keep).logits
            found.append(logits.float().log_softmax(-1).gather(-1, tail[..., None]).mean(1))
        return torch.cat(found, dim=1)

    def cut_loop():
        plain()
        prompts, completions = ids[:, :PROMPT].tolist(), ids[:, PROMPT:].tolist()
        rows_of_all = zip(prompts, completions, cuts.tolist(), probes, strict=True)
        return [repeat_loop.surrogate_objective(model, *row) for row in rows_of_all]

    kept = []  # made on first use: the other variants' peak memory must not count it

    def query():
        kept[:] = kept or [plain()[0]]
        [forward] = kept
        return one_pass.surrogate_objective(model, forward, cuts, probes, batch_size=rows)

    if check:
        difference = (whole() - loop()).abs().max().item()
        tolerance = 1e-4 if model.dtype == torch.float32 else 0.2
        assert difference < tolerance, f"one pass and loop differ by {difference}"
    return {"plain": plain, "one pass": whole, "query": query, "loop": loop, "cut loop": cut_loop}


def main() -> None:
    """Print a table of medians and ratios, and of peak memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=SHAPES, default="wide")
    parser.add_argument("--vocabulary", type=int, default=8192)
    parser.add_argument("--rows", type=int, default=1)
    parser.add_argument("--lengths", type=int, nargs="+", default=[512, 2048, 8192])
    parser.add_argument("--cuts", type=int, nargs="+", default=[5, 20, 50])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--variants", nargs="+", default=[])
    parser.add_argument("--peak", action="store_true", help="print only the peak memory of one run")
    options = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    model = make_model(options.shape, options.vocabulary, dtype, device)
    if options.peak:
        variants = make_variants(model, options.rows, options.lengths[0], options.cuts[0], False)
        if device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        variants[options.variants[0]]()
        print(f"{peak_memory():.0f}")
        return
    count = sum(p.numel() for p in model.parameters()) / 1e6
    print(
        f"{options.shape}: {count:.1f} M parameters, {dtype}, {device}, rows {options.rows}, "
        f"{torch.get_num_threads()} threads, torch {torch.__version__}"
    )
    ratios = ("loop / one pass", "cut loop / one pass", "one pass / plain")
    names = ("plain", "one pass", "query", "loop", "cut loop")
    print(f"| L | k | {' | '.join((*names, *ratios))} |")
    print("|---" * 10 + "|")
    ratios = []
    for length in options.lengths:
        # All k of a length in one interleaved run, so that their ratios mean something too.
        every = {}
        for k in options.cuts:
            variants = make_variants(model, options.rows, length, k, length <= 2048)
            chosen = options.variants or list(variants)
            every |= {(k, name): variants[name] for name in chosen}
        seconds = interleaved(every, options.repeats)
        for k in options.cuts:
            s = {name: seconds.get((k, name), float("nan")) for name in variants}
            print(
                f"| {length} | {k} | "
                + " | ".join(f"{s[name]:.3f}" for name in s)
                + f" | {s['loop'] / s['one pass']:.1f} | {s['cut loop'] / s['one pass']:.1f}"
                f" | {s['one pass'] / s['plain']:.2f} |",
                flush=True,
            )
        low, high = min(options.cuts), max(options.cuts)
        ratio = seconds[high, "one pass"] / seconds[low, "one pass"]
        ratios.append(f"L = {length}: one pass with k = {high} / k = {low}: {ratio:.2f}")
    print("\n".join(ratios))
    print("| L | k | plain (MiB) | one pass (MiB) | loop (MiB) |\n|---|---|---|---|---|")
    for length in options.lengths:
        peaks = [peak_of(variant, length, options) for variant in ("plain", "one pass", "loop")]
        print(f"| {length} | {max(options.cuts)} | {' | '.join(peaks)} |", flush=True)


def peak_of(variant: str, length: int, options: argparse.Namespace) -> str:
    """Peak memory of one variant, in a process of its own."""
    command = [sys.executable, __file__, "--peak", "--variants", variant, "--lengths", str(length)]
    command += ["--shape", options.shape, "--vocabulary", str(options.vocabulary)]
    command += ["--rows", str(options.rows), "--cuts", str(max(options.cuts))]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
