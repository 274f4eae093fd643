"""Networks that name the class of a sketch."""

from keras_cgan.classifiers.lenet import lenet_classifier
from keras_cgan.classifiers.resnet import resnet_classifier
from keras_cgan.classifiers.vgg import vgg_classifier

__all__ = ["lenet_classifier", "resnet_classifier", "vgg_classifier"]
