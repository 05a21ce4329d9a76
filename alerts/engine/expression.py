"""Expressions over several sensors, such as `pressure > 4 and (t_in - t_out) / 2 < 1.5`, compiled to a stack code."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

LENGTH = 500
DEPTH = 40
STACK = 64


class Op(IntEnum):
    """What the stack machine does: push, or take one or two and push the result."""

    CONST = 0
    LOAD = 1
    NEG = 2
    ABS = 3
    NOT = 4
    ADD = 5
    SUB = 6
    MUL = 7
    DIV = 8
    MIN = 9
    MAX = 10
    LT = 11
    LE = 12
    GT = 13
    GE = 14
    EQ = 15
    NE = 16
    AND = 17
    OR = 18


class ExpressionError(ValueError):
    """An expression cannot be understood; `position` is the character, counted from 0, where that shows."""

    def __init__(self, words: str, position: int) -> None:
        super().__init__(f"{words} (at character {position + 1})")
        self.words = words
        self.position = position


@dataclass(frozen=True, slots=True)
class Code:
    """An expression in the order of evaluation: operations and their arguments (a number, or an input's place)."""

    ops: tuple[int, ...]
    args: tuple[float, ...]


def compile_expression(text: str, names: Sequence[str]) -> Code:
    """Turns an expression into code.

    Takes: the inputs' names, in the order in which the code counts them.
    Raises: ExpressionError with words for the person who wrote it.
    """
    if len(text) > LENGTH:
        raise ExpressionError(f"The expression is longer than {LENGTH} characters.", LENGTH)
    return _Parser(text, names).parse()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


_TOKENS = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[^\W\d]\w*)|(?P<sign><=|>=|==|!=|[-+*/()<>,]))"
)
_COMPARISONS = {"<": Op.LT, "<=": Op.LE, ">": Op.GT, ">=": Op.GE, "==": Op.EQ, "!=": Op.NE}
_SUMS = {"+": Op.ADD, "-": Op.SUB}
_PRODUCTS = {"*": Op.MUL, "/": Op.DIV}
_FUNCTIONS = {"abs": Op.ABS, "min": Op.MIN, "max": Op.MAX}
_WORDS = frozenset({"and", "or", "not", *_FUNCTIONS})

_Piece = tuple[tuple[Op, float], ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """A part's code, whether it is a truth or a number, and the height of stack that it needs."""

    code: _Piece
    truth: bool
    height: int
    at: int


class _Parser:
    """Recursive descent with Python's precedence: or, and, not, comparison, sum, product, minus."""

    def __init__(self, text: str, names: Sequence[str]) -> None:
        self._places: dict[str, int] = {}
        for place, name in enumerate(names):
            self._places.setdefault(name, place)
        self._tokens = _split(text)
        self._next = 0
        self._depth = 0

    def parse(self) -> Code:
        part = self._any()
        if self._token.kind != "end":
            raise ExpressionError(f"Here {_said(self._token)} does not fit.", self._token.at)
        if not part.truth:
            raise ExpressionError("The expression is a number; it needs a comparison such as < or >=.", part.at)
        if part.height > STACK:
            raise ExpressionError("The expression is too complicated.", part.at)
        return Code(tuple(int(op) for op, _ in part.code), tuple(arg for _, arg in part.code))

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _take(self, *texts: str) -> _Token | None:
        token = self._token
        if token.kind in ("sign", "name") and token.text in texts:
            self._next += 1
            return token
        return None

    def _expect(self, text: str) -> None:
        if self._take(text) is None:
            raise ExpressionError(f"Expected '{text}', found {_said(self._token)}.", self._token.at)

    def _any(self) -> _Part:
        self._depth += 1
        if self._depth > DEPTH:
            raise ExpressionError("Too many brackets inside each other.", self._token.at)
        part = self._all()
        while token := self._take("or"):
            part = _join(Op.OR, _truth(part, token), _truth(self._all(), token), truth=True)
        self._depth -= 1
        return part

    def _all(self) -> _Part:
        part = self._negation()
        while token := self._take("and"):
            part = _join(Op.AND, _truth(part, token), _truth(self._negation(), token), truth=True)
        return part

    def _negation(self) -> _Part:
        if token := self._take("not"):
            self._depth += 1
            if self._depth > DEPTH:
                raise ExpressionError("Too many 'not' in a row.", token.at)
            part = _truth(self._negation(), token)
            self._depth -= 1
            return _Part((*part.code, (Op.NOT, 0.0)), True, part.height, token.at)
        return self._comparison()

    def _comparison(self) -> _Part:
        left = self._sum()
        chain: _Part | None = None
        while token := self._take(*_COMPARISONS):
            right = self._sum()
            link = _join(_COMPARISONS[token.text], _number(left, token), _number(right, token), truth=True)
            chain = link if chain is None else _join(Op.AND, chain, link, truth=True)
            left = right
        return left if chain is None else chain

    def _sum(self) -> _Part:
        part = self._product()
        while token := self._take(*_SUMS):
            part = _join(_SUMS[token.text], _number(part, token), _number(self._product(), token), truth=False)
        return part

    def _product(self) -> _Part:
        part = self._minus()
        while token := self._take(*_PRODUCTS):
            part = _join(_PRODUCTS[token.text], _number(part, token), _number(self._minus(), token), truth=False)
        return part

    def _minus(self) -> _Part:
        if token := self._take("-"):
            self._depth += 1
            if self._depth > DEPTH:
                raise ExpressionError("Too many '-' in a row.", token.at)
            part = _number(self._minus(), token)
            self._depth -= 1
            return _Part((*part.code, (Op.NEG, 0.0)), False, part.height, token.at)
        return self._atom()

    def _atom(self) -> _Part:
        token = self._token
        self._next += 1
        if token.kind == "number":
            number = float(token.text)
            if not math.isfinite(number):
                raise ExpressionError(f"The number {token.text} is too large.", token.at)
            return _Part(((Op.CONST, number),), False, 1, token.at)
        if token.kind == "name" and token.text in _FUNCTIONS:
            return self._call(token)
        if token.kind == "name" and token.text not in _WORDS:
            if token.text not in self._places:
                known = ", ".join(self._places) or "none"
                raise ExpressionError(f"Unknown input '{token.text}'; the inputs are: {known}.", token.at)
            return _Part(((Op.LOAD, float(self._places[token.text])),), False, 1, token.at)
        if token.text == "(":
            part = self._any()
            self._expect(")")
            return part
        raise ExpressionError(f"Expected a number or an input, found {_said(token)}.", token.at)

    def _call(self, token: _Token) -> _Part:
        self._expect("(")
        parts = [_number(self._any(), token)]
        while self._take(","):
            parts.append(_number(self._any(), token))
        self._expect(")")
        if token.text == "abs":
            if len(parts) != 1:
                raise ExpressionError("abs takes one number.", token.at)
            return _Part((*parts[0].code, (Op.ABS, 0.0)), False, parts[0].height, token.at)
        if len(parts) < 2:
            raise ExpressionError(f"{token.text} takes two numbers or more.", token.at)
        whole = parts[0]
        for part in parts[1:]:
            whole = _join(_FUNCTIONS[token.text], whole, part, truth=False)
        return whole


def _split(text: str) -> list[_Token]:
    """Gives the words of an expression and an end mark."""
    tokens = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKENS.match(text, at)
        if match is None or match.lastgroup is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            raise ExpressionError(f"The character '{text[at]}' has no meaning here.", at)
        tokens.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
        at = match.end()
    tokens.append(_Token("end", "", len(text)))
    return tokens


def _said(token: _Token) -> str:
    return "the end" if token.kind == "end" else f"'{token.text}'"


def _join(op: Op, left: _Part, right: _Part, *, truth: bool) -> _Part:
    return _Part((*left.code, *right.code, (op, 0.0)), truth, max(left.height, right.height + 1), left.at)


def _truth(part: _Part, token: _Token) -> _Part:
    if not part.truth:
        raise ExpressionError(f"'{token.text}' joins comparisons; here stands a number.", part.at)
    return part


def _number(part: _Part, token: _Token) -> _Part:
    if part.truth:
        raise ExpressionError(f"'{token.text}' takes numbers; here stands a comparison.", part.at)
    return part
