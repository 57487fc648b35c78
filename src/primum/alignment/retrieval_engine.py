"""The retrieval arm: an engine that puts the norms nearest to a prompt before it. Retrieval in place of training, as in arXiv 2601.07954."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from primum.errors import DataMissingError, UsageError
from primum.hashing import sha256_of
from primum.interfaces import Engine, LogprobEngine
from primum.norms.retrieval import NormIndex, language_of
from primum.schema.base import Language
from primum.schema.item import Message
from primum.schema.provenance import EngineIdentity
from primum.schema.response import Request, Response

_LEAD: Final[dict[Language, str]] = {
    "zh": "作答时请遵守与问题有关的下列规范：",
    "en": "When you answer, keep to these rules where they bear on the question:",
}


@dataclass(frozen=True)
class NormShelf:
    """What can be retrieved, and how much of it.

    Attributes:
        index: The norms.
        count: Norms put before a prompt.
        sha256: Hash of the norms' statements and of the words around them.

    Raises:
        DataMissingError: The library is empty.
        UsageError: ``count`` is below 1.
    """

    index: NormIndex
    count: int = 3
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        """Check the library and name it by its hash."""
        if not self.index.norms:
            raise DataMissingError("retrieval has an empty library: no norms", remedy="give a folder of norm files with --norms")
        if self.count < 1:
            raise UsageError(f"retrieval of {self.count} norms is none", remedy="retrieve at least 1, or leave the arm out")
        # Everything written about a norm decides what is found, not its statement alone.
        object.__setattr__(self, "sha256", sha256_of([self.count, _LEAD, [norm.model_dump(mode="json") for norm in self.index.norms]]))

    def add_norms(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """The conversation with the nearest norms in its system turn, in the language of the prompt; unchanged where none shares a word with it."""
        asked = "\n".join(message.content for message in messages if message.role == "user")
        language = language_of(asked)
        found = self.index.search(asked, count=self.count, language=language)
        if not found:
            return messages
        lines = [f"{place}. {hit.norm.statement.in_language(language)}" for place, hit in enumerate(found, start=1)]
        told = "\n".join([_LEAD[language], *lines])
        if messages and messages[0].role == "system":
            return (messages[0].model_copy(update={"content": f"{messages[0].content}\n\n{told}"}), *messages[1:])
        return (Message(role="system", content=told), *messages)


class RetrievalEngine:
    """Another engine, asked with norms before every prompt.

    Args:
        inner: What answers.
        shelf: What is put before prompts.
    """

    def __init__(self, inner: Engine, shelf: NormShelf) -> None:
        self._inner = inner
        self._shelf = shelf

    @property
    def identity(self) -> EngineIdentity:
        """The inner identity with the library in it, so that no kept answer of the bare model is taken for one of this."""
        bare = self._inner.identity
        return bare.model_copy(
            update={
                "fingerprint": sha256_of([bare.fingerprint, self._shelf.sha256]) if bare.pinned else "",
                "details": {**bare.details, "retrieval": f"{self._shelf.count} of {len(self._shelf.index.norms)} norms", "norms": self._shelf.sha256},
            }
        )

    def generate(self, requests: Iterable[Request]) -> AsyncIterator[Response]:
        """Answers of the inner engine to the prompts with norms before them."""
        return self._inner.generate(self._with_norms(requests))

    async def close(self) -> None:
        """Close the inner engine."""
        await self._inner.close()

    def _with_norms(self, requests: Iterable[Request]) -> Iterator[Request]:
        for request in requests:
            yield request.model_copy(update={"messages": self._shelf.add_norms(request.messages)})


class LogprobRetrievalEngine(RetrievalEngine):
    """The same around an engine that can weigh continuations."""

    def __init__(self, inner: LogprobEngine, shelf: NormShelf) -> None:
        super().__init__(inner, shelf)
        self._weighing = inner

    def score_choices(self, requests: Iterable[Request]) -> AsyncIterator[Response]:
        """Log-probabilities of the choices after the prompts with norms before them."""
        return self._weighing.score_choices(self._with_norms(requests))


def with_retrieval(inner: Engine, shelf: NormShelf) -> RetrievalEngine:
    """Put norms before every prompt of an engine; the result weighs choices exactly if ``inner`` does.

    Raises:
        UsageError: The engine replays recorded answers, which no norm can change.
    """
    if inner.identity.backend == "replay":
        raise UsageError("recorded answers cannot be asked again with norms before the prompt", remedy="leave out the retrieval arms")
    return LogprobRetrievalEngine(inner, shelf) if isinstance(inner, LogprobEngine) else RetrievalEngine(inner, shelf)
