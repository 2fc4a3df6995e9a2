"""Outlining lesions, measuring them, and following them from visit to visit."""
