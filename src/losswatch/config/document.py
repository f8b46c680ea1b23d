"""YAML to plain data that remembers its lines, with ``${ENV}`` filled in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from losswatch.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def read_document(text: str, environment: Mapping[str, str]) -> Document:
    """Parse one YAML document.

    ``${NAME}`` and ``${NAME:-default}`` in a value become the environment
    variable; ``$$`` is a dollar. A value not in quotes gets its type after
    that, so a port stays a number.
    """
    document = Document()
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is not None:
            document.data = _Builder(loader, environment, document).build(node, ())
    except yaml.YAMLError as error:
        document.problems.append(_syntax_problem(error))
    except RecursionError:
        document.problems.append(Problem(0, "", "is nested too deep or within itself"))
    finally:
        loader.dispose()
    return document


def show_path(path: Path) -> str:
    """Return a path as people write it: ``monitors[0].model``."""
    shown = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return shown.lstrip(".")


class _Builder:
    """Builds plain data from nodes and notes their lines."""

    def __init__(
        self, loader: yaml.SafeLoader, environment: Mapping[str, str], document: Document
    ) -> None:
        self._loader = loader
        self._environment = environment
        self._document = document

    def build(self, node: yaml.Node, path: Path) -> object:
        self._document.lines[path] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            return self._build_mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, index)) for index, item in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        return self._build_scalar(node, path)

    def _build_mapping(self, node: yaml.MappingNode, path: Path) -> dict[object, object]:
        self._loader.flatten_mapping(node)
        built: dict[object, object] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in built:
                self._problem(key_node, (*path, key), "stands here twice; keep one")
            built[key] = self.build(value_node, (*path, key))
            self._document.lines[*path, key] = key_node.start_mark.line + 1
        return built

    def _build_scalar(self, node: yaml.ScalarNode, path: Path) -> object:
        value = _VARIABLE.sub(lambda match: self._variable(match, node, path), node.value)
        if value != node.value and not node.style:  # not in quotes: its type may be another now
            node.tag = self._loader.resolve(yaml.ScalarNode, value, (True, False))  # type: ignore[no-untyped-call]
        node.value = value
        return self._loader.construct_object(node, deep=True)

    def _variable(self, match: re.Match[str], node: yaml.Node, path: Path) -> str:
        name: str | None = match["name"]
        default: str | None = match["default"]
        if name is None:
            return "$"
        value = self._environment.get(name, default)
        if value is None:
            self._problem(
                node,
                path,
                f"environment variable {name} is not set; set it, or write ${{{name}:-default}}",
            )
            return ""
        return value

    def _problem(self, node: yaml.Node, path: Path, message: str) -> None:
        self._document.problems.append(Problem(node.start_mark.line + 1, show_path(path), message))


def _syntax_problem(error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error)
    return Problem(mark.line + 1 if mark else 0, "", f"is no valid YAML: {what}")
