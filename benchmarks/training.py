"""Training on texts of very different lengths, against passes of a fixed number of instances.

Both train the same small Llama for the same steps on one thread. The floor takes the instances of a
step in order, `--instances` in a pass, padded to the longest of them, with all logits: as training
worked before passes had a budget of tokens, but without a Trainer, checkpoints and states. Ours is
`train_segment`, with its first and last checkpoint and a state; its budget is the number of tokens
of the floor's largest pass. benchmarks/README.md explains the numbers.
"""

import torch
from random_llama import empty_tokenizer, instances, llama, train_bare, train_once
from shared import CLOCKS, fastest, load_before, parser
from transformers import LlamaForCausalLM

from nearfirst.model.template import Tokens
from nearfirst.train import batches
from nearfirst.train.settings import TrainSettings

GOAL = 1.5


def model_of(width: int, layers: int, vocabulary: int) -> LlamaForCausalLM:
    torch.manual_seed(0)
    return llama(
        {
            **{"vocab_size": vocabulary, "hidden_size": width, "intermediate_size": 3 * width},
            **{"num_hidden_layers": layers, "num_attention_heads": width // 64},
            "tie_word_embeddings": True,
        }
    )


if __name__ == "__main__":
    flags = parser(__doc__, 3, "runs, of which the best counts")
    add = flags.add_argument
    add("--steps", type=int, default=12)
    add("--batch-size", type=int, default=16, help="instances of a step")
    add("--instances", type=int, default=8, help="of a pass of the floor")
    add("--max-length", type=int, default=1024, help="tokens kept of an instance")
    add("--width", type=int, default=256, help="of the model")
    add("--layers", type=int, default=6)
    add("--vocabulary", type=int, default=8192)
    arguments = flags.parse_args()
    torch.set_num_threads(1)
    shape = arguments.width, arguments.layers, arguments.vocabulary
    tokens = instances(
        arguments.steps * arguments.batch_size, arguments.vocabulary, arguments.max_length
    )
    size = arguments.batch_size
    in_order = [
        [step[i : i + arguments.instances] for i in range(0, size, arguments.instances)]
        for step in (tokens[i : i + size] for i in range(0, len(tokens), size))
    ]

    def padded(pass_: list[Tokens]) -> int:
        """Return the tokens of a pass, padding included."""
        return len(pass_) * max(len(item.ids) for item in pass_)

    budget = max(padded(pass_) for step in in_order for pass_ in step)
    settings = TrainSettings(
        batch_size=size,
        micro_batch_tokens=budget,
        learning_rate=1e-4,
        checkpoint_every=arguments.steps,
    )

    def ours() -> None:
        steps = batches.run_steps(tokens, settings)
        train_once(model_of(*shape), empty_tokenizer(), steps, settings)

    real = sum(len(item.ids) for item in tokens)
    cuts = [
        [
            [step[i] for i in cut]
            for cut in batches.micro_batches([len(t.ids) for t in step], budget)
        ]
        for step in batches.run_steps(tokens, settings)
    ]
    for name, steps in (("in order", in_order), ("sorted", cuts)):
        passes = [pass_ for step in steps for pass_ in step]
        print(
            f"{name}: {sum(map(padded, passes)) / real:.2f} tokens with padding for a real one, "
            f"{len(passes) / arguments.steps:.1f} passes a step, the largest of "
            f"{max(map(padded, passes)):,} tokens",
            flush=True,
        )
    print(load_before(), flush=True)
    ways = [ours, lambda: train_bare(model_of(*shape), in_order)]
    for clock, mine, bare in zip(CLOCKS, *fastest(ways, arguments.repeats), strict=True):
        print(
            f"training, {real:,} real tokens, {clock}: {real / mine:,.0f} tokens/s   in order "
            f"{real / bare:,.0f}: ratio {bare / mine:.2f}, goal {GOAL}",
            flush=True,
        )
