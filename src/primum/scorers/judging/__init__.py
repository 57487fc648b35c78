"""Rubrics for judges: messages out, verdict text in. Nothing here asks a model."""
