"""Every field from TOML and as a flag; wrong ones are refused with the nearest name."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

import pytest

from coursekit.text_rnn import settings
from coursekit.text_rnn.cli import main, parse
from coursekit.text_rnn.settings import UsageError
from seqmodels.text_rnn import TRNNConfig

OTHER = {
    "embedding_dim": 5, "seq_length": 9, "num_classes": 3, "vocab_size": 20, "num_layers": 1,
    "hidden_dim": 4, "rnn": "lstm", "dropout_keep_prob": 0.5, "learning_rate": 0.02,
    "batch_size": 30, "num_epochs": 1, "print_per_batch": 2, "save_per_batch": 3,
    "bidirectional": False, "pooling": "max", "pad_side": "before", "truncate_side": "before",
    "packed": True, "hidden_layer": 3, "clip_norm": 1.5, "patience": 1, "seed": 4,
}  # fmt: skip


def as_flags(values: dict) -> list[str]:
    found = []
    for name, value in values.items():
        flag = settings.flag(name)
        if isinstance(value, bool):
            found.append(flag if value else flag.replace("--", "--no-"))
        else:
            found += [flag, str(value)]
    return found


def test_no_field_is_forgotten_and_each_differs_from_its_default() -> None:
    fields = dataclasses.fields(TRNNConfig)
    assert set(OTHER) == {f.name for f in fields} == set(settings.fields()) == set(settings.ABOUT)
    assert all(OTHER[f.name] != f.default or f.name == "num_classes" for f in fields)


@pytest.mark.parametrize("name", OTHER)
def test_each_field_is_read_from_toml_and_from_its_flag(name: str, tmp_path: Path) -> None:
    wanted = TRNNConfig(**{**settings.OURS, name: OTHER[name]})
    args = parse(["train", *as_flags({name: OTHER[name]})])
    assert settings.make({name: getattr(args, name)}) == wanted
    path = tmp_path / "c.toml"
    path.write_text(settings.to_toml(wanted, "what it is"))
    assert settings.make(settings.read_toml(path)) == wanted
    assert tomllib.loads(path.read_text())[name] == OTHER[name]


def test_a_run_uses_toml_and_flags_flags_first(headlines: Path, capsys) -> None:
    flags = {k: OTHER[k] for k in ("hidden_dim", "batch_size", "rnn", "packed", "seed")}
    toml = {k: v for k, v in OTHER.items() if k not in flags} | {"hidden_dim": 99}
    Path("c.toml").write_text(settings.to_toml(TRNNConfig(**toml), "x"))
    call = ["train", "--data", str(headlines), "--config", "c.toml", "--run", "r"]
    assert main([*call, *as_flags(flags), "--no-baseline"]) == 0
    written = tomllib.loads(Path("r/config.toml").read_text())
    assert written == {**OTHER}
    assert TRNNConfig(**written) == TRNNConfig(**OTHER)


@pytest.mark.parametrize(
    "pooling", ["last-position", "last-token", "ends", "mean-all", "attention"]
)
def test_each_pooling_trains(pooling: str, headlines: Path, tiny) -> None:
    status, out, _ = tiny("--data", headlines, "--pooling", pooling, "--seq-length", 12)
    assert status == 0 and f"pooling {pooling}" in out


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("hiden_dim = 3", "no field is called 'hiden_dim'; did you mean hidden_dim?"),
        ("zzz = 3", "there are embedding_dim"),
        ("hidden_dim = 'x'", "hidden_dim must be a whole number; got 'x'"),
        ("hidden_dim = true", "hidden_dim must be a whole number; got True"),
        ("hidden_dim = 3.5", "hidden_dim must be a whole number"),
        ("packed = 1", "packed must be true or false"),
        ("rnn = 3", "rnn must be a string"),
        ("rnn = 'elman'", "the configuration: rnn must be one of"),
        ("hidden_dim = 0", "the configuration: hidden_dim must be 1 or more"),
        ("learning_rate = nan", "the configuration: learning_rate must be a number"),
        ("[model]\nhidden_dim = 3", "no field is called 'model'"),
        ("hidden_dim = ", "is no TOML file"),
        ("\ufffe\0", "is no TOML file"),
        ("a=" + "[" * 1200, "is no TOML file"),
        ("#" * (2**20 + 1), "longer than"),
    ],
)
def test_wrong_configurations_are_one_line(content, words, headlines, capsys) -> None:
    Path("c.toml").write_text(content, encoding="utf-8")
    assert main(["train", "--data", str(headlines), "--config", "c.toml"]) == 2
    err = capsys.readouterr().err.splitlines()
    assert words in err[-1] and err[-1].startswith("text-rnn: ") and len(err[-1]) < 500
    assert not Path("runs").exists()


def test_a_configuration_that_is_not_there(headlines: Path, capsys) -> None:
    for name in ("none.toml", "."):
        assert main(["train", "--data", str(headlines), "--config", name]) == 2
        assert "cannot be read" in capsys.readouterr().err
    Path("c.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="no TOML"):
        settings.read_toml(Path("c.toml"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["train", "--hiden-dim", "64"],
            "unknown argument --hiden-dim; did you mean --hidden-dim?",
        ),
        (["train", "--hidden_dim=64"], "did you mean --hidden-dim?"),
        (["train", "--hidden-dim", "x"], "invalid int value: 'x'"),
        (["train", "--seeds", "0"], "must be a whole number from 1; got '0'"),
        (["train", "--unit", "letter"], "invalid choice: 'letter'"),
        (["trian"], "invalid choice: 'trian'"),
        ([], "required: COMMAND"),
        (["predict", "--top", "-3"], "--top"),
    ],
)
def test_wrong_calls_end_with_status_2(arguments, words, capsys) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2 and words in capsys.readouterr().err


def test_num_classes_must_be_what_the_data_have(headlines: Path, tiny) -> None:
    status, _, err = tiny("--data", headlines, "--num-classes", 10)
    assert status == 2 and "num_classes is 10, but the data have 3 labels; leave it out" in err
    assert tiny("--data", headlines, "--num-classes", 3)[0] == 0


def test_help_has_examples_for_each_command(capsys) -> None:
    for command in ("train", "evaluate", "predict"):
        with pytest.raises(SystemExit) as end:
            main([command, "--help"])
        out = capsys.readouterr().out
        assert end.value.code == 0 and "examples:" in out and f"text-rnn {command}" in out
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "evaluate" in capsys.readouterr().out


def test_a_device_that_is_not_there(headlines: Path, tiny) -> None:
    status, _, err = tiny("--data", headlines, "--device", "cuda:99")
    assert status == 2 and "cannot be used here" in err
    status, _, err = tiny("--data", headlines, "--device", "toaster")
    assert status == 2 and "toaster" in err


def test_a_model_beyond_all_memory_is_one_line(headlines: Path, tiny) -> None:
    status, _, err = tiny("--data", headlines, "--hidden-dim", 10**8)
    assert status == 1 and "out of memory" in err and len(err.splitlines()[-1]) < 300
