"""The shipped translator and language model, the command line from end to end, and several processes."""

import bz2
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from ttlib.data.shakespeare import split_works
from ttlib.data.translation import TranslationData, load_split
from ttlib.errors import DataError
from ttlib.generate.likelihood import score_texts
from ttlib.generate.sample import Sampler
from ttlib.generate.score import score
from ttlib.models.count import count_parameters
from ttlib.models.gpt import GPTConfig
from ttlib.pretrained.shipped import SHIPPED, load_gpt, load_translator, read_provenance
from ttlib.text.lexicon import learn_lexicon, word_for_word

ROOT = Path(__file__).parent.parent.parent
FOLDER = SHIPPED / "translate_ru_en"
# Every fifth test verse, greedily: 21.9 was measured. Raise it with a better checkpoint.
BLEU_AT_LEAST = 21.0
AHEAD_OF_BASELINES = 8
SMALL = ["model.d_model=32", "model.d_ff=32", "model.src_vocab_size=600", "model.tgt_vocab_size=500"]
SMALL += ["train.max_tokens=300", "train.log_every=1", "train.warmup=2"]


def test_the_file_is_small_and_in_bfloat16() -> None:
    assert (FOLDER / "model.safetensors").stat().st_size <= 16_000_000
    with safe_open(FOLDER / "model.safetensors", "pt") as file:
        names = list(file.keys())
        assert {file.get_tensor(name).dtype for name in names} == {torch.bfloat16}


def test_provenance_says_what_made_it() -> None:
    record = read_provenance()
    for key in ("command", "steps", "hardware", "torch", "python", "ttlib", "minutes", "data", "model", "train"):
        assert record[key], key


def test_it_translates() -> None:
    translator = load_translator()
    assert 7e6 < count_parameters(translator.model) < 8e6
    source = ["И сказал Бог: да будет свет.", "Иисус сказал им в ответ: идите в дом."]
    (genesis,) = translator.translate(["В начале сотворил Бог небо и землю."])
    assert "God" in genesis
    assert "heaven" in genesis
    first, second = translator.translate(source)
    assert first.startswith("And God said, Let")
    assert "light" in first
    assert "Jesus" in second
    assert translator.translate(source[::-1]) == [second, first]
    assert translator.translate(source[:1], beam=1) == translator.translate(source, beam=1)[:1]


@pytest.mark.slow
def test_it_is_far_better_than_the_baselines() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    split = load_split(TranslationData())
    test = split.test[::5]  # 206 verses of all held-out chapters
    sources, references = [p.src for p in test], [p.tgt for p in test]
    vectoriser = TfidfVectorizer().fit(p.src for p in split.train)
    similarity = vectoriser.transform(sources) @ vectoriser.transform([p.src for p in split.train]).T
    looked_up = [split.train[int(row.argmax())].tgt for row in similarity]
    lexicon = learn_lexicon([(p.src, p.tgt) for p in split.train[::4]])
    systems = [load_translator().translate(sources, beam=1), looked_up, [word_for_word(s, lexicon) for s in sources]]
    model, copied, words = (score(hypotheses, references, 10)[0].value for hypotheses in systems)
    assert model > BLEU_AT_LEAST
    assert model > copied + AHEAD_OF_BASELINES
    assert model > words + AHEAD_OF_BASELINES


@pytest.mark.parametrize("config", [{}, {"model": {"d_modle": 3}}])
def test_a_folder_with_another_config_is_refused(config: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(DataError, match=r"config\.json describes no model of ours"):
        load_translator(tmp_path)


def ttlib(*words: str, launcher: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *launcher, "-m", "ttlib", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.mark.slow
def test_train_resume_export_score(tmp_path: Path) -> None:
    run, shipped = tmp_path / "a", tmp_path / "shipped"
    done = ttlib("train", "translate_tiny", *SMALL, "train.steps=3", "--out", str(run))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("training: 3/3")
    assert json.loads(done.stdout.splitlines()[-1])["step"] == 3
    assert ttlib("train", "translate_tiny", "--out", str(run)).returncode == 2
    done = ttlib("train", "--resume", str(run), "train.steps=4")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["step"] == 4
    assert "--resume train.steps=4" in json.loads((run / "run.json").read_text())["command"]
    assert ttlib("export", str(run), str(shipped), "minutes=1").returncode == 0
    assert read_provenance(shipped)["steps"] == 4
    done = ttlib("score", str(shipped), "--limit", "4", "--beam", "1")
    assert done.stdout.startswith("BLEU "), done.stderr


@pytest.mark.slow
def test_two_processes_train(tmp_path: Path) -> None:
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    done = ttlib("train", "translate_tiny", *SMALL, "train.steps=3", "--out", str(tmp_path / "a"), launcher=launcher)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("training: 3/3") == 1
    assert (tmp_path / "a" / "checkpoint" / "model.safetensors").is_file()


GPT_FOLDER = SHIPPED / "gpt_shakespeare"
# The first 8,000 characters of each play held out for the test, lists of persons included: 2.32 was measured. Lower it
# with a better checkpoint.
BITS_AT_MOST = 2.36


def test_the_language_model_is_small_and_in_bfloat16() -> None:
    assert sum(path.stat().st_size for path in GPT_FOLDER.iterdir()) <= 16_000_000
    with safe_open(GPT_FOLDER / "model.safetensors", "pt") as file:
        names = list(file.keys())
        assert {file.get_tensor(name).dtype for name in names} == {torch.bfloat16}
    record = read_provenance(GPT_FOLDER)
    for key in ("command", "steps", "hardware", "torch", "python", "ttlib", "minutes", "data", "model", "train"):
        assert record[key], key
    assert GPTConfig(**record["model"]) == load_gpt().model.config


def test_the_language_model_writes_a_play() -> None:
    writer = load_gpt()
    text = writer.write("ROMEO.\n", 150, Sampler(0.8, generator=torch.Generator().manual_seed(1)))
    lines = text.split("\n")
    assert len(lines) > 5
    assert any(line.isupper() for line in lines)  # somebody else speaks
    again = Sampler(0.8, generator=torch.Generator().manual_seed(1))
    assert "".join(writer.stream("ROMEO.\n", 150, again)) == text


def test_the_language_model_predicts_plays_that_it_has_never_read() -> None:
    writer, works = load_gpt(), split_works()
    assert list(works.test) == ["Macbeth", "The Tempest"]
    texts = [text[:8000] for text in works.test.values()]
    found = score_texts(writer.model, writer.tokeniser, texts)
    packed = len(bz2.compress("".join(texts).encode())) * 8 / found.n_bytes
    assert found.bits_per_byte < BITS_AT_MOST < packed - 0.5
    read = score_texts(writer.model, writer.tokeniser, [text[:8000] for text in list(works.train.values())[:2]])
    assert read.bits_per_byte < found.bits_per_byte
