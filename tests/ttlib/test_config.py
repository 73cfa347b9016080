"""Settings: every value is checked, every name on the command line too."""

import dataclasses
import json

import pytest

from ttlib.errors import InputError
from ttlib.presets import PRESETS, TranslationRun, translate_ru_en, translate_tiny
from ttlib.train.config import TrainConfig, from_dict, override

WRONG = {
    "steps": (0, "a positive number"),
    "max_tokens": (-1, "a positive number"),
    "accumulate": (0, "a positive number"),
    "log_every": (0, "a positive number"),
    "save_every": (0, "a positive number"),
    "lr": (0.0, "a positive number"),
    "clip": (0.0, "a positive number"),
    "warmup": (-1, "0 or more steps"),
    "smoothing": (1.0, "0 or more, below 1"),
    "average": (1.0, "0 or more, below 1"),
    "beta2": (1.0, "0 or more, below 1"),
    "lr_end": (1.5, "0 to 1, a share of the peak"),
    "schedule": ("flat", "cosine or inverse_sqrt"),
    "dtype": ("float16", "one of auto, float32, bfloat16"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_named(name: str) -> None:
    value, needed = WRONG[name]
    with pytest.raises(InputError) as caught:
        TrainConfig(**{name: value})
    assert str(caught.value) == f"{name}: got {value!r}, need {needed}"


def test_not_a_number_is_no_rate() -> None:
    with pytest.raises(InputError, match="lr: got nan, need a positive number"):
        override(TrainConfig(), ["lr=nan"])


def test_override_changes_a_copy() -> None:
    run = translate_tiny()
    settings = ["train.steps=200", "model.d_ff=96", "data.editions=basic,world", "train.compile=true", "train.lr=1e-4"]
    changed = override(run, settings)
    assert (changed.train.steps, changed.model.d_ff, changed.data.editions) == (200, 96, "basic,world")
    assert (changed.train.compile, changed.train.lr) == (True, 1e-4)
    assert run == translate_tiny()
    assert dataclasses.replace(changed.train, steps=500, compile=False, lr=3e-3) == run.train
    assert override(run, []) == run
    assert override(run, ["train.steps=1", "train.steps=2"]).train.steps == 2


MESSAGES = {
    "train.steps": "setting: got 'train.steps', need name=value, such as train.steps=200",
    "train.stepz=3": "setting train.stepz: 'stepz' is unknown; did you mean 'steps'?",
    "trian.steps=3": "setting trian.steps: 'trian' is unknown; did you mean 'train'?",
    "q=3": "setting q: 'q' is unknown; known here: data, model, train",
    "train.steps.more=3": "setting train.steps.more: 'more' is unknown; known here: nothing",
    "train.steps=many": "setting train.steps: got 'many', need int",
    "train.steps=2.5": "setting train.steps: got '2.5', need int",
    "train.lr=fast": "setting train.lr: got 'fast', need float",
    "train.compile=yes": "setting train.compile: got 'yes', need true or false",
    "train=3": "setting train: got '3', need one of its fields, such as train.NAME=value",
    "model.n_heads=5": "n_heads: got 5, need a divisor of d_model=128",
    "data.editions=welsh": "editions: got 'welsh', need synodal, basic, world, king_james, segond, elberfelder or modern",  # noqa: E501
    "data.editions=modern": "editions: got 'modern', need an edition of the Bible first",
}


@pytest.mark.parametrize("setting", MESSAGES)
def test_a_wrong_setting_is_explained(setting: str) -> None:
    with pytest.raises(InputError) as caught:
        override(translate_tiny(), [setting])
    assert str(caught.value) == MESSAGES[setting]


def test_presets_are_whole_and_can_be_built_again_from_plain_values() -> None:
    for preset in PRESETS.values():
        run = preset()
        assert from_dict(type(run), json.loads(json.dumps(dataclasses.asdict(run)))) == run
    assert translate_tiny().model.d_model < translate_ru_en().model.d_model


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"train": {"stepz": 3}}, r"config: not one of TrainConfig: .*unexpected keyword argument 'stepz'"),
        ({"data": {}, "model": {}}, r"config: not one of Seq2SeqConfig: missing .*required"),
        ({"data": {}}, r"config: not one of TranslationRun: missing .*required"),
        ({"train": {"steps": 0}}, "steps: got 0, need a positive number"),
    ],
)
def test_plain_values_that_make_no_configuration(content: dict[str, dict[str, int]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_dict(TranslationRun, content)
