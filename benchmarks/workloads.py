"""What benchmarks/speed.py compares, and on what. Imports no TensorFlow: the options need it first."""

from typing import NamedTuple

# Of Adam, as Keras adds it at the first step. It adds its 1e-7 before the bias of the second moment is
# corrected, PyTorch its 1e-8 afterwards; small gradients tell them apart.
KERAS_EPSILON = 1e-7
TORCH_EPSILON = 1e-8 * (1 - 0.999) ** 0.5
WORKLOADS = "64x8x32,64x32x32,128x16x64,256x1x64"  # the default
LEAST_SIZE = 24  # of the PatchGAN with three stride-2 convolutions


class Workload(NamedTuple):
    """A size of the task: pixels a side, pairs a batch, maps of the first convolution of G and D."""

    image_size: int
    batch_size: int
    filters: int

    @classmethod
    def parse(cls, text):
        """The workload of a text like `"64x8x32"`; raises a `ValueError` that says what is wrong with it."""
        parts = text.split("x")
        if len(parts) != 3 or not all(part.isdecimal() and int(part) for part in parts):
            raise ValueError(
                "a workload must be <image size>x<batch size>x<filters>, three positive integers, such as "
                f"64x8x32. Received: {text!r}"
            )
        workload = cls(*map(int, parts))
        if workload.image_size < LEAST_SIZE or workload.image_size % 4:
            raise ValueError(
                f"a workload's image size must be a multiple of 4, at least {LEAST_SIZE}. Received: {text!r}"
            )
        return workload

    def __str__(self):
        return "x".join(map(str, self))

    @property
    def title(self):
        return f"{self.image_size} px, batch {self.batch_size}, {self.filters} filters"


class Contestant(NamedTuple):
    """One way of taking the training step.

    Attributes:
        title: What a reader calls it.
        update: Whether G learns from D and C after their updates (`"sequential"`) or before.
        joined: Whether D reads real and fake in one batch. With its batch norm that gives other losses.
        precision: `"float32"` or `"bfloat16"`: of the convolutions. Weights are float32 in both.
        torch: Whether it needs PyTorch instead of Keras.
        by_predict: Whether D's fakes are drawn in inference mode.
    """

    title: str
    update: str = "sequential"
    joined: bool = True
    precision: str = "float32"
    torch: bool = False
    by_predict: bool = False

    @property
    def kind(self):
        """What the losses of the first step depend on, beside rounding: arguments of `expected_losses`."""
        return self.update, self.joined, self.by_predict, TORCH_EPSILON if self.torch else KERAS_EPSILON


BASE = "tutorial"  # what speeds are multiples of
CONTESTANTS = {
    "usual-loop": Contestant("usual Keras loop", by_predict=True),
    "tutorial": Contestant("tutorial's fused step", "simultaneous", joined=False),
    "torch": Contestant("PyTorch eager", joined=False, torch=True),
    "torch-bfloat16": Contestant(
        "PyTorch, bfloat16 autocast", joined=False, precision="bfloat16", torch=True
    ),
    "reference": Contestant("ReferenceTrainer"),
    "cgan": Contestant("ConditionalGAN"),
    "cgan-simultaneous": Contestant("ConditionalGAN, simultaneous", "simultaneous", joined=False),
    "cgan-xla": Contestant("ConditionalGAN, XLA"),
    "cgan-bfloat16": Contestant("ConditionalGAN, bfloat16", precision="bfloat16"),
}


class Built(NamedTuple):
    """A contestant that is ready to run.

    Attributes:
        step: A function without arguments that takes one step on the batch: a dict of floats.
        parameters: The numbers of trainable parameters of G, D and C.
        precision: What its convolutions do compute in.
    """

    step: callable
    parameters: tuple
    precision: str
