"""One scan twice, or one person in two splits (bad input 31)."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources

from monet_core.datasets import names
from monet_core.datasets.dataset import Subject
from monet_core.datasets.findings import Finding
from monet_core.datasets.survey import Surveyed
from monet_core.errors import Verdict


def find_duplicates(surveyed: Sequence[Surveyed]) -> list[Finding]:
    """Warnings for equal content anywhere, and for one person's scans in different splits."""
    content: dict[str, list[Subject]] = defaultdict(list)
    for each in surveyed:
        if each.content:
            content[each.content].append(each.subject)
    findings = [_same_scan(group) for group in content.values() if len(group) > 1]
    same_content = [set(group) for group in content.values()]
    people = _people([each.subject for each in surveyed])
    for person, group in people.items():
        told = any(set(group) <= equal for equal in same_content)
        if len({_split(subject) for subject in group}) > 1 and not told:
            findings.append(_same_person(person, group))
    return findings


def _same_scan(group: Sequence[Subject]) -> Finding:
    first, *others = group
    listed = _listed(others)
    if len({_split(subject) for subject in group}) > 1:
        problem = f"the same scan is in different splits: {_listed(group)}"
        remedy = "Scores on it would be too good; keep it in one split."
    else:
        problem = f"the same scan is in the {_split(first)} split more than once, also as {listed}"
        remedy = "It counts double; remove one."
    return _finding("duplicate-scan", first, problem, remedy)


def _same_person(person: str, group: Sequence[Subject]) -> Finding:
    message = f"scans of one person ({person}) are in different splits: {_listed(group)}"
    remedy = "Scores would be too good; keep a person in one split."
    return _finding("person-in-splits", group[0], message, remedy)


def _finding(code: str, subject: Subject, message: str, remedy: str) -> Finding:
    return Finding(Verdict.WARNING, code, subject.name, message, remedy, file=str(subject.scan))


def _split(subject: Subject) -> str:
    return subject.split or "train"


def _listed(group: Iterable[Subject]) -> str:
    return ", ".join(f"{subject.name} ({_split(subject)})" for subject in group)


def _people(subjects: Sequence[Subject]) -> Mapping[str, list[Subject]]:
    """Subjects by person; MALC's repeat scans have other numbers, which its list resolves."""
    people: dict[str, list[Subject]] = defaultdict(list)
    persons = [names.person(subject.name) for subject in subjects]
    cases, repeats = _malc_cases()
    # Numbers like 1003 are common: they mean MALC's cases only where most are in its list.
    is_malc = 2 * sum(person in cases for person in persons) > len(persons)
    for person, subject in zip(persons, subjects, strict=True):
        people[repeats.get(person, person) if is_malc else person].append(subject)
    return people


@cache
def _malc_cases() -> tuple[frozenset[str], Mapping[str, str]]:
    table = resources.files("monet_resources") / "labels" / "malc_subjects.tsv"
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines(), delimiter="\t"))
    repeats = {
        f"sub-{row['case']}": f"sub-{row['repeat_of']}" for row in rows if row["repeat_of"] != "n/a"
    }
    return frozenset(f"sub-{row['case']}" for row in rows), repeats
