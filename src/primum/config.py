"""Settings from the environment, and strict YAML files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from primum.errors import ConfigError
from primum.registry import nearest

M = TypeVar("M", bound=BaseModel)
# The C loader is eight times faster, where it was built.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things live and whether the network may be used.

    Attributes:
        home: Model cache, response cache and runs (``$PRIMUM_HOME``, default ``~/.primum``).
        data: Outside data (``$PRIMUM_DATA``), or None.
        offline: True forbids every non-loopback connection (``$PRIMUM_OFFLINE`` or ``--offline``).
    """

    home: Path
    data: Path | None
    offline: bool

    @classmethod
    def from_environment(cls) -> Settings:
        """Read ``PRIMUM_HOME``, ``PRIMUM_DATA`` and ``PRIMUM_OFFLINE``."""
        home = Path(os.environ.get("PRIMUM_HOME") or Path.home() / ".primum").expanduser()
        data = os.environ.get("PRIMUM_DATA")
        offline = os.environ.get("PRIMUM_OFFLINE", "").lower() in {"1", "true", "yes", "on"}
        return cls(home=home, data=Path(data).expanduser() if data else None, offline=offline)


def load_yaml(path: Path) -> Any:
    """Read one YAML document.

    Raises:
        ConfigError: The file is missing, not UTF-8, or not YAML; names file, line and column.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 (byte {error.start})", remedy="save the file as UTF-8") from error
    try:
        return yaml.load(text, Loader=_LOADER)  # noqa: S506 - both are safe loaders
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise ConfigError(f"{where}: not valid YAML: {getattr(error, 'problem', error)}") from error


def explain(error: ValidationError, model: type[BaseModel], where: str, *, yaml_text: str = "") -> ConfigError:
    """Turn pydantic's report into one line per fault, with the line of the file where its text is given, and the nearest key for unknown ones."""
    lines: list[str] = []
    tree = yaml.compose(yaml_text, Loader=_LOADER) if yaml_text else None
    for fault in error.errors(include_url=False, include_input=False):
        place = ".".join(str(part) for part in fault["loc"])
        line = f"{where}:{_line_of(tree, fault['loc'])}" if tree is not None else where
        if fault["type"] == "extra_forbidden":
            lines.append(f"{line}: {place}: no such key; {nearest(str(fault['loc'][-1]), _keys_at(model, fault['loc'][:-1]))}")
        else:
            lines.append(f"{line}: {place or '(top)'}: {fault['msg'].removeprefix('Value error, ')}")
    return ConfigError("\n".join(lines), remedy="mend the named keys; nothing was changed")


def _line_of(node: yaml.Node, loc: tuple[int | str, ...]) -> int:
    """Line of the innermost part of ``loc`` that stands in the file; a missing key is reported where it should stand."""
    line = node.start_mark.line
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            pair = next(((key, value) for key, value in node.value if key.value == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
        else:
            break
    return int(line) + 1


def _keys_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    current: type[BaseModel] = model
    for part in loc:
        if isinstance(part, int):
            continue
        field = current.model_fields.get(part)
        inner = _inner_model(field.annotation) if field else None
        if inner is None:
            break
        current = inner
    return list(current.model_fields)


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _inner_model(argument)
        if found:
            return found
    return None


def parse_model(value: Any, model: type[M], where: str) -> M:
    """Validate ``value`` against ``model``.

    Raises:
        ConfigError: It does not fit; one line per fault.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise explain(error, model, where) from error


def load_model(path: Path, model: type[M]) -> M:
    """Read a YAML file into ``model``; unknown keys are refused with the nearest name.

    Raises:
        ConfigError: The file cannot be read or does not fit.
    """
    value = load_yaml(path)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise explain(error, model, str(path), yaml_text=path.read_text(encoding="utf-8-sig")) from error
