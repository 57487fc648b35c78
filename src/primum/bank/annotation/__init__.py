"""Two physicians rate the bank blind, a third settles what they see differently; nothing is overwritten (floor F2).

The design follows arXiv 2505.07205 (paper A): two annotators, disagreements adjudicated.
"""
