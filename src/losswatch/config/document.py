"""YAML to plain data that remembers its lines, with ``${ENV}`` filled in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml
from yaml.constructor import ConstructorError
from yaml.reader import ReaderError

from losswatch.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Document", "Path", "read_document", "show_path"]

Path = tuple[str | int, ...]

_VARIABLE = re.compile(r"\$\$|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")


@dataclass(slots=True)
class Document:
    """Plain data, the line of each path, and what is wrong with the YAML as such."""

    data: object = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, path: Path) -> int:
        """Return the line of a path, or of the nearest thing around it."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 0)


def read_document(
    text: str,
    environment: Mapping[str, str],
    is_secret: Callable[[Path], bool] = lambda _: False,
) -> Document:
    """Parse one YAML document.

    ``${NAME}`` and ``${NAME:-default}`` in a value become the environment
    variable, or the default if that is not set or empty; ``$$`` is a dollar.
    A value not in quotes gets its type after that, so a port stays a number.
    What stands at a secret path is not in what is told of problems.
    """
    document = Document()
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is not None:
            document.data = _Builder(loader, environment, document, is_secret).build(node, ())
    except yaml.YAMLError as error:
        document.problems.append(_syntax_problem(error, text))
    except RecursionError:
        document.problems.append(Problem(0, "", "is nested too deep or within itself"))
    return document


_PLAIN = re.compile(r"[\w.@ -]+")
"""A key of a secret that is shown; others may be ``alice:hunter2``, without the space."""


def show_path(path: Path, is_secret: Callable[[Path], bool] = lambda _: False) -> str:
    """Return a path as people write it: ``monitors[0].model``."""
    shown = ""
    for at, step in enumerate(path):
        hidden = is_secret(path[:at]) and not _PLAIN.fullmatch(str(step))
        shown += f"[{step}]" if isinstance(step, int) else f".{'hidden' if hidden else step}"
    return shown.lstrip(".")


class _Loader(yaml.SafeLoader):
    """Takes 1e-6 for a number, as YAML 1.2 does; PyYAML alone takes it for text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)

_MOST_VALUES = 100_000
"""Far more than a config needs; ten lines of aliases can ask for billions."""


class _Builder:
    """Builds plain data from nodes and notes their lines."""

    def __init__(
        self,
        loader: yaml.SafeLoader,
        environment: Mapping[str, str],
        document: Document,
        is_secret: Callable[[Path], bool],
    ) -> None:
        self._loader = loader
        self._is_secret = is_secret
        self._environment = environment
        self._document = document
        self._seen: set[yaml.Node] = set()
        self._built = 0

    def build(self, node: yaml.Node, path: Path) -> object:
        self._built += 1
        if self._built > _MOST_VALUES:
            message = f"holds more than {_MOST_VALUES:,} values, aliases counted each time"
            raise yaml.MarkedYAMLError(problem=message, problem_mark=node.start_mark)
        self._document.lines[path] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            return self._build_mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        return self._build_scalar(node, path)

    def _build_mapping(self, node: yaml.MappingNode, path: Path) -> dict[object, object]:
        self._check_keys(node, path)
        self._loader.flatten_mapping(node)  # of a key that is merged and given, the given one wins
        pairs = {str(key.value): (key, value) for key, value in node.value}
        built: dict[object, object] = {}
        for key, (key_node, value_node) in pairs.items():
            built[key] = self.build(value_node, (*path, key))
            self._document.lines[*path, key] = key_node.start_mark.line + 1
        return built

    def _check_keys(self, node: yaml.MappingNode, path: Path) -> None:
        """Refuse keys that stand twice; a merge would hide which do."""
        if node in self._seen:  # an alias: merged already
            return
        self._seen.add(node)
        keys = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ConstructorError(None, None, "found a key that is no text", key.start_mark)
            if key.value in keys:
                self._problem(key, (*path, key.value), "stands here twice; keep one")
            keys.add(key.value)

    def _build_scalar(self, node: yaml.ScalarNode, path: Path) -> object:
        value = _VARIABLE.sub(lambda match: self._variable(match, node, path), node.value)
        if value != node.value and not node.style:  # not in quotes: its type may be another now
            tag = self._loader.resolve(yaml.ScalarNode, value, (True, False))  # type: ignore[no-untyped-call]
        else:
            tag = node.tag
        filled = yaml.ScalarNode(tag, value, node.start_mark, node.end_mark, node.style)
        try:
            return self._loader.construct_object(filled, deep=True)
        except (
            ValueError,
            KeyError,
            AttributeError,
            IndexError,
        ):  # so PyYAML says that a tag does not fit
            kind = tag.rpartition(":")[2]
            found = "hidden" if self._is_secret(path) else f"{value!r:.60}"
            message = f"is {found}, which is no valid {kind}; put it in quotes if it is text"
            self._problem(node, path, message)
            return None

    def _variable(self, match: re.Match[str], node: yaml.Node, path: Path) -> str:
        name: str | None = match["name"]
        default: str | None = match["default"]
        if name is None:
            return "$"
        value = self._environment.get(name)
        if not value and default is not None:  # as in a shell, empty is as good as not set
            return default
        if value is None:
            self._problem(
                node,
                path,
                f"environment variable {name} is not set; set it, or write ${{{name}:-default}}",
            )
            return ""
        return value

    def _problem(self, node: yaml.Node, path: Path, message: str) -> None:
        shown = show_path(path, self._is_secret)
        self._document.problems.append(Problem(node.start_mark.line + 1, shown, message))


_NAMES = re.compile(r"(?<=alias) '.*|(?<=tag) '.*|(?<=anchor) '.*|(?<=handle) '.*", re.DOTALL)
"""What a password without quotes may be taken for, if it begins with ``*``, ``!`` or ``&``."""


def _syntax_problem(error: yaml.YAMLError, text: str) -> Problem:
    if isinstance(error, ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return Problem(line, "", f"is no valid YAML: found {text[error.position]!r}; remove it")
    assert isinstance(error, yaml.MarkedYAMLError)
    line = error.problem_mark.line + 1 if error.problem_mark else 0
    what = _NAMES.sub("", error.problem or "").removeprefix("but ")
    remedy = ""
    if r"'\t'" in what:
        remedy = "; indent with spaces, not with tabs"
    elif what.endswith("got '{'"):
        remedy = "; within brackets put ${...} in quotes"
    elif what.endswith(("alias", "tag", "anchor", "handle")):
        remedy = "; put it in quotes if it is text"
    return Problem(line, "", f"is no valid YAML: {what}{remedy}")
