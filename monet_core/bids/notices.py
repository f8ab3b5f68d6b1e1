"""What to know about a whole group of results before looking at any of them."""

from __future__ import annotations

from collections.abc import Sequence

from monet_core.bids.layout import BidsScan
from monet_core.bids.quality import Checked, never_found
from monet_core.bids.results import Result

NAMED = 8


def notices_about(
    results: Sequence[Result], checked: Sequence[Checked], scans: Sequence[BidsScan]
) -> list[str]:
    """Sentences; none where nothing is the matter with the group."""
    notices = [*_models(results), *_without_scan(results, scans)]
    for one in checked:
        notices += _everywhere(one)
    return notices


def _models(results: Sequence[Result]) -> list[str]:
    models = {(each.model, each.weights) for each in results}
    if len(models) == 1:
        return []
    names = ", ".join(sorted(f"{name} ({weights[:12]})" for name, weights in models))
    return [f"These results are of several models, do not pool them: {names}."]


def _without_scan(results: Sequence[Result], scans: Sequence[BidsScan]) -> list[str]:
    """Results of scans that are gone from the data set, such as of people who withdrew."""
    gone = sorted({each.stem for each in results} - {scan.stem for scan in scans})
    if not gone:
        return []
    return [
        f"{len(gone)} results are of scans that are no longer in the data set: {_listed(gone)}. "
        "They are in the tables; delete their files to leave them out."
    ]


def _everywhere(one: Checked) -> list[str]:
    """What is odd in nearly all scans, which comparing them with each other does not show."""
    atlas, never = one.group.atlas, never_found(one)
    far = [f"{row.name} (median z {row.median_z:+.1f})" for row in one.systematic.itertuples()]
    notices = [f"{atlas}: found in no scan: {_listed(never)}."] if never else []
    if far:
        notices.append(
            f"{atlas}: in most scans far from the reference that ships with the program (15 adults "
            f"of 19 to 34 years): {_listed(far)}. Either the model errs everywhere in the same "
            "way, or the people are unlike the reference's."
        )
    return notices


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
