"""A random model whose samples have paragraphs and end their thought now and then."""

import pytest
import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX

from repro.config.resolved import RunSettings
from repro.config.words import validate
from repro.files import jsonl

SPECIAL = ["<bos>", "<eos>", "<pad>", "<user>", "<assistant>"]
CHARACTERS = "0123456789Ġ+=.,?{}abcdefghijklmnopqrstuvwxyzĊ\\PA"
MERGES = [("Ċ", "Ċ"), (".", "ĊĊ"), *(("\\boxed"[:n], "\\boxed"[n]) for n in range(1, 6))]
MODELS = ("qwen2", "qwen3")
# As DeepSeek's: the template emits BOS, the tokenizer adds one too, and the thought is opened.
TEMPLATE = (
    "<bos>{% for message in messages %}<user>{{ message.content }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant><think>\n{% endif %}"
)


def make_tokenizer() -> PreTrainedTokenizerFast:
    words = [*SPECIAL, *CHARACTERS, *("".join(pair) for pair in MERGES)]
    # Transformers reads the tokenizer of any Qwen2 model as Qwen2's own: byte-level BPE behind this
    # split. Only the bytes that occur are in the vocabulary, so that samples resemble text.
    core = Tokenizer(models.BPE({word: i for i, word in enumerate(words)}, MERGES))
    split = pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), behavior="isolated")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    core.pre_tokenizer = pre_tokenizers.Sequence([split, byte_level])
    core.decoder = decoders.ByteLevel()
    core.post_processor = processors.TemplateProcessing("<bos> $A", special_tokens=[("<bos>", 0)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        additional_special_tokens=["<user>", "<assistant>"],
    )
    tokenizer.add_tokens(["<think>", "</think>"])
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def make_model(kind: str, vocabulary: int, **sizes):
    torch.manual_seed(0)
    chosen = {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
        "max_position_embeddings": 256,
        "initializer_range": 0.3,  # predictions far from uniform: entropies and J then differ
        "eos_token_id": 1,
        "pad_token_id": 2,
        **sizes,
    }
    config = AutoConfig.for_model(kind, vocab_size=vocabulary, **chosen)
    return AutoModelForCausalLM.from_config(config)


@pytest.fixture(scope="session")
def backbones(tmp_path_factory):
    """Model directories by architecture."""
    tokenizer, folders = make_tokenizer(), {}
    for kind in MODELS:
        folders[kind] = tmp_path_factory.mktemp(kind)
        make_model(kind, len(tokenizer) + 2).save_pretrained(folders[kind])
        tokenizer.save_pretrained(folders[kind])
    return folders


@pytest.fixture(scope="session")
def train_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "train.jsonl"
    rows = [{"problem": f"{i} + {i}", "solution": "", "answer": str(2 * i)} for i in range(7)]
    jsonl.write(path, rows)
    return path


def make_settings(algorithm: str = "grpo", **training) -> dict:
    """Six steps of an algorithm + RePro: 2 prompts with 4 rollouts each."""
    if algorithm == "ppo":
        critic = {"learning_rate": 1e-3, "warmup_steps": 2, "value_clip": 0.5}
        training = {"lam": 0.95, "critic": critic, **training}
    return {
        "backbone": "random",
        "backbone_settings": {"source": "directory", "path": "random"},
        "method": f"{algorithm}+repro",
        "algorithm": algorithm,
        "seed": 0,
        "training": {
            "steps": 6,
            "prompts_per_step": 2,
            "num_generations": 4,
            "learning_rate": 1e-3,
            "warmup_steps": 2,
            "max_prompt_tokens": 120,
            "max_completion_tokens": 24,
            "micro_batch_size": 4,
            "save_every": 2,
            "gradient_checkpointing": False,
            "dtype": "float32",
            **training,
        },
        "process_reward": {"alpha": 0.1, "k": 3},
    }


def run_of(settings: dict) -> RunSettings:
    """Return settings as the commands read them."""
    return validate(settings, RunSettings)


@pytest.fixture
def settings():
    return make_settings()


def make_trainer(cls, paths, settings, *, dtype=torch.float32, options=None, dataset=None, **own):
    """Return a trainer of a class on a model; `options` are set over those of TRL's arguments."""
    from repro.training import train

    folder, train_file, work_dir = paths
    run, tokenizer = run_of(settings), AutoTokenizer.from_pretrained(folder)
    args = train.trainer_arguments(run, work_dir)
    for name, value in (options or {}).items():
        setattr(args, name, value)
    return cls(
        model=AutoModelForCausalLM.from_pretrained(folder, dtype=dtype),
        processing_class=tokenizer,
        reward_funcs=train.correctness_reward(tokenizer),
        args=args,
        train_dataset=dataset or train.load_prompts(train_file, tokenizer, run),
        **own,
    )


@pytest.fixture
def build(settings, backbones, train_file, tmp_path):
    """Return a function that makes a trainer, ours or TRL's, ready for a rollout or a loss."""
    from trl import GRPOTrainer

    from repro.training.trainer import ReProTrainer

    def build(kind="qwen3", *, stock=False, **given):
        paths = backbones[kind], train_file, tmp_path
        trainer = make_trainer(GRPOTrainer if stock else ReProTrainer, paths, settings, **given)
        trainer.model.train()
        trainer.current_gradient_accumulation_steps = trainer.args.gradient_accumulation_steps
        return trainer

    return build


def even_length(responses: list[str], answers: list[str]) -> list[float]:
    """A stand-in for correctness that random samples meet half of the time."""
    return [float(len(response) % 2 == 0) for response in responses]


@pytest.fixture(autouse=True)
def reward(monkeypatch):
    from repro.training import train

    monkeypatch.setattr(train, "correctness", even_length)


@pytest.fixture(scope="session")
def finished(backbones, train_file, tmp_path_factory):
    """Return the folder of an uninterrupted run, with all that a checkpoint must hold.

    PPO has a critic, and two of its updates share a rollout.
    """
    from repro.training import train

    folder = tmp_path_factory.mktemp("finished")
    settings = make_settings("ppo", updates_per_generation=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "correctness", even_length)
        paths = (backbones["qwen3"], train_file, folder / "work", folder / "out")
        train.train_run(run_of(settings), *paths)
    jsonl.write_json(folder / "settings.json", settings)
    return folder
