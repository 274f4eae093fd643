"""The ResNet classifier: its stages, by default and as ControlGAN has them."""

import keras

from keras_cgan import resnet_classifier


def blocks(classifier):
    return {
        layer.name: tuple(layer.output.shape[1:])
        for layer in classifier.layers
        if isinstance(layer, keras.layers.Add)
    }


def test_one_block_a_stage_by_default():
    assert blocks(resnet_classifier((32, 32, 1), 3)) == {
        "stage1_add": (16, 16, 32),
        "stage2_add": (8, 8, 64),
        "stage3_add": (4, 4, 128),
    }


def test_the_nine_blocks_of_controlgan():
    classifier = resnet_classifier((32, 32, 3), 10, blocks=3, growth=4, stem_strides=1)
    sizes = list(blocks(classifier).values())
    assert sizes == [(32, 32, 32)] * 3 + [(16, 16, 128)] * 3 + [(8, 8, 512)] * 3
    shortcuts = [layer.name for layer in classifier.layers if layer.name.endswith("_shortcut_conv")]
    assert shortcuts == ["stage2_shortcut_conv", "stage3_shortcut_conv"]
