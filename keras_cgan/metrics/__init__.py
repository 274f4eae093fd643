"""How good is what is drawn? Each measure is a plain function of arrays, and none stands alone.

Of sketches of a photo, of any images of classes, of a distribution, and of codes.
"""

from keras_cgan.metrics.codes import matching_error, mutual_information_bound
from keras_cgan.metrics.likelihood import parzen_log_likelihood
from keras_cgan.metrics.similarity import ms_ssim_within_class
from keras_cgan.metrics.sketches import class_accuracy, l1_distance, label_swap, within_class_diversity

__all__ = [
    "class_accuracy",
    "l1_distance",
    "label_swap",
    "matching_error",
    "ms_ssim_within_class",
    "mutual_information_bound",
    "parzen_log_likelihood",
    "within_class_diversity",
]
