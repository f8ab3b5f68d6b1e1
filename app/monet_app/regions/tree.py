"""The regions of an atlas as a tree: groups, pairs of left and right, regions. No Qt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from monet_core.protocols import Protocol, Region

_SIDE = re.compile(r"(^|[\s_-])(left|right|lh|rh|l|r)(?=$|[\s_-])", re.IGNORECASE)
_JOINED = re.compile(r"^(Left|Right)(?=[A-Z])")
_SIDES = {"L": "Left", "R": "Right"}
_SHORT = {"gm": "grey matter", "wm": "white matter", "csf": "CSF"}


@dataclass(eq=False)
class Node:
    """A row of the tree; `region` is None for groups and pairs, `pair` marks the latter.

    `indices` are the regions at and below it, in the tree's order.
    """

    name: str
    parent: Node | None = None
    region: Region | None = None
    pair: bool = False
    children: list[Node] = field(default_factory=list)
    row: int = 0
    indices: tuple[int, ...] = ()

    @property
    def path(self) -> tuple[str, ...]:
        """Names from the top to this row: the same for every scan of an atlas."""
        above = self.parent.path if self.parent is not None else ()
        return (*above, self.name) if self.parent is not None else ()

    def walk(self) -> Iterator[Node]:
        """Every row below this one, from top to bottom."""
        for child in self.children:
            yield child
            yield from child.walk()

    @property
    def leaves(self) -> list[Node]:
        """The regions' rows at and below this one."""
        return [self] if self.region else [node for node in self.walk() if node.region]


def region_tree(protocol: Protocol) -> Node:
    """The root of a protocol's tree; groups that hold one thing only are left out."""
    root = Node("")
    for region in protocol.regions:
        _group(root, region).children.append(Node(region.name, region=region))
    _pair_up(root)
    root.children = [_shortened(child, top=True) for child in root.children]
    root.children.sort(key=lambda node: node.name.casefold().startswith("other"))
    _finish(root)
    return root


def matching(root: Node, text: str) -> set[Node] | None:
    """The rows to show for what was typed: hits, all above them and all below; None: every row.

    Every word must be found in a region's name, abbreviation or index, or in a group's name;
    where that finds nothing, in a region's and its groups' names together ("left frontal").
    """
    words = text.casefold().split()
    if not words:
        return None
    found: set[Node] = set()
    for with_groups in (False, True):
        if not found:
            _search(root, words, "", with_groups, found)
    return found


def group_words(name: str) -> str:
    """A group's name as a heading: "subcortical_gm" reads "Subcortical grey matter"."""
    if name != name.lower():
        return name
    words = " ".join(_SHORT.get(word, word) for word in name.replace("_", " ").split())
    return words[:1].upper() + words[1:]


def common_name(name: str) -> str:
    """A region's name without its side: "Left-Thalamus-Proper" gives "Thalamus-Proper"."""
    rest = _SIDE.sub("", _JOINED.sub("", name), count=1).strip(" _-")
    return rest[:1].upper() + rest[1:] if rest else name


def _group(root: Node, region: Region) -> Node:
    node = root
    for part in region.path or ((region.group,) if region.group else ()):
        name = group_words(part)
        inside = next((c for c in node.children if c.name == name and c.region is None), None)
        if inside is None:
            inside = Node(name)
            node.children.append(inside)
        node = inside
    return node


def _pair_up(node: Node) -> None:
    """Put left and right of a region into one row, where they are not already."""
    for child in node.children:
        _pair_up(child)
    here = {child.region.index: child for child in node.children if child.region is not None}
    pairs = [(a, here[a.region.pair]) for a in here.values()
             if a.region and a.region.hemisphere == "L" and a.region.pair in here]  # fmt: skip
    if len(pairs) == 1 and len(node.children) == 2:
        _make_pair(node, *pairs[0])
        return
    for left, right in pairs:
        both = Node(common_name(left.name))
        node.children.insert(min(map(node.children.index, (left, right))), both)
        node.children.remove(left)
        node.children.remove(right)
        _make_pair(both, left, right)


def _make_pair(node: Node, left: Node, right: Node) -> None:
    node.pair, node.children = True, [left, right]
    for side in (left, right):
        if side.region is not None:
            side.name = _SIDES[side.region.hemisphere]


def _shortened(node: Node, top: bool = False) -> Node:
    """The row without groups that have a single member; a top group keeps its name."""
    if node.region or node.pair:
        return node
    node.children = [_shortened(child) for child in node.children]
    if len(node.children) > 1:
        return node
    only = node.children[0]
    if only.region is None and top:
        only.name = node.name
    return only


def _finish(node: Node) -> None:
    for row, child in enumerate(node.children):
        child.row, child.parent = row, node
        _finish(child)
    node.indices = tuple(leaf.region.index for leaf in node.leaves if leaf.region)


def _search(
    node: Node, words: Iterable[str], above: str, with_groups: bool, found: set[Node]
) -> bool:
    """Collect hits at and below `node`; whether there is one. `above` is its groups' text."""
    text = f"{above} {_text(node)}"
    if all(word in text for word in words):
        found.update((node, *node.walk()))
        return True
    passed = text if with_groups else ""
    inside = [_search(child, words, passed, with_groups, found) for child in node.children]
    if any(inside):
        found.add(node)
    return any(inside)


def _text(node: Node) -> str:
    region = node.region
    if region is None:
        return node.name.casefold()
    return f"{region.name} {region.abbreviation} {region.index} {node.name}".casefold()
