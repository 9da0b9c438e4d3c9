"""What schemes find in one's own pictures: what is of the same class, or the original of a changed copy.

Importing its modules takes seconds, since they bring torch.
"""
