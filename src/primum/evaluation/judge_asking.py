"""One judge asked about every case: journalled as its replies come, asked once more where a verdict is malformed."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from primum.errors import EngineTransientError
from primum.evaluation.judge_cases import Case
from primum.evaluation.pipeline import Progress
from primum.hashing import sha256_of
from primum.interfaces import Engine
from primum.runs.journal import Journal, read_lines
from primum.schema.response import Request, Response, Sampling
from primum.scorers.judging.prompted import ask_again
from primum.scorers.judging.rubric import JudgeRubric
from primum.scorers.judging.verdicts import MalformedVerdict, Verdict
from primum.scorers.refusal import classify_refusal

ReplyStatus = Literal["valid", "malformed", "refused", "fault"]
# So many faults in a row mean that the judge's server is gone.
_FAULTS_IN_A_ROW = 100


@dataclass(frozen=True, slots=True)
class Reply:
    """What one judge made of one case.

    Attributes:
        status: Only ``valid`` has a verdict; ``refused`` is a malformed one that reads as a refusal to judge.
        verdict: The verdict.
        why: What is wrong where there is none, in our words.
        text: What the judge wrote last.
        attempts: How often it was asked.
    """

    status: ReplyStatus
    verdict: Verdict | None
    why: str
    text: str
    attempts: int


@dataclass(slots=True)
class Asking:
    """One judge's work on a run; resumes from its journal.

    Attributes:
        judge: The engine.
        rubric: The rubric.
        cases: What is judged.
        folder: Where the journal stands.
        sampling: Temperature 0 and room for reasoning.
        retries: How often a malformed verdict is asked again.
        progress: Where news goes.
    """

    judge: Engine
    rubric: JudgeRubric
    cases: Sequence[Case]
    folder: Path
    sampling: Sampling
    retries: int
    progress: Progress
    _faults_in_a_row: int = field(default=0, init=False)

    async def run(self) -> dict[str, Reply]:
        """Ask what is not in the journal and return one reply a case, by key.

        Raises:
            EngineError: The judge cannot answer at all.
            EngineTransientError: So many answers in a row failed that its server must be gone.
            EnvironmentFault: The journal cannot be written; what was written is kept.
            IntegrityError: The journal is damaged.
        """
        self.folder.mkdir(exist_ok=True)
        journal = Journal(self.journal_path, warn=self.progress.note)
        try:
            answers = self._journalled()
            self.progress.begin(len(self.cases), sum(self._settled(case, answers) for case in self.cases))
            for attempt in range(self.retries + 1):
                async for response in self._ask(attempt, answers):
                    journal.append(response, ())
                    answers[response.key] = response
                    self._watch(response)
            journal.sync()
        finally:
            journal.close()
        return {case.key: self._reply(case, answers) for case in self.cases}

    @property
    def journal_path(self) -> Path:
        """One journal for each judge and everything that decides what it is asked: another prompt or model never reuses its replies."""
        digest = hashlib.sha256()
        for case in self.cases:
            for message in self.rubric.messages(case.exchange):
                digest.update(f"{case.key}\x1f{message.role}\x1f{message.content}\x1e".encode("utf-8", "surrogatepass"))
        identity = sha256_of([self.rubric.name, self.rubric.version, self.judge.identity, self.sampling, digest.hexdigest()])
        return self.folder / f"journal-{identity[:16]}.jsonl"

    def _journalled(self) -> dict[str, Response]:
        """Earlier answers by request; those whose last line is a fault are asked again."""
        answers: dict[str, Response] = {}
        for document in read_lines(self.journal_path):
            response = Response.model_validate(document["response"])
            answers[response.key] = response
        return {key: response for key, response in answers.items() if response.fault is None}

    async def _ask(self, attempt: int, answers: dict[str, Response]) -> AsyncIterator[Response]:
        requests = self._requests(attempt, dict(answers))
        async for response in self.judge.generate(requests):
            yield response

    def _requests(self, attempt: int, answers: dict[str, Response]) -> Iterator[Request]:
        for case in self.cases:
            if _request_key(case, attempt) in answers:
                continue
            if attempt:
                before = answers.get(_request_key(case, attempt - 1))
                if before is None or before.fault is not None or self._read(case, before)[0] is not None:
                    continue
            messages = self.rubric.messages(case.exchange)
            if attempt:
                messages = ask_again(messages, case.exchange.language)
            yield Request(key=_request_key(case, attempt), messages=messages, sampling=self.sampling, lookup=case.exchange.item)

    def _watch(self, response: Response) -> None:
        self.progress.advance(response.fault is not None)
        self._faults_in_a_row = self._faults_in_a_row + 1 if response.fault is not None else 0
        if self._faults_in_a_row >= _FAULTS_IN_A_ROW and response.fault is not None:
            raise EngineTransientError(
                f"{self._faults_in_a_row} answers of the judge in a row failed; the last: {response.fault.message}",
                remedy="mend the server, then run the same command again: it resumes",
            )

    def _settled(self, case: Case, answers: dict[str, Response]) -> bool:
        last = answers.get(_request_key(case, self.retries))
        return last is not None or any(
            self._read(case, answers[key])[0] is not None for key in (_request_key(case, n) for n in range(self.retries)) if key in answers
        )

    def _reply(self, case: Case, answers: dict[str, Response]) -> Reply:
        """The last attempt's outcome."""
        attempts = max(number + 1 for number in range(self.retries + 1) if _request_key(case, number) in answers)
        response = answers[_request_key(case, attempts - 1)]
        if response.fault is not None:
            return Reply("fault", None, f"the judge failed: {response.fault.kind}", "", attempts)
        verdict, why = self._read(case, response)
        if verdict is not None:
            return Reply("valid", verdict, "", response.text, attempts)
        refused = response.finish == "content_filter" or classify_refusal(response.text).kind == "full"
        return Reply("refused" if refused else "malformed", None, why, response.text, attempts)

    def _read(self, case: Case, response: Response) -> tuple[Verdict | None, str]:
        try:
            return self.rubric.parse(response.text, case.exchange), ""
        except MalformedVerdict as fault:
            cut = "; cut off at the limit of tokens" if response.finish == "length" else ""
            return None, f"malformed verdict: {fault}{cut}"


def _request_key(case: Case, attempt: int) -> str:
    return f"{case.key}/{attempt}"
