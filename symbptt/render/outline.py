"""Blocks under their headings, as a tree."""

from __future__ import annotations

from dataclasses import dataclass, field

from .blocks import Block, Heading


@dataclass
class Fold:
    """A heading with what stands under it, and the name by which links find it."""

    heading: Heading
    name: str
    blocks: list[Block | Fold] = field(default_factory=list)


def outline(blocks: tuple[Block, ...]) -> list[Block | Fold]:
    """Put blocks under their headings; the title is no fold and is left out."""
    top: list[Block | Fold] = []
    stack: list[Fold] = []
    names: set[str] = set()
    for block in blocks:
        if isinstance(block, Heading):
            if block.level == 1:
                continue
            while stack and stack[-1].heading.level >= block.level:
                stack.pop()
            fold = Fold(block, _unused(block.key or "section", names))
            (stack[-1].blocks if stack else top).append(fold)
            stack.append(fold)
        else:
            (stack[-1].blocks if stack else top).append(block)
    return top


def _unused(name: str, names: set[str]) -> str:
    candidates = (name if i == 1 else f"{name}-{i}" for i in range(1, len(names) + 2))
    found = next(candidate for candidate in candidates if candidate not in names)
    names.add(found)
    return found
