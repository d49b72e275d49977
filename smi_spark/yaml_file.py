"""YAML as people write it: each name once, codes that look like numbers as texts, and errors that say what to do."""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from smi_spark.errors import ConfigError

_KINDS = {list: "a list", str: "a text", type(None): "nothing"}
# YAML 1.1 reads 0411 as an octal number, and 1:30 as 90: what people mean is a code, or a time.
_TEXTS = re.compile(r"[-+]?0[0-9_]+|[-+]?[0-9][0-9_]*(:[0-9]+)+(\.[0-9_]*)?")
_REMEDIES = {
    "found character that cannot start any token": "Indent with spaces; a text that begins with @, ` or % needs quotes",
    "mapping values are not allowed in this context": "Put a text with a colon in quotes, and begin fields of one "
    "section in the same column",
    "found undefined alias": "Put a text that begins with * in quotes",
}


def load_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Numbers that begin with 0 are texts (``0411``), and so is what looks like a time. Raises ConfigError naming file,
    line and column where it is no YAML or no mapping, and where a name stands twice in one.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_Loader)  # noqa: S506  # a safe one
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no text in UTF-8, from byte {error.start + 1} on. Save it as UTF-8.") from None
    except yaml.MarkedYAMLError as error:
        raise ConfigError(f"{path} is not readable as YAML: {_told(error)}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not readable as YAML: {error}") from None
    except (ValueError, AttributeError):  # of PyYAML, which passes on what Python says
        raise ConfigError(
            f"{path} is not readable as YAML: a value is not what its tag (!!) says. Take the tag out."
        ) from None
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must hold fields (name: value), not {_KINDS.get(type(content), 'a value alone')}.")
    return content


class _Loader(yaml.CSafeLoader):  # ten times as fast as the one in Python
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        first: dict[Any, int] = {}
        for key, _ in node.value:
            is_own = node.start_mark.index <= key.start_mark.index < node.end_mark.index  # not by <<
            if not isinstance(key, yaml.ScalarNode) or not is_own:
                continue
            line = key.start_mark.line + 1
            if key.value in first:
                told = f"{key.value} stands here again, first in line {first[key.value]}: keep one of the two"
                raise ConstructorError(None, None, told, key.start_mark)
            first[key.value] = line
        return super().construct_mapping(node, deep)


def _number(loader: _Loader, node: yaml.ScalarNode) -> Any:
    if _TEXTS.fullmatch(node.value):
        return node.value
    return loader.construct_yaml_int(node) if node.tag.endswith("int") else loader.construct_yaml_float(node)


def _date(loader: _Loader, node: yaml.ScalarNode) -> Any:
    """A date; the text itself where the calendar has no such day, for whoever asked for a date to say so."""
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError:
        return node.value


_Loader.add_constructor("tag:yaml.org,2002:int", _number)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _date)


def _told(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark
    place = "" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: "
    begun = error.context_mark
    context = f", {error.context} (from line {begun.line + 1})" if error.context and begun else ""
    remedy = _REMEDIES.get(str(error.problem), "")
    return f"{place}{error.problem}{context}.{f' {remedy}.' if remedy else ''}"
