"""What an expression is worth, by Python's own grammar."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from typing import Any


class NoVerdict(Exception):
    pass


_BINARY: dict[type, Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARE: dict[type, Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def worth(expression: str, values: dict[str, float]) -> bool | None:
    """Gives what an expression is worth by Python's own grammar, None where it has no verdict."""
    try:
        return bool(_worth(ast.parse(expression.strip(), mode="eval").body, values))
    except NoVerdict:
        return None


def _worth(node: ast.expr, values: dict[str, float]) -> Any:
    match node:
        case ast.Constant():
            return float(node.value)  # type: ignore[arg-type]  # only numbers stand in the expressions
        case ast.Name():
            return values[node.id]
        case ast.UnaryOp(op=ast.Not()):
            return not _worth(node.operand, values)
        case ast.UnaryOp():
            return -_worth(node.operand, values)
        case ast.BinOp():
            left, right = _worth(node.left, values), _worth(node.right, values)
            try:
                result = _BINARY[type(node.op)](left, right)
            except ZeroDivisionError:
                raise NoVerdict from None
            if not math.isfinite(result):
                raise NoVerdict
            return result
        case ast.Call(func=ast.Name(id=name)):
            functions: dict[str, Callable[..., float]] = {"abs": abs, "min": min, "max": max}
            return functions[name](*[_worth(argument, values) for argument in node.args])
        case ast.Compare():
            terms = [_worth(term, values) for term in (node.left, *node.comparators)]
            return all(_COMPARE[type(op)](terms[i], terms[i + 1]) for i, op in enumerate(node.ops))
        case ast.BoolOp():
            parts = [_worth(part, values) for part in node.values]
            return all(parts) if isinstance(node.op, ast.And) else any(parts)
    raise AssertionError(ast.dump(node))
