"""The living objects of the embedded pairs: trees, oranges and fish."""

import dataclasses

import numpy as np

from keras_cgan.data.embedded_shapes import Part, arc, curve, darker, leaf, lighter, polar, ribbon

# Tree ----------------------------------------------------------------------------------------


def tree(traits):
    """Conifers, round and tall crowns, clouds of leaves, palms and bare trees."""
    kind = traits.choice("conifer", "round", "clouds", "palm", "bare", "tall")
    bark = traits.colour((10, 45), (0.25, 0.7), (0.25, 0.65))
    green = traits.colour((70, 150)) if traits.chance(0.65) else traits.colour((5, 70))
    return {"conifer": _conifer, "palm": _palm, "bare": _bare}.get(kind, _leafy)(traits, bark, green, kind)


def _trunk(bark, height, foot, top, lean=0.0):
    line = curve((0, 0), (0, -height / 2), (lean, -height))
    return Part(ribbon(line, np.linspace(foot, top, len(line))), bark, "tube", "wood")


def _conifer(traits, bark, green, _kind):
    n_tiers, half_width, tall = traits.count(2, 4), traits.between(0.45, 0.75), traits.between(1.6, 2.2)
    trunk, tier = traits.between(0.15, 0.45), tall / n_tiers
    parts = [_trunk(bark, trunk + 0.2, 0.2, 0.18)]
    for i in range(n_tiers):
        half, bottom = half_width * (1 - 0.62 * i / n_tiers), -trunk - i * tier * 0.85
        hem = curve((half, bottom), (0, bottom + traits.between(0.0, 0.25)), (-half, bottom))
        tip = (0, bottom - 1.25 * tier)
        parts.append(Part(np.concatenate([hem, [tip]]), green, "tube", "leaves"))
    return parts


def _lobed(traits, x, y, radius_x, radius_y, n_lobes, depth=0.16):
    """A crown outline with scallops, as people draw foliage and as it shows against the sky."""
    angle, phase = np.linspace(0, 2 * np.pi, 90, endpoint=False), traits.between(0, np.pi)
    reach = 1 - depth + 1.6 * depth * np.abs(np.sin(n_lobes * angle / 2 + phase))
    return np.stack([x + radius_x * reach * np.cos(angle), y + radius_y * reach * np.sin(angle)], axis=-1)


def _leafy(traits, bark, green, kind):
    height, foot = traits.between(0.5, 1.0), traits.between(0.18, 0.34)
    parts = [_trunk(bark, height + 0.3, foot, 0.7 * foot, traits.between(-0.15, 0.15))]
    if kind == "clouds":
        n_clouds = traits.count(2, 4)
        for i, angle in enumerate(np.linspace(150, 30, n_clouds)):
            x, y = polar(0, -height, traits.between(0.6, 0.8), angle)
            parts.append(Part(np.array([(0, 0.1 - height), (x, y)]), bark, width=0.1))
            radius = traits.between(0.3, 0.48)
            crown = _lobed(traits, x, y, radius, 0.85 * radius, 6)
            parts.append(Part(crown, darker(green, 1 - 0.08 * (i % 2)), "round", "leaves"))
        return parts
    across = traits.between(0.35, 0.5) if kind == "tall" else traits.between(0.65, 0.95)
    up = traits.between(0.9, 1.2) if kind == "tall" else traits.between(0.55, 0.8)
    middle = -height - 0.75 * up
    if kind == "tall":
        crown = arc(0, middle, across, up)
        crown[:, 0] *= 1 - 0.35 * (middle - crown[:, 1]) / up
    else:
        crown = _lobed(traits, 0, middle, across, up, traits.count(6, 11))
    parts.append(Part(crown, green, "round", "leaves"))
    fruit = traits.colour((0, 60)) if traits.chance(0.4) else None
    for _ in range(traits.count(2, 3) if kind == "tall" else traits.count(3, 5)):
        x, y = polar(0, middle, 1, traits.between(0, 360)) * (0.55 * across, 1)
        y = middle + (y - middle) * 0.55 * up
        if fruit:
            parts.append(Part(arc(x, y, 0.09, 0.09, n_points=14), fruit, "round"))
        else:
            parts.append(Part(arc(x, y, 0.14, 0.1, 190, 350, 10), darker(green, 0.45), width=0.035))
    return parts


def _palm(traits, bark, green, _kind):
    height, lean = traits.between(1.2, 1.8), traits.choice(-1, 1) * traits.between(0.1, 0.6)
    line = curve((0, 0), (0, -0.6 * height), (lean, -height), 24)
    widths = np.linspace(0.24, 0.13, len(line))
    parts = [Part(ribbon(line, widths), bark, "tube", "wood")]
    for i in range(5, 20, 5):
        parts.append(Part(ribbon(line, widths)[[i, -1 - i]], darker(bark, 0.5), width=0.03))
    n_fronds, droop = traits.count(5, 7), traits.between(0.3, 0.8)
    for angle in np.linspace(-25, 205, n_fronds):
        length = traits.between(0.75, 1.0)
        bend = polar(lean, -height, 0.6 * length, angle) - (0, 0.2)
        tip = polar(lean, -height, length, angle) + (0, droop * abs(np.cos(np.radians(angle))))
        parts.append(Part(leaf((lean, -height), bend, tip, 0.22), green, "flat", "leaves"))
    if traits.chance(0.5):
        for x in (-0.09, 0.09):
            parts.append(Part(arc(lean + x, 0.05 - height, 0.09, 0.09, n_points=14), darker(bark), "round"))
    return parts


def _bare(traits, bark, _green, _kind):
    height, n_boughs = traits.between(0.7, 1.1), traits.count(3, 5)
    parts = [_trunk(bark, height, traits.between(0.22, 0.38), 0.18)]
    spread = traits.between(50, 75)
    for i, angle in enumerate(np.linspace(90 + spread, 90 - spread, n_boughs)):
        start = np.array([0, -height * (0.97 if i % 2 else 0.85)])
        end = polar(*start, traits.between(0.7, 0.95), angle)
        parts.append(Part(np.array([start, end]), bark, texture="wood", width=0.11))
        for side in (-1, 1):
            fork = start + (end - start) * traits.between(0.4, 0.7)
            twig = polar(*fork, traits.between(0.3, 0.5), angle + side * traits.between(25, 45))
            parts.append(Part(np.array([fork, twig]), bark, texture="wood", width=0.06))
    return parts


# Orange --------------------------------------------------------------------------------------


def orange(traits):
    """Whole, with leaves, cut in half, a pair, or with the peel hanging."""
    kind = traits.choice("whole", "leaf", "half", "pair", "peel")
    peel = traits.colour((12, 55), (0.65, 0.95), (0.75, 1.0))
    if kind == "half":
        return _half_orange(traits, 0, 0, peel)
    if kind == "pair":
        side, drop = traits.choice(-1, 1), traits.between(-0.1, 0.2)
        second = _half_orange if traits.chance(0.5) else _whole_orange
        return _whole_orange(traits, 0, 0, peel) + second(traits, side * traits.between(1.1, 1.6), drop, peel)
    parts = _whole_orange(traits, 0, 0, peel)
    if kind == "leaf":
        green, n_leaves = traits.colour((75, 150), (0.5, 0.9), (0.35, 0.7)), traits.count(1, 3)
        parts.append(Part(curve((0, -0.92), (0, -1.1), (0.06, -1.3)), darker(green), width=0.1))
        for angle in np.linspace(25, 155, n_leaves) if n_leaves > 1 else [traits.between(20, 160)]:
            start, length = (0, -0.98), traits.between(0.75, 1.05)
            stop = polar(*start, length, angle + traits.between(-10, 10))
            bend = polar(*start, 0.6 * length, angle + 30)
            parts.append(Part(leaf(start, bend, stop, 0.36), green, texture="leaves"))
            parts.append(Part(curve(start, bend, stop)[2:13], darker(green, 0.5), width=0.025))
    if kind == "peel":
        parts += _peel_strip(traits, peel)
    return parts


def _whole_orange(traits, x, y, peel):
    squash = traits.between(0.85, 1.0)
    parts = [Part(arc(x, y, 1, squash), peel, "round", "peel")]
    turn = traits.between(200, 340)
    navel_x, navel_y = polar(x, y, traits.between(0.35, 0.7), turn + 180)
    for angle in range(0, 180, 60):
        ends = [polar(navel_x, navel_y, 0.13, angle + side) for side in (0, 180)]
        parts.append(Part(np.array(ends), darker(peel, 0.45), width=0.05))
    for _ in range(traits.count(2, 6)):
        dot = polar(x, y, traits.between(0.45, 0.75) * squash, turn + traits.between(-80, 80))
        parts.append(Part(arc(*dot, 0.035, 0.035, n_points=8), darker(peel, 0.55)))
    return parts


def _half_orange(traits, x, y, peel):
    tilt, n_segments, phase = traits.between(0.75, 1.0), traits.count(5, 9), traits.between(0, 60)
    flesh, pith = lighter(peel, traits.between(0.0, 0.3)), lighter(peel, 0.8)
    # From above, the rind and the cut have one outline.
    rind = arc(x, y + (1 - tilt), 1, 0.95)
    parts = [Part(rind, darker(peel, 0.85), "round", "peel", inked=tilt < 0.88)]
    parts.append(Part(arc(x, y, 1, tilt), pith))
    parts.append(Part(arc(x, y, 0.82, 0.82 * tilt), flesh, texture="peel"))
    for angle in phase + np.arange(n_segments) * 360 / n_segments:
        ends = [polar(0, 0, radius, angle) * (1, tilt) + (x, y) for radius in (0.1, 0.8)]
        parts.append(Part(np.array(ends), pith, width=0.06))
    return parts


def _peel_strip(traits, peel):
    """A bare cap on the fruit and the strip cut from it, hanging beside it in a curl."""
    side, reach = traits.choice(-1, 1), traits.between(0.9, 1.3)
    cut = arc(0, -0.3, 0.94, traits.between(0.15, 0.4), 0, 180)
    bare = np.concatenate([arc(0, 0, 1, 0.9, 200, 340), cut])
    line = np.concatenate(
        [
            curve((side * 0.95, -0.25), (side * 1.35, 0.0), (side * 1.2, 0.45)),
            curve((side * 1.2, 0.45), (side * 1.0, 0.9), (side * (0.6 + reach), 1.0))[1:],
        ]
    )
    return [
        Part(bare, lighter(peel, 0.75), "round"),
        Part(ribbon(line, np.linspace(0.34, 0.2, len(line))), peel, texture="peel"),
    ]


# Fish ----------------------------------------------------------------------------------------


def fish(traits):
    """Slender to round fish with various tails, fins and stripes, facing left or right."""
    skin = traits.colour((0, 360), (0.25, 0.9), (0.5, 0.95))
    fin = traits.colour((0, 360)) if traits.chance(0.4) else darker(skin, 0.75)
    depth, front, pointed = traits.between(0.3, 0.75), traits.between(0.6, 0.95), traits.between(0.75, 1.3)
    along = np.linspace(0, 1, 30)

    def half_depth(at):
        """Half the body's depth at a share of its length behind the nose."""
        return depth * np.sin(np.pi * np.clip(at, 0, 1) ** front) ** pointed + 0.07 * at

    back = np.stack([2 * along - 1, -half_depth(along)], axis=-1)
    belly = np.stack([2 * along - 1, 0.9 * half_depth(along)], axis=-1)[::-1]
    parts = [_tail(traits, fin)] + _fins(traits, fin, half_depth)
    parts.append(Part(np.concatenate([back, belly]), skin, "round", "peel"))
    parts += _fish_marks(traits, skin, half_depth)
    gill, eye = 2 * traits.between(0.25, 0.33) - 1, traits.between(0.06, 0.11)
    reach = 0.7 * half_depth((gill + 1) / 2)
    parts.append(Part(arc(gill - 0.12, 0, 0.16, reach, -75, 75, 14), darker(skin, 0.5), width=0.04))
    parts.append(Part(arc(-0.72, -0.3 * half_depth(0.14), eye, eye, n_points=18), (0.95, 0.95, 0.9)))
    parts.append(Part(arc(-0.73, -0.3 * half_depth(0.14), eye / 2, eye / 2, n_points=12), (0.05, 0.05, 0.08)))
    mouth = curve((-0.97, 0.06), (-0.88, 0.1), (-0.8, 0.06 + 0.15 * depth))
    parts.append(Part(mouth, darker(skin, 0.4), width=0.04))
    facing = traits.choice(-1, 1)
    return [dataclasses.replace(part, points=part.points * (facing, 1)) for part in parts]


def _tail(traits, fin):
    form = traits.choice("fork", "fan", "crescent", "spade")
    long, wide = traits.between(0.4, 0.7), traits.between(0.35, 0.65)
    tip = 0.9 + long
    if form == "spade":
        upper = curve((0.88, 0), (1.1, -1.3 * wide), (tip, 0))
        outline = np.concatenate([upper, (upper * (1, -1))[::-1]])
    else:
        notch = ({"fork": 0.9 + 0.45 * long, "fan": tip + 0.15, "crescent": 0.9 + 0.1 * long}[form], 0)
        upper, lower = (tip, -wide), (tip, wide)
        hem = [notch] if form == "fork" else curve(upper, notch, lower)[1:-1]
        outline = np.concatenate([[(0.88, -0.05), upper], hem, [lower, (0.88, 0.05)]])
    return Part(outline, fin, texture="wood")


def _fins(traits, fin, half_depth):
    """A fin on the back, pointed, long or with spines, and one or two below."""
    form, rise = traits.choice("pointed", "long", "spines"), traits.between(0.2, 0.4)
    start, stop = {"pointed": (0.4, 0.65), "long": (0.3, 0.9), "spines": (0.3, 0.75)}[form]
    at = np.linspace(start, stop, 9)
    root = np.stack([2 * at - 1, 0.05 - half_depth(at)], axis=-1)
    top = root[::-1].copy()
    if form == "pointed":
        top = np.array([(root[-1, 0] + 0.15, root[:, 1].min() - rise)])
    elif form == "long":
        top[:, 1] -= rise * np.sin(np.linspace(0.15, 1, 9) * np.pi / 1.3) * 0.8
    else:
        top[:, 1] -= rise * np.where(np.arange(9) % 2, 1.0, 0.4)
    parts = [Part(np.concatenate([root, top]), fin, texture="wood")]
    for at in (0.42, 0.75)[: traits.count(1, 2)]:
        x, y = 2 * at - 1, 0.9 * half_depth(at) - 0.06
        parts.append(Part(np.array([(x, y), (x + 0.28, y), (x + 0.3, y + 0.3)]), fin, texture="wood"))
    return parts


def _fish_marks(traits, skin, half_depth):
    marks, n_marks = traits.choice("none", "stripes", "stripes", "scales", "line"), traits.count(1, 4)
    colour = darker(skin, 0.35) if sum(skin) > 1.3 else lighter(skin, 0.7)
    parts = []
    if marks == "line":
        parts.append(Part(curve((-0.3, -0.05), (0.2, -0.15), (0.85, 0)), colour, width=0.06))
    for at in 0.4 + 0.46 * (np.arange(n_marks) + 0.5) / n_marks:
        x, reach = 2 * at - 1, half_depth(at)
        if marks == "stripes":
            parts.append(Part(arc(x - 0.08, 0, 0.1, 0.9 * reach, -78, 78, 12), colour, width=0.09))
        if marks == "scales":
            for y in (-0.4 * reach, 0.35 * reach):
                parts.append(Part(arc(x, y, 0.08, 0.1, -80, 80, 10), colour, width=0.045))
    return parts
