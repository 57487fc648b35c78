"""Every error that Primum raises on purpose, in one tree.

::

    PrimumError                     carries a message, a remedy and an exit code
    ├── UsageError          (2)     wrong words on the command line, unknown name, unknown key
    │   ├── UnknownNameError        a name that no registry holds; says the nearest ones
    │   └── ConfigError             a YAML or JSON file that does not fit its model
    ├── InputError          (2)     data that cannot be read as what it claims to be
    │   ├── DataMissingError        a file or folder that a task needs is not there
    │   ├── DataFormatError         a row, column or encoding is wrong; names file and row
    │   └── ReplayMissError         a recorded answer was asked for and is not recorded
    ├── EngineError         (3)     an engine could not answer
    │   ├── EngineAuthError         the server refused the key; never retried
    │   ├── EngineRequestError      the server refused the request itself; never retried
    │   ├── EngineTransientError    time-out, 429, 5xx, broken connection; retried, then this
    │   └── EngineResponseError     the answer's body is truncated, not JSON or lacks fields
    ├── EnvironmentFault    (3)     disk full, missing extra, no model in the cache
    │   ├── MissingExtraError       an optional dependency is not installed
    │   ├── ModelMissingError       no model weights and no way to fetch them
    │   ├── OfflineError            a remote call while ``--offline`` is set
    │   └── RunLockedError          another process is writing the same run directory
    ├── TrainingDivergedError (3)   a loss or gradient became infinite or undefined
    └── IntegrityError      (3)     a hash does not match what was sealed or pinned

The number in brackets is the process exit code: 1 is kept for "a gate failed", which is a result and not an error.

Messages never contain model text, prompts or secrets: ids and hashes stand for them, so that patient data cannot reach a log.
"""

from __future__ import annotations


class PrimumError(Exception):
    """Base of all deliberate errors.

    Args:
        message: What is wrong, naming the file, row or option.
        remedy: What the user can do about it, as an instruction.
    """

    exit_code = 3

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n  -> {self.remedy}" if self.remedy else self.message


class UsageError(PrimumError):
    """The user asked for something that does not exist or does not fit together."""

    exit_code = 2


class UnknownNameError(UsageError):
    """A name that no registry holds."""


class ConfigError(UsageError):
    """A configuration file that does not fit its model."""


class InputError(PrimumError):
    """Data that cannot be read as what it claims to be."""

    exit_code = 2


class DataMissingError(InputError):
    """A file or folder that a task needs is not there."""


class DataFormatError(InputError):
    """A row, column or encoding is wrong."""


class ReplayMissError(InputError):
    """A recorded answer was asked for and is not recorded."""


class EngineError(PrimumError):
    """An engine could not answer."""


class EngineAuthError(EngineError):
    """The server refused the key (401, 403)."""


class EngineRequestError(EngineError):
    """The server refused the request itself (400, 404, 413, 422)."""


class EngineTransientError(EngineError):
    """A transient fault that outlived its bounded retries."""


class EngineResponseError(EngineError):
    """The server answered with a body that cannot be used."""


class EnvironmentFault(PrimumError):
    """Something about this machine stands in the way."""


class MissingExtraError(EnvironmentFault):
    """An optional dependency is not installed."""


class ModelMissingError(EnvironmentFault):
    """No model weights and no way to fetch them."""


class OfflineError(EnvironmentFault):
    """A remote call while offline mode is on."""


class RunLockedError(EnvironmentFault):
    """Another process is writing the same run directory."""


class TrainingDivergedError(PrimumError):
    """A loss or gradient became infinite or undefined; training stopped before it could spoil the weights."""


class IntegrityError(PrimumError):
    """A hash does not match what was sealed or pinned."""
