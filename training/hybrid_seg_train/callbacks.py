"""What happens beside a training's iterations: the curve, the time left, measurements on validation data."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import hybrid_seg_train._torchvision  # noqa: F401  (must come before lightning)
from hybrid_seg_train.layout import BEST, VALIDATION

from lightning.pytorch import Callback, LightningModule, Trainer  # isort: skip
from lightning.pytorch.utilities.types import STEP_OUTPUT  # isort: skip


def forget_after(path: Path, iteration: int) -> None:
    """Drop the lines of a JSON-lines file that are of later iterations: a killed training repeats those."""
    if path.is_file():
        lines = path.read_text().splitlines(keepends=True)
        kept = [line for line in lines if line.endswith("\n") and json.loads(line)["iteration"] <= iteration]
        if kept != lines:
            path.write_text("".join(kept))


class CurveWriter(Callback):
    """Appends one JSON line per `every` iterations to a file: iteration, learning rate, all logged figures."""

    def __init__(self, path: Path, every: int) -> None:
        self.path, self.every = path, every

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Go on where the checkpoint ends, not where the killed training got to."""
        if trainer.is_global_zero:
            forget_after(self.path, trainer.global_step)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: STEP_OUTPUT, batch: object, batch_idx: int
    ) -> None:
        """Write the line of the iteration that just ended."""
        if trainer.global_step % self.every or not trainer.is_global_zero:
            return
        figures = {k: round(float(v), 5) for k, v in trainer.callback_metrics.items() if "/" in k}
        line = {"iteration": trainer.global_step, "lr": trainer.optimizers[0].param_groups[0]["lr"], **figures}
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")


class TimeLeft(Callback):
    """Keeps the pace of the iterations, and shows on the progress bar how many minutes are left."""

    def __init__(self, iterations: int) -> None:
        self.iterations = iterations
        self.seconds_per_iteration: float | None = None
        self._last: float | None = None
        self._timed = 0

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: STEP_OUTPUT, batch: object, batch_idx: int
    ) -> None:
        """Take the time since the iteration before; the first one, which also starts everything, does not count."""
        now = time.perf_counter()
        if self._last is not None:
            self._timed += 1
            pace = self.seconds_per_iteration or 0.0
            # The mean at first, later one that forgets.
            self.seconds_per_iteration = pace + (now - self._last - pace) * max(1 / self._timed, 0.05)
            left = (self.iterations - trainer.global_step) * self.seconds_per_iteration / 60
            pl_module.log("minutes left", round(left, 1), prog_bar=True, logger=False)
        self._last = now


class Validation(Callback):
    """Measures the network every few iterations, keeps the figures in a file and the best checkpoint beside it.

    Every process measures for itself, with the same result, so that all of them save together.
    """

    def __init__(
        self, measure: Callable[[LightningModule], Mapping[str, float]], every: int, run: Path, key: str
    ) -> None:
        """Measure every `every` iterations; the checkpoint with the highest figure `key` is the best."""
        self.measure, self.every, self.run, self.key = measure, every, run, key
        self.highest = float("-inf")

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """As the curve's."""
        if trainer.is_global_zero:
            forget_after(self.run / VALIDATION, trainer.global_step)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: STEP_OUTPUT, batch: object, batch_idx: int
    ) -> None:
        """Measure where it is time."""
        if trainer.global_step % self.every:
            return
        pl_module.eval()
        figures = self.measure(pl_module)
        pl_module.train()
        for name, value in figures.items():
            pl_module.log(name, value, prog_bar=name == self.key)
        if trainer.is_global_zero:
            with (self.run / VALIDATION).open("a") as file:
                file.write(json.dumps({"iteration": trainer.global_step, **figures}) + "\n")
        if figures[self.key] > self.highest:
            self.highest = figures[self.key]
            trainer.save_checkpoint(self.run / BEST, weights_only=False)

    def state_dict(self) -> dict[str, float]:
        """The best figure so far, so that a resumed training does not overwrite a better checkpoint."""
        return {"highest": self.highest}

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        """Go on from `state_dict`."""
        self.highest = state_dict["highest"]
