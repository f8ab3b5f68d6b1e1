"""The training loop of both stages (paper, eq. 1 and 2), on Lightning Fabric."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from monet_core.errors import NotEnoughMemoryError, TrainingError
from monet_core.jobs import (
    Cancel,
    CancelledError,
    Message,
    Metrics,
    Phase,
    Progress,
    Reporter,
    Result,
)
from monet_core.losses import JointLoss, Target
from monet_core.networks import MONet
from monet_core.segmenting import resolve_precision
from monet_core.training.averaging import learning_rate, start_average, update_average
from monet_core.training.batches import Batch, Schedule, StepSampler, batches
from monet_core.training.checkpoints import (
    TrainingState,
    load_checkpoint,
    restore,
    save_checkpoint,
)
from monet_core.training.config import RunConfig
from monet_core.training.patches import PatchDataset
from monet_core.training.previews import Previews
from monet_core.training.records import Records
from monet_core.training.settings import TrainingSettings
from monet_core.training.subjects import TrainingData
from monet_core.training.team import Team
from monet_core.training.validation import ScanDice, mean_dice, region_means, validate

log = logging.getLogger(__name__)

Keep = Callable[[MONet, dict[str, float]], None]
"""Called with the network whose weights are to be kept as the run's model, and its scores."""


class Trainer:
    """Trains `network` on `data`, from the folder's checkpoint where there is one.

    Every process of `team` has a trainer of its own: they take the same steps, each on its share
    of a step's patches, and keep the same weights and state; the main one writes.
    """

    def __init__(
        self,
        team: Team,
        config: RunConfig,
        data: TrainingData,
        network: MONet,
        folder: Path,
        keep: Keep,
        report: Reporter,
        cancel: Cancel,
        previews: Previews | None = None,
    ) -> None:
        self._previews = previews
        settings, fabric = config.settings, team.fabric
        self._team, self._fabric, self._settings, self._data = team, fabric, settings, data
        self._folder, self._keep, self._report, self._cancel = folder, keep, report, cancel
        self._network = network
        self._raw_optimizer = _optimizer(network, settings)
        self._model, self._optimizer = fabric.setup(network, self._raw_optimizer)
        self._average = start_average(network) if settings.ema_decay else None
        self._loss = JointLoss(settings.loss)
        self._dataset = PatchDataset(
            data.train,
            patch=settings.patch,
            patches_per_subject=settings.patches_per_scan,
            augmentation=settings.augmentation,
            swaps=data.swaps,
            seed=settings.seed,
            foreground_share=settings.foreground_share,
        )
        self._schedule = Schedule(len(self._dataset), config.step_patches, team.size)
        self._total = settings.epochs * self._schedule.steps_per_epoch
        self.state = TrainingState()
        self.stopped = False

    def run(self) -> TrainingState:
        """Train to the last epoch. Cancelling saves a checkpoint first and raises CancelledError.

        Where the cancel token asks to stop and keep, the training ends there with a model and a
        checkpoint to go on from, and `stopped` is true.
        Raises TrainingError where a loss is not finite (the last checkpoint stays good) and
        NotEnoughMemoryError where the patch does not fit.
        """
        with _determinism(self._settings.deterministic):
            self._resume()
            if self.state.finished:
                return self.state
            records = self._records() if self._team.main else None
            try:
                self._loop(records)
            except CancelledError:
                self._save()
                raise
            finally:
                if records:
                    records.close()
        return self.state

    def _resume(self) -> None:
        found = self._team.together(lambda: load_checkpoint(self._folder, self._report))
        if len(set(self._team.gather(found and found[0].step))) > 1:
            raise TrainingError(
                "folder-not-shared",
                "not all processes see the same checkpoint",
                remedy="Give --out a folder that all machines share.",
                file=self._folder,
            )
        if found is None:
            return
        self.state, tensors = found
        restore(tensors, self._network, self._raw_optimizer, self._average)
        self._report(Message(f"Resumed at step {self.state.step} of {self._total}"))

    @property
    def _epoch_open(self) -> bool:
        """Whether an epoch's steps are done but not yet its validation and its records."""
        done = self.state.step % self._schedule.steps_per_epoch == 0
        return done and self.state.loss_steps > 0

    def _records(self) -> Records:
        return Records(self._folder, self.state.step - int(self._epoch_open))

    def _loop(self, records: Records | None) -> None:
        if self._epoch_open:  # cancelled while validating
            self._end_epoch(records)
        upcoming = iter(self._loader())
        first, started = self.state.step, time.monotonic()
        saved, paused = started, self._cancel.paused_s
        self._announce()
        while (parts := self._next(upcoming)) is not None:
            if any(self._team.gather(self._cancel.stop_asked)):
                self._stop()
                return
            self._add_losses(self._step(parts))
            step, now = self.state.step, time.monotonic()
            worked = now - started - (self._cancel.paused_s - paused)
            remaining = worked / (step - first) * (self._total - step)
            self._report(Progress(step, self._total, remaining, self._latest_text()))
            if self._epoch_open:
                self._end_epoch(records)
                saved = time.monotonic()
                self._announce()
            elif now - saved > 60 * self._settings.checkpoint_minutes:
                self._save()
                saved = time.monotonic()

    def _loader(self) -> Iterable[list[Batch]]:
        settings = self._settings
        return batches(
            self._dataset,
            StepSampler(self._schedule, self.state.step, self._total, self._team.rank),
            self._data.unannotated,
            settings.workers,
            pin=self._fabric.device.type == "cuda",
            most=settings.batch,
        )

    def _next(self, upcoming: Iterator[list[Batch]]) -> list[Batch] | None:
        """This process's share of the next step, None after the last; all stop where one does."""

        def read() -> list[Batch] | None:
            parts = next(upcoming, None)
            if parts is not None:
                self._cancel.check()
            return parts

        return self._team.together(read)

    def _stop(self) -> None:
        """Leave a model and a checkpoint. Raises CancelledError where nothing was learnt yet."""
        if self.state.step == 0:
            raise CancelledError
        # Below 0: no validation yet, or nothing to validate on.
        if self.state.best_dice < 0:
            with _averaged(self._network, self._average):
                self._team.on_main(lambda: self._keep(self._network, {}))
        self._save()
        self.stopped = True

    def _announce(self) -> None:
        epoch = self.state.step // self._schedule.steps_per_epoch
        if epoch < self._settings.epochs:
            self._report(Phase(f"Epoch {epoch + 1} of {self._settings.epochs}"))

    def _step(self, parts: list[Batch]) -> dict[str, float]:
        """One optimiser step on this process's batches; returns the losses of all."""
        rate = learning_rate(self._settings, self.state.step, self._total)
        for group in self._raw_optimizer.param_groups:
            group["lr"] = rate
        self._model.train()
        self._optimizer.zero_grad(set_to_none=True)
        with _memory_errors(self._settings):
            losses = [self._backward(part, part is parts[-1]) for part in parts]
        shared = self._shared(parts, losses)
        if self._settings.clip_norm:
            self._fabric.clip_gradients(
                self._model, self._optimizer, max_norm=self._settings.clip_norm
            )
        self._optimizer.step()
        if self._average is not None and self._settings.ema_decay:
            update_average(self._average, self._network, self._settings.ema_decay, self.state.step)
        self.state.step += 1
        return shared

    def _backward(self, batch: Batch, last: bool) -> dict[str, float]:
        """The gradients of one batch, added to those before; after the `last` they become the
        mean over all processes' patches. Returns the batch's losses."""
        with self._fabric.no_backward_sync(self._model, enabled=not last):
            outputs = self._model(self._fabric.to_device(batch.image))
            total, each = self._loss(outputs, self._targets(batch), self.state.step)
            # The processes' gradients are averaged, whatever their number of patches.
            self._fabric.backward(total * (self._share(batch) * self._team.size))
        values = {"loss": total, **{f"loss/{name}": part for name, part in each.items()}}
        return {name: float(value.detach()) for name, value in values.items()}

    def _share(self, batch: Batch) -> float:
        return len(batch.names) / self._schedule.batch

    def _shared(self, parts: list[Batch], losses: list[dict[str, float]]) -> dict[str, float]:
        """The step's losses over all processes. Raises TrainingError where one is not finite,
        before any weight has changed."""
        own = [
            (part.names, {name: value * self._share(part) for name, value in each.items()})
            for part, each in zip(parts, losses, strict=True)
        ]
        every = [pair for pairs in self._team.gather(own) for pair in pairs]
        broken = {
            name for names, each in every if not math.isfinite(each["loss"]) for name in names
        }
        total = {name: sum(each[name] for _, each in every) for name in losses[0]}
        if broken:
            raise TrainingError(
                "loss-not-finite",
                f"the loss became {total['loss']} at step {self.state.step + 1} on "
                + " and ".join(sorted(broken)),
                remedy="Look at that scan, or lower the learning rate; --resume goes on from the "
                "last good checkpoint.",
                file=self._folder,
            )
        return total

    def _targets(self, batch: Batch) -> dict[str, Target]:
        """Every decoder's target. One that knows more than the annotation gets the annotation
        that there is, with the grouping of its classes (marginal loss)."""
        targets = {}
        for decoder in self._data.protocols:
            classes = batch.targets.get(decoder, next(iter(batch.targets.values())))
            group = self._data.group(decoder, batch.targets, batch.unannotated)
            targets[decoder] = Target(
                self._fabric.to_device(classes),
                None if group is None else torch.as_tensor(group),
            )
        return targets

    def _add_losses(self, losses: dict[str, float]) -> None:
        for name, value in losses.items():
            self.state.loss_sums[name] = self.state.loss_sums.get(name, 0.0) + value
        self.state.loss_steps += 1

    def _latest_text(self) -> str:
        mean = self.state.loss_sums.get("loss", 0.0) / max(1, self.state.loss_steps)
        return f"loss {mean:.4f}"

    def _end_epoch(self, records: Records | None) -> None:
        state, settings = self.state, self._settings
        epoch = state.step // self._schedule.steps_per_epoch
        values = {f"train/{n}": s / state.loss_steps for n, s in state.loss_sums.items()}
        values["learning_rate"] = learning_rate(settings, state.step - 1, self._total)
        last = epoch == settings.epochs
        scores: list[ScanDice] = []
        if last or epoch % settings.validate_every == 0:
            scores = self._validate(epoch, values)
        self._team.on_main(
            lambda: records.epoch(epoch, state.step, values, scores) if records else None
        )
        self._report(Metrics(epoch, state.step, values))
        state.loss_sums, state.loss_steps, state.finished = {}, 0, last
        self._save()
        self._stop_if_nothing_is_learnt()

    def _validate(self, epoch: int, values: dict[str, float]) -> list[ScanDice]:
        """Score the (averaged) weights and keep them as the model where they are the best."""
        self._report(Phase(f"Validating epoch {epoch}"))
        with _averaged(self._network, self._average):
            device = self._fabric.device
            scores = validate(
                self._network,
                self._data.validation,
                self._data.protocols,
                self._settings,
                str(device),
                resolve_precision(self._settings.precision, device),
                self._cancel,
                partial(self._previews.show, epoch) if self._previews else lambda *_: None,
                self._team.each,
            )
            for decoder in self._data.protocols:
                values[f"validation/dice/{decoder}"] = mean_dice(scores, decoder)
                self._tell_regions(epoch, decoder, scores)
            main = values[f"validation/dice/{self._settings.main_decoder}"]
            self._track(epoch, main, values)
        return scores

    def _tell_regions(self, epoch: int, decoder: str, scores: list[ScanDice]) -> None:
        dice = {str(index): value for index, value in region_means(scores, decoder).items()}
        if dice:
            self._report(Result("regions", {"decoder": decoder, "epoch": epoch, "dice": dice}))

    def _track(self, epoch: int, main: float, values: dict[str, float]) -> None:
        state = self.state
        # Without validation scans (nan) the latest weights are the only choice.
        if math.isnan(main) or main > state.best_dice:
            state.best_dice = -1.0 if math.isnan(main) else main
            state.best_epoch = epoch
            self._team.on_main(lambda: self._keep(self._network, values))
        learnt = math.isnan(main) or main > 0
        state.zero_epochs = 0 if learnt else state.zero_epochs + self._settings.validate_every

    def _stop_if_nothing_is_learnt(self) -> None:
        if self.state.zero_epochs >= self._settings.stop_after_zero_dice:
            raise TrainingError(
                "nothing-learnt",
                f"the validation Dice of every region has been 0 for {self.state.zero_epochs} "
                "epochs",
                remedy="Check labels and protocol with 'monet check', or raise the learning rate.",
                file=self._folder,
            )

    def _save(self) -> None:
        self._team.on_main(
            lambda: save_checkpoint(
                self._folder, self.state, self._network, self._raw_optimizer, self._average
            )
        )


def _optimizer(network: MONet, settings: TrainingSettings) -> torch.optim.Optimizer:
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[settings.optimizer]
    return kind(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)


@contextmanager
def _averaged(network: MONet, average: dict[str, Tensor] | None) -> Iterator[None]:
    """The network with its averaged weights, and as it was again afterwards."""
    network.eval()
    if average is None:
        yield
        return
    own = start_average(network)
    network.load_state_dict(average)
    try:
        yield
    finally:
        network.load_state_dict(own)


@contextmanager
def _determinism(wanted: bool) -> Iterator[None]:
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(wanted or before)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


@contextmanager
def _memory_errors(settings: TrainingSettings) -> Iterator[None]:
    """Turn the ways in which torch runs out of memory into one clear error."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        text = str(error)
        memory = type(error) is not RuntimeError or "allocate memory" in text
        if not memory:
            raise
        raise NotEnoughMemoryError(
            "out-of-memory",
            f"a training step with patches of {settings.patch}^3 voxels and batch "
            f"{settings.batch} does not fit the memory ({text.splitlines()[0] if text else ''})",
            remedy="Use a smaller --patch, or --device cpu; --resume goes on from the checkpoint.",
        ) from error
