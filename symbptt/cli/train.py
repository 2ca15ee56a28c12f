"""The command that trains a network on a text with the generated function."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from .app import app
from .arguments import Whole, build, language_option, located, model_options, source_argument
from .console import emit, tell, whole_file

SAMPLE = 200
"""How many characters the trained network writes."""


@app.command()
@source_argument
@language_option
@click.option("--passes", type=Whole(), metavar="N", help="How many passes over the text are made.")
@click.option("--seed", type=Whole(0), metavar="S", help="Of the initial weights.")
@click.option("-o", "--output", metavar="FILE.npz", type=click.Path(readable=False), help="Write the parameters.")
@model_options
def train(source: str, lang: str, passes: int | None, seed: int | None, output: str | None, **sizes: Any) -> None:
    """Train a network on the text of its model file.

    Every gradient comes from the generated function. One line for some of the passes, then what the network writes.

    \b
    Examples:
      symbptt train char-rnn
      symbptt train char-rnn --passes 20 --seed 1 -o params.npz
    """
    from ..render.training import pass_line, sample_line
    from ..training import Trainer, training_of

    with located(source):
        settings: dict[str, Any] = {k: v for k, v in {"passes": passes, "seed": seed}.items() if v is not None}
        training = replace(training_of(source), **settings)
        trainer = Trainer(build(source, **sizes), training)
    last = None
    for last in trainer.passes():
        if last.number == training.passes or str(last.number).rstrip("0") in ("1", "2", "5"):
            emit(pass_line(lang, last.number, last.loss))
    if last is None:
        return
    emit(f"\n{sample_line(lang)}\n{trainer.sample(last.params, SAMPLE)}")
    if output is not None:
        import numpy as np

        with whole_file(Path(output)) as temporary, temporary.open("wb") as file:
            np.savez(file, **last.params)
        tell(f"wrote {output}")
