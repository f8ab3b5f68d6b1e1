"""Cross-entropy and Dice straight from features: logits exist for a few thousand voxels at a time.

A head turns F (some 16) features into C (some 140) classes. Stored, logits, probabilities and
their gradients are several times everything else that a training step holds and moves. Here each
chunk of voxels goes through head, softmax and loss while it lies in the processor's cache, and its
part of the gradients is made on the spot, as no other part of the loss needs the probabilities
(as Liger does for language models; Hsu et al., arXiv 2410.10989). Memory does not grow with C.

Both losses and their sum have one form of gradient. With the softmax p of a voxel, its target's
class t, and q the softmax restricted to the target (1 at t; several classes where an annotation
groups them),

    dL/dz_c = p_c (v_c - h) + k q_c        v_c: of the class; h, k: of the voxel
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from monet_core.networks.logits import Logits

IGNORED = -1
CHUNK_BYTES = {"cpu": 2**21, "cuda": 2**28}
"""Of logits at a time: what a core's cache holds, or enough to keep a GPU busy."""
_EPSILON = 1e-5


def head_loss(
    logits: Logits,
    classes: Tensor,
    group: Tensor | None = None,
    ignore: int | None = None,
    *,
    cross_entropy: bool = True,
    dice: bool = False,
) -> Tensor:
    """Cross-entropy (eq. 1), soft Dice loss, or their sum; a scalar, float32 (float64 stays).

    `classes` (B, X, Y, Z), any integer type; voxels that equal `ignore` do not count. `group` (C,)
    holds the annotated class of each of the decoder's classes where the annotation is partial: the
    probability of an annotated class is then the sum over its group (Shi et al., Medical Image
    Analysis 2021), so that a region without annotation may be anything that the annotation calls
    background. Voxels of annotated classes without any decoder class do not count either.

    Cross-entropy is the mean over voxels. The Dice loss is 1 - mean Dice; overlaps are summed over
    the whole batch ("batch Dice": a region cut by the border of one patch does not dominate), and
    the mean is over the foreground classes that occur in `classes`: most of some hundred regions
    lie outside any one patch, and their Dice would only add a constant. 0 where nothing counts.
    """
    target = _target(classes, ignore).flatten()
    member = None
    if group is not None:
        member, target = _grouping(group.to(target.device).long(), target)
    job = _Job(target, member, cross_entropy, dice)
    loss: Tensor = _HeadLoss.apply(logits.features, logits.weight, logits.bias, job)
    return loss


@dataclass(frozen=True, eq=False)
class _Job:
    """What to compute: `target` (N,) with -1 where nothing counts; `member` (G, C), 1 where the
    class belongs to the annotated class, or None where annotated and decoder classes are one."""

    target: Tensor
    member: Tensor | None
    cross_entropy: bool
    dice: bool


@dataclass(frozen=True, eq=False)
class _Terms:
    """What the gradient needs to know of the whole batch.

    `scale`: of cross-entropy, 1 / voxels that count. Derivatives of the Dice loss, None without
    it: `by_overlap` per annotated class (G,), `by_predicted` per class of the decoder (C,).
    """

    scale: Tensor
    by_overlap: Tensor | None = None
    by_predicted: Tensor | None = None
    dice_loss: Tensor | None = field(default=None)


class _HeadLoss(torch.autograd.Function):
    """The loss and, made at the same time, its gradients."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, bias: Tensor, job: _Job) -> Tensor:
        precise = torch.float64 if weight.dtype == torch.float64 else torch.float32
        head = torch.cat((weight, bias[:, None]), 1).to(precise)
        rows = features.movedim(1, -1).reshape(-1, features.shape[1])
        terms = _terms(rows, head, job)
        loss, by_rows, by_head = _gradients(rows, head, job, terms)
        by_features = by_rows.view(*features.movedim(1, -1).shape).movedim(-1, 1)
        ctx.save_for_backward(by_features, by_head.to(weight.dtype))
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        by_features, by_head = ctx.saved_tensors
        by_head = by_head * gradient
        return by_features * gradient.to(by_features.dtype), by_head[:, :-1], by_head[:, -1], None


@dataclass(frozen=True, eq=False)
class _Chunk:
    """Some voxels: `x` (n, F + 1), features and a 1; log-softmax (n, C); `target` (n,) >= 0;
    `counts` (n, 1), 1 or 0, or None where all count; log-probability of the target (n, 1);
    `inside` (n, C), 0 for classes of the target and -inf elsewhere, where classes are grouped."""

    window: slice
    x: Tensor
    log_p: Tensor
    target: Tensor
    counts: Tensor | None
    log_p_target: Tensor
    inside: Tensor | None

    def counted(self, values: Tensor) -> Tensor:
        """`values` (n, ...), 0 where a voxel does not count."""
        return values if self.counts is None else values * self.counts


def _chunks(rows: Tensor, head: Tensor, job: _Job) -> Iterator[_Chunk]:
    """Voxel by voxel in order; a chunk's tensors are written over by the next one."""
    n_rows, (n_classes, width) = len(rows), head.shape
    size = CHUNK_BYTES.get(rows.device.type, 2**24) // (head.element_size() * n_classes)
    size = max(1, min(size, n_rows))
    x_all = head.new_ones((size, width))
    z_all = head.new_empty((size, n_classes))
    inside = None if job.member is None else job.member.to(head.dtype).log()
    some_do_not = bool((job.target == IGNORED).any())
    for start in range(0, n_rows, size):
        window = slice(start, min(start + size, n_rows))
        n = window.stop - start
        x, z = x_all[:n], z_all[:n]
        x[:, :-1] = rows[window]
        torch.mm(x, head.t(), out=z)
        torch.log_softmax(z, 1, out=z)
        marked = job.target[window]
        target = marked.clamp(min=0)
        counts = (marked != IGNORED)[:, None].to(head.dtype) if some_do_not else None
        own = None if inside is None else inside[target]
        if own is None:
            log_p_target = z.gather(1, target[:, None])
        else:
            log_p_target = (z + own).logsumexp(1, keepdim=True)
        yield _Chunk(window, x, z, target, counts, log_p_target, own)


def _terms(rows: Tensor, head: Tensor, job: _Job) -> _Terms:
    """A first pass for the sums that Dice needs; cross-entropy alone needs none."""
    scale = 1 / (job.target != IGNORED).sum().clamp(min=1).to(head.dtype)
    if not job.dice:
        return _Terms(scale)
    number = len(head) if job.member is None else len(job.member)
    predicted, overlap = head.new_zeros(len(head)), head.new_zeros(number)
    for chunk in _chunks(rows, head, job):
        p = chunk.log_p.exp_()
        predicted += (chunk.counted(torch.ones_like(chunk.log_p_target)).t() @ p)[0]
        overlap.index_add_(0, chunk.target, chunk.counted(chunk.log_p_target.exp())[:, 0])
    if job.member is not None:
        predicted = job.member.to(head.dtype) @ predicted
    true = torch.bincount(job.target + 1, minlength=number + 1)[1:].to(head.dtype)
    terms = _dice_terms(_Terms(scale), overlap, predicted, true)
    if job.member is None or terms.by_predicted is None:
        return terms
    return replace(terms, by_predicted=terms.by_predicted @ job.member.to(head.dtype))


def _dice_terms(terms: _Terms, overlap: Tensor, predicted: Tensor, true: Tensor) -> _Terms:
    present = true > 0
    present[0] = False
    each = present / present.sum().clamp(min=1)
    size = predicted + true + _EPSILON
    return replace(
        terms,
        by_overlap=-2 / size * each,
        by_predicted=2 * overlap / size**2 * each,
        dice_loss=((1 - 2 * overlap / size) * each).sum(),
    )


def _gradients(
    rows: Tensor, head: Tensor, job: _Job, terms: _Terms
) -> tuple[Tensor, Tensor, Tensor]:
    """The loss, and its gradients by features (N, F) and by head and bias (C, F + 1)."""
    by_rows, by_head = torch.empty_like(rows), torch.zeros_like(head)
    cross_entropy = head.new_zeros(())
    for chunk in _chunks(rows, head, job):
        cross_entropy -= chunk.counted(chunk.log_p_target).sum()
        by_logits = _by_logits(chunk, job, terms)
        by_head += by_logits.t() @ chunk.counted(chunk.x)
        by_rows[chunk.window] = chunk.counted(by_logits @ head[:, :-1])
    loss = head.new_zeros(())
    if job.cross_entropy:
        loss = loss + cross_entropy * terms.scale
    if terms.dice_loss is not None:
        loss = loss + terms.dice_loss
    return loss, by_rows, by_head


def _by_logits(chunk: _Chunk, job: _Job, terms: _Terms) -> Tensor:
    """dL/dz (n, C) = p (v - h) + k q, written over the log-softmax."""
    slope = terms.scale if job.cross_entropy else torch.zeros_like(terms.scale)
    q = None
    if chunk.inside is not None:
        q = (chunk.log_p + chunk.inside - chunk.log_p_target).exp_()
    p = chunk.log_p.exp_()
    if terms.by_overlap is None or terms.by_predicted is None:
        k = -slope.expand(len(p), 1)
        p *= slope
    else:
        at_target = terms.by_overlap[chunk.target][:, None] * chunk.log_p_target.exp()
        k = at_target - slope
        h = (p @ terms.by_predicted)[:, None] + at_target
        p *= terms.by_predicted + slope - h
    return p.scatter_add_(1, chunk.target[:, None], k) if q is None else p.addcmul_(q, k)


def _grouping(group: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Which classes belong to each annotated class (G, C), and `target` without those that no
    decoder class belongs to."""
    last = int(group.max()) + 1
    member = torch.arange(last, device=group.device)[:, None] == group
    known = torch.where(target < last, target, IGNORED)
    empty = ~member.any(1)
    member[empty] = True  # never looked at, but a log of nothing would be nan
    lookup = torch.where(empty, IGNORED, torch.arange(last, device=group.device))
    return member, torch.where(known == IGNORED, IGNORED, lookup[known.clamp(min=0)])


def _target(classes: Tensor, ignore: int | None) -> Tensor:
    """`classes` as int64 with -1 where they equal `ignore`."""
    target = classes.long()
    if ignore is None or ignore == IGNORED:
        return target
    return target.masked_fill(target == ignore, IGNORED)
