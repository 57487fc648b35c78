"""Right or wrong on choice items: letters read from the answer, or the letter with the highest log-probability.

Decisions that change numbers:

* Several right letters count only as an exact set, as in MedES (arXiv 2601.07954) and MedEthicEval.
* A single-choice answer that names two letters has answered, wrongly: ``scored``, value 0, label such as ``AC``. It is not unparseable.
* A ``defensible_choice`` (an equilibrium dilemma) is right when the one letter chosen lies in the defensible range.
* An answer cut off by its length counts only where it says outright what it chose; hints in the middle of its reasoning do not.
* ``unparseable`` and ``refused`` have no value. They are never counted as wrong here; reports state their share.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from primum.schema.item import CHOICE_FORMS, LETTERS, Item
from primum.schema.response import Response
from primum.schema.score import Score, ScoreStatus
from primum.scorers.choice_extraction import extract_choice


class ChoiceScorer:
    """Accuracy on single choice, multiple choice and judgement items (metric ``accuracy``, 0 or 1)."""

    name = "choice"
    metrics: tuple[str, ...] = ("accuracy",)

    def score(self, item: Item, response: Response) -> Sequence[Score]:
        """Score one response.

        Returns:
            One score; ``label`` holds the letters read, ``detail`` the rule that read them or why there are none. No score at all for an
            item without a letter key, such as an open question of a mixed task: there is nothing this scorer could compare with.
        """
        if item.form not in CHOICE_FORMS or not item.answer:
            return ()
        return (self._score(item, response),)

    def _score(self, item: Item, response: Response) -> Score:
        if response.fault is not None or response.finish == "error":
            return self._unscored(response, "engine_error", response.fault.kind if response.fault else "error")
        if response.choice_logprobs:
            return self._weighed(item, response)
        found = extract_choice(response.text, item.options, multiple=item.form == "multiple_choice", language=item.language)
        if found.letters is not None and (found.explicit or response.finish != "length"):
            return self._scored(item, response, found.letters, found.rule)
        if response.finish == "content_filter":
            return self._unscored(response, "refused", "content-filter")
        if found.status == "refused":
            return self._unscored(response, "refused", found.rule)
        return self._unscored(response, "unparseable", "cut-off" if response.finish == "length" else found.rule)

    def _weighed(self, item: Item, response: Response) -> Score:
        """The most probable letter; of equal ones the first in the alphabet."""
        weights = response.choice_logprobs
        if len(weights) != len(item.options):
            return self._unscored(response, "engine_error", f"{len(weights)} log-probabilities for {len(item.options)} options")
        if any(math.isnan(weight) for weight in weights):
            return self._unscored(response, "engine_error", "log-probability is not a number")
        best = max(weights)
        if best == -math.inf:
            return self._unscored(response, "unparseable", "no option has any probability")
        tied = weights.count(best) > 1
        return self._scored(item, response, (LETTERS[weights.index(best)],), "logprob-tie" if tied else "logprob")

    def _scored(self, item: Item, response: Response, letters: tuple[str, ...], rule: str) -> Score:
        exact = letters == tuple(sorted(item.answer))
        in_range = len(letters) == 1 and letters[0] in item.answer
        value = float(in_range if item.form == "defensible_choice" else exact)
        return Score(key=response.key, scorer=self.name, metric="accuracy", status="scored", value=value, label="".join(letters), detail=rule)

    def _unscored(self, response: Response, status: ScoreStatus, detail: str) -> Score:
        return Score(key=response.key, scorer=self.name, metric="accuracy", status=status, detail=detail)
