"""Measuring the guardian in the open: unseen norms, hard pairs, shortcuts, other domains, and changes that must not matter."""
