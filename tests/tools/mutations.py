"""Small changes to a module, one at a time: what a test of it should notice."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

# An operator, and what stands in its place.
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change.

    Attributes:
        name: function, the changed expression before and after; it outlives changes elsewhere in the file.
        line: where it is. source: the whole module with the change.
    """

    name: str
    line: int
    source: str


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a module; annotations, docstrings, messages of errors and imports stay as they are."""
    tree = ast.parse(source)
    seen: Counter[str] = Counter()
    for number, (where, node) in enumerate(_sites(tree)):
        for kind in range(len(_changes(node))):
            changed = copy.deepcopy(tree)
            site = [one for _, one in _sites(changed)][number]
            before = ast.unparse(site)
            replacement = _changes(site)[kind]
            after = ast.unparse(replacement)
            _replace(changed, site, replacement)
            name = f"{where}: {_short(before)} → {_short(after)}"
            seen[name] += 1
            again = f" #{seen[name]}" if seen[name] > 1 else ""
            made = ast.unparse(ast.fix_missing_locations(changed))
            yield Mutant(name + again, getattr(node, "lineno", 0), made)


def _short(text: str) -> str:
    return " ".join(text.split())


def _sites(tree: ast.AST, where: str = "module") -> Iterator[tuple[str, ast.AST]]:
    """Nodes that may change, and the function that each is in."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for node in value if isinstance(value, list) else [value]:
            if not isinstance(node, ast.AST) or _stays(node):
                continue
            inner = node.name if isinstance(node, ast.FunctionDef | ast.ClassDef) else where
            if _changes(node):
                yield inner, node
            yield from _sites(node, inner)


def _stays(node: ast.AST) -> bool:
    text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    typing = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    return text or typing or isinstance(node, ast.Raise | ast.Assert | ast.JoinedStr | ast.Import | ast.ImportFrom)


def _changes(node: ast.AST) -> list[ast.AST]:
    """What may stand in the place of a node."""
    match node:
        case ast.Compare() if type(node.ops[0]) in SWAPS:
            found: list[ast.AST] = [_with(node, ops=[SWAPS[type(node.ops[0])](), *node.ops[1:]])]
        case ast.BoolOp() | ast.BinOp() | ast.AugAssign() if type(node.op) in SWAPS:
            found = [_with(node, op=SWAPS[type(node.op)]())]
        case ast.UnaryOp() if isinstance(node.op, ast.Not | ast.Invert):
            found = [node.operand]
        case ast.Constant() if isinstance(node.value, bool):
            found = [ast.Constant(not node.value)]
        case ast.Constant() if isinstance(node.value, int | float):
            found = [ast.Constant(node.value + 1)]
        case ast.IfExp():
            found = [node.body, node.orelse]
        case _:
            found = []
    return found


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _replace(tree: ast.AST, site: ast.AST, replacement: ast.AST) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is site:
                setattr(parent, name, replacement)
            elif isinstance(value, list):
                setattr(parent, name, [replacement if one is site else one for one in value])
