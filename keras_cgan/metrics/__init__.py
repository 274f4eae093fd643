"""How good is what is drawn? Each measure is a plain function of arrays, and none stands alone.

Of sketches of a photo, of any images of classes, of a distribution, and of codes.
"""

from keras_cgan.metrics.alignment import describe_alignment, is_aligned, pair_alignment
from keras_cgan.metrics.codes import matching_error, mutual_information_bound
from keras_cgan.metrics.distributions import density_and_coverage, frechet_distance, kernel_distance
from keras_cgan.metrics.likelihood import parzen_log_likelihood
from keras_cgan.metrics.rank import feature_distances, nearest_training_distance, photo_rank
from keras_cgan.metrics.similarity import ms_ssim_within_class
from keras_cgan.metrics.sketches import (
    class_accuracy,
    confusion_matrix,
    l1_distance,
    label_swap,
    within_class_diversity,
    within_class_share,
)
from keras_cgan.metrics.strokes import chamfer_distances, stroke_f1, structural_similarity

__all__ = [
    "chamfer_distances",
    "class_accuracy",
    "confusion_matrix",
    "density_and_coverage",
    "describe_alignment",
    "feature_distances",
    "frechet_distance",
    "is_aligned",
    "kernel_distance",
    "l1_distance",
    "label_swap",
    "matching_error",
    "ms_ssim_within_class",
    "mutual_information_bound",
    "nearest_training_distance",
    "pair_alignment",
    "parzen_log_likelihood",
    "photo_rank",
    "stroke_f1",
    "structural_similarity",
    "within_class_diversity",
    "within_class_share",
]
