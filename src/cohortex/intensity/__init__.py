"""What a value means: shading taken off, scales made comparable."""

from cohortex.intensity.bias import bias_field, correct_bias

__all__ = ["bias_field", "correct_bias"]
