"""Alignment: a model made safer in rounds under a guardian's and people's eyes, and the proof of what changed."""
