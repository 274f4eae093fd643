"""The PyTorch contestants of benchmarks/speed.py: the same networks, the step as in pix2pix's PyTorch code.

Imports no TensorFlow: the memory of these contestants is then PyTorch's alone.
"""

import numpy as np
import torch
from side_by_side import N_CLASSES
from torch import nn
from torch.nn import functional
from workloads import Built

L1_WEIGHT = 100.0


def build(workload, batch, precision, start=None):
    """Builds a contestant of PyTorch.

    Args:
        workload: A `Workload`.
        batch: `({"photo", "label"}, sketch)`, channels last.
        precision: `"float32"`, or `"bfloat16"` for autocast.
        start: Keras networks whose weights it starts from; by default its own.

    Returns:
        A `Built`.
    """
    parts = networks(workload)
    for network, other in zip(parts, start or ()):
        copy_weights(other, network)
    x, sketch = batch
    images = [np.ascontiguousarray(image.transpose(0, 3, 1, 2)) for image in (x["photo"], sketch)]
    trainer = Trainer(*parts, autocast=precision == "bfloat16")
    parameters = tuple(sum(p.numel() for p in network.parameters()) for network in parts)
    return Built(lambda: trainer.train_on_batch(*images, x["label"]), parameters, trainer.precision())


def networks(workload):
    """Twins of `contestants.networks`."""
    return (
        UNet(workload.image_size, workload.filters),
        patch_gan(workload.filters),
        LeNet(workload.image_size),
    )


def norm(channels):
    """Batch norm as Keras has it."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class UNet(nn.Module):
    """pix2pix's U-Net: as deep as the size halves evenly, at most 8 times."""

    def __init__(self, image_size, filters):
        super().__init__()
        depth = 0
        while depth < 8 and image_size % 2 ** (depth + 1) == 0:
            depth += 1
        widths = [filters * min(2**step, 8) for step in range(depth)]
        self.downs = nn.ModuleList([nn.Sequential(nn.Conv2d(3, filters, 4, 2, 1))])
        for step in range(1, depth):
            # No norm at one pixel, where it would give zero.
            normed = image_size // 2 ** (step + 1) > 1
            conv = nn.Conv2d(widths[step - 1], widths[step], 4, 2, 1, bias=not normed)
            self.downs.append(nn.Sequential(conv, norm(widths[step])) if normed else nn.Sequential(conv))
        self.ups = nn.ModuleList()
        channels = widths[-1]
        for width in reversed(widths[:-1]):
            up = nn.ConvTranspose2d(channels, width, 4, 2, 1, bias=False)
            self.ups.append(nn.Sequential(up, norm(width)))
            channels = 2 * width
        self.last = nn.ConvTranspose2d(channels, 1, 4, 2, 1)

    def forward(self, photo):
        x = self.downs[0](photo)
        skips = []
        for down in self.downs[1:]:
            skips.append(x)
            # In place, as in the original: the skip is changed too, but a ReLU follows it anyway.
            x = down(functional.leaky_relu(x, 0.2, inplace=True))
        for up, skip in zip(self.ups, reversed(skips)):
            x = torch.cat([up(functional.relu(x, inplace=True)), skip], 1)
        return torch.tanh(self.last(functional.relu(x, inplace=True)))


def patch_gan(filters, n_layers=3):
    """pix2pix's discriminator, to its logits."""
    layers = [nn.Conv2d(4, filters, 4, 2, 1), nn.LeakyReLU(0.2, True)]
    width = filters
    for step in range(1, n_layers + 1):
        before, width = width, filters * min(2**step, 8)
        stride = 2 if step < n_layers else 1
        layers += [nn.Conv2d(before, width, 4, stride, 1, bias=False), norm(width), nn.LeakyReLU(0.2, True)]
    return nn.Sequential(*layers, nn.Conv2d(width, 1, 4, 1, 1))


class LeNet(nn.Module):
    """The answer's classifier, to its logits."""

    def __init__(self, image_size):
        super().__init__()
        side = ((image_size - 4) // 2 - 4) // 2
        self.convs = nn.Sequential(
            *(nn.Conv2d(1, 12, 5), nn.ReLU(True), nn.MaxPool2d(2)),
            *(nn.Conv2d(12, 25, 5), nn.ReLU(True), nn.MaxPool2d(2)),
        )
        self.dense = nn.Sequential(
            *(nn.Linear(25 * side**2, 180), nn.ReLU(True)),
            *(nn.Linear(180, 100), nn.ReLU(True)),
            nn.Linear(100, N_CLASSES),
        )

    def forward(self, sketch):
        # Keras flattens with the channels last.
        return self.dense(self.convs(sketch).permute(0, 2, 3, 1).flatten(1))


_BATCH_NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}


def copy_weights(keras_network, network):
    """Gives a PyTorch network the weights of its Keras twin."""
    sources = [layer for layer in keras_network.layers if layer.weights]
    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear, nn.BatchNorm2d)
    modules = [module for module in network.modules() if isinstance(module, kinds)]
    for layer, module in zip(sources, modules, strict=True):
        names = _BATCH_NORM if isinstance(module, nn.BatchNorm2d) else {"weight": "kernel", "bias": "bias"}
        for name, source in names.items():
            target = getattr(module, name)
            if target is None:
                continue
            # (h, w, in, out) to (out, in, h, w), which for transposed convolutions is (h, w, out, in) to
            # (in, out, h, w); (in, out) to (out, in); a vector as it is.
            array = np.array(getattr(layer, source)).T
            array = array.swapaxes(2, 3) if array.ndim == 4 else array
            if array.shape != tuple(target.shape):
                raise ValueError(f"{layer.name}: {source} {array.shape} does not fit {tuple(target.shape)}")
            with torch.no_grad():
                target.copy_(torch.from_numpy(np.ascontiguousarray(array)))


def drawing(keras_generator, photo):
    """A function that draws photos, `(batch, height, width, 3)`, by the twin of a Keras generator."""
    network = UNet(keras_generator.input_shape[1], keras_generator.get_layer("down1_conv").filters)
    copy_weights(keras_generator, network)
    network.eval()
    photo = torch.from_numpy(photo).permute(0, 3, 1, 2).contiguous()

    def draw():
        with torch.no_grad():
            return network(photo).permute(0, 2, 3, 1).numpy()

    return draw


class Trainer:
    """One step of D, of C, then of G through both, with each frozen while it is not its turn.

    Args:
        generator, discriminator, classifier: Networks.
        autocast: Whether forward passes and losses run in bfloat16 where PyTorch deems that safe.
    """

    def __init__(self, generator, discriminator, classifier, autocast=False):
        self.generator, self.discriminator, self.classifier = generator, discriminator, classifier
        self.g_optimizer, self.d_optimizer = (
            torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999))
            for network in (generator, discriminator)
        )
        self.c_optimizer = torch.optim.Adam(classifier.parameters(), 1e-3)
        self._autocast = autocast

    def train_on_batch(self, photo, sketch, label):
        """One step from arrays, images with the channels first. Returns a dict of floats."""
        photo, sketch, label = map(torch.from_numpy, (photo, sketch, label))
        with self._precision():
            fakes = self.generator(photo)

        def d_loss():
            on_fake = self.discriminator(torch.cat([photo, fakes.detach()], 1))
            on_real = self.discriminator(torch.cat([photo, sketch], 1))
            return 0.5 * (_real_fake(on_fake, 0) + _real_fake(on_real, 1))

        losses = {"d_loss": self._update(self.discriminator, self.d_optimizer, d_loss)}
        losses["c_loss"] = self._update(
            self.classifier,
            self.c_optimizer,
            lambda: functional.cross_entropy(self.classifier(sketch).float(), label),
        )

        for network in (self.discriminator, self.classifier):
            network.requires_grad_(False)

        def g_loss():
            losses["g_l1"] = functional.l1_loss(fakes.float(), sketch)
            losses["g_adv"] = _real_fake(self.discriminator(torch.cat([photo, fakes], 1)), 1)
            losses["g_class"] = functional.cross_entropy(self.classifier(fakes).float(), label)
            return L1_WEIGHT * losses["g_l1"] + losses["g_adv"] + losses["g_class"]

        losses["g_loss"] = self._update(self.generator, self.g_optimizer, g_loss)
        return {name: loss.item() for name, loss in losses.items()}

    def _update(self, network, optimizer, get_loss):
        network.requires_grad_(True)
        optimizer.zero_grad()
        with self._precision():
            loss = get_loss()
        loss.backward()
        optimizer.step()
        return loss

    def _precision(self):
        return torch.autocast("cpu", dtype=torch.bfloat16, enabled=self._autocast)

    def precision(self):
        """What convolutions compute in: the type of what one gives."""
        conv = self.discriminator[0]
        with torch.no_grad(), self._precision():
            return str(conv(torch.zeros(1, 4, 8, 8)).dtype).removeprefix("torch.")


def _real_fake(logits, target):
    return functional.binary_cross_entropy_with_logits(
        logits.float(), torch.full_like(logits, target).float()
    )
