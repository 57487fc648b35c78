"""The guardian: a small local evaluator of answers, trained on the bank's labelled answers, that knows when it does not know."""
