"""What a value means: shading taken off, scales made comparable."""

from cohortex.intensity.bias import bias_field, correct_bias
from cohortex.intensity.scale import MatchedScales, match_to, standardise

__all__ = ["MatchedScales", "bias_field", "correct_bias", "match_to", "standardise"]
