"""The made objects of the embedded pairs: chairs, cups and houses."""

import cv2
import numpy as np

from keras_cgan.data.embedded_shapes import Part, arc, box, darker, lighter, ribbon

# Chair ---------------------------------------------------------------------------------------


def chair(traits):
    """Stools, ladder backs, spindle backs and panel backs, seen from various angles."""
    back = traits.choice("none", "slats", "slats", "spindles", "spindles", "panel")
    yaw, pitch = traits.choice(-1, 1) * traits.between(0.15, 0.75), traits.between(0.3, 0.6)
    half_width, half_depth = traits.between(0.38, 0.55), traits.between(0.34, 0.46)
    seat_height, thickness = traits.between(0.7, 1.1), traits.between(0.05, 0.16)
    if back == "none":
        # Lower or wider, a stool would be a table.
        half_width, half_depth, seat_height = 0.6 * half_width, 0.65 * half_depth, 1.1 * seat_height
    wood = traits.colour((0, 360) if traits.chance(0.4) else (15, 45))
    cushion = traits.colour((0, 360)) if traits.chance(0.5) else lighter(wood, 0.3)

    def view(*points):
        x, y, z = np.array(points, dtype=float).T
        across, away = x * np.cos(yaw) + z * np.sin(yaw), z * np.cos(yaw) - x * np.sin(yaw)
        return np.stack([across, -y * np.cos(pitch) - away * np.sin(pitch)], axis=-1)

    def rail(*points, width=0.075, colour=wood):
        return Part(view(*points), colour, texture="wood", width=width)

    parts = _chair_legs(traits, rail, half_width, half_depth, seat_height)
    if back != "none":
        parts += _chair_back(traits, back, view, rail, half_width, half_depth, seat_height, cushion)
    if traits.chance(0.4):
        seat_plan = arc(0, 0, half_width, half_depth)
    else:
        seat_plan = box(-half_width, -half_depth, half_width, half_depth)
    top = view(*[(x, seat_height, z) for x, z in seat_plan])
    block = np.concatenate([top, top + (0, thickness)]).astype("float32")
    parts.append(Part(cv2.convexHull(block)[:, 0].astype(float), darker(cushion, 0.65)))
    parts.append(Part(top, cushion, texture="wood"))
    if back != "none" and traits.chance(0.4):
        rise, reach = traits.between(0.25, 0.4), 0.8 * half_depth
        for x in (-half_width, half_width):
            ends = (x, seat_height + rise, half_depth), (x, seat_height + rise, -reach)
            parts += [rail(*ends), rail(ends[1], (x, seat_height, -reach))]
    return parts


def _chair_legs(traits, rail, half_width, half_depth, seat_height):
    """Four legs with or without rungs, three legs, or one foot."""
    style, splay = traits.choice("four", "four", "four", "three", "foot"), traits.between(1.0, 1.25)
    if style == "foot":
        feet = [(-half_width, 0, 0), (half_width, 0, 0), (0, 0, -half_depth), (0, 0, half_depth)]
        return [rail((0, seat_height, 0), (0, 0.12, 0), width=0.11)] + [
            rail((0, 0.14, 0), foot) for foot in feet
        ]
    corners = [(-1, 1), (1, 1), (-1, -1), (1, -1)] if style == "four" else [(-1, 0.8), (1, 0.8), (0, -1)]
    tops = [(0.9 * x * half_width, seat_height, 0.9 * z * half_depth) for x, z in corners]
    feet = [(splay * x, 0, splay * z) for x, _, z in tops]
    legs = [rail(top, foot) for top, foot in zip(tops, feet)]
    if style == "four" and traits.chance(0.35):
        left, right = (0.6 * np.array(foot) + 0.4 * np.array(top) for foot, top in zip(feet[2:], tops[2:]))
        legs.append(rail(left, right, width=0.05))
    return legs


def _chair_back(traits, style, view, rail, half_width, half_depth, seat_height, cushion):
    top, lean = seat_height + traits.between(0.7, 1.25), half_depth + traits.between(0.0, 0.25)
    bow = traits.between(0.08, 0.3) if traits.chance(0.4) else 0.0
    n_slats = traits.count(2, 4)

    def at(across, up):
        """A point of the back, across in [-1, 1] and up in [0, 1]."""
        height = seat_height + up * (top - seat_height) + up * bow * (1 - across**2)
        return across * half_width, height, half_depth + up * (lean - half_depth)

    edge = [at(across, 1) for across in np.linspace(-1, 1, 9)]
    frame = [at(-1, 0), *edge, at(1, 0)]
    if style == "panel":
        low = traits.between(0.0, 0.45)
        panel = view(at(-1, low), *edge, at(1, low))
        posts = [rail(at(x, 0), at(x, max(low, 0.01))) for x in (-1, 1)]
        return posts + [Part(panel, darker(cushion, 0.9), texture="wood")]
    if style == "slats":
        heights = np.linspace(0, 1, n_slats + 1)[1:-1] if n_slats > 1 else []
        slats = [rail(at(-1, up), at(1, up), width=0.1) for up in heights]
    else:
        spread = np.linspace(-1, 1, n_slats + 2)[1:-1]
        slats = [rail(at(x, 0), at(x, 1), width=0.06) for x in spread]
    return slats + [rail(*frame, width=0.09)]


# Cup -----------------------------------------------------------------------------------------


def cup(traits):
    """Mugs, tea cups on a saucer and tumblers, the handle to either side."""
    kind = traits.choice("mug", "mug", "teacup", "tumbler")
    glaze = traits.colour((0, 360), (0.1, 0.9), (0.5, 1.0))
    drink = traits.colour((15, 45), (0.5, 0.9), (0.2, 0.7))
    side, tilt = traits.choice(-1, 1), traits.between(0.14, 0.32)
    low, high = {"mug": (1.2, 1.9), "teacup": (0.8, 1.1), "tumbler": (1.7, 2.3)}[kind]
    height = traits.between(low, high)
    low, high = {"mug": (0.85, 1.0), "teacup": (0.4, 0.6), "tumbler": (0.6, 0.85)}[kind]
    foot, belly = traits.between(low, high), traits.between(0.0, 0.12) + (0.25 if kind == "teacup" else 0)

    def half_width(down):
        """Half the width of the body at a share of its height below the rim."""
        return 1 + (foot - 1) * down + belly * np.sin(np.pi * down)

    down = np.linspace(0, 1, 14)
    wall = np.stack([half_width(down), down * height], axis=-1)
    base = arc(0, height, foot, tilt * foot, 0, 180, 20)[1:-1]
    body = np.concatenate([wall, base, (wall * (-1, 1))[::-1], arc(0, 0, 1, tilt, 180, 360, 20)[1:-1]])
    parts = []
    if kind == "teacup":
        wide = traits.between(1.25, 1.6)
        parts.append(Part(arc(0, height + 0.05, wide, tilt * wide * 1.1), lighter(glaze, 0.2)))
        hollow = arc(0, height + 0.02, 0.7 * wide, tilt * 0.7 * wide)
        parts.append(Part(hollow, darker(glaze, 0.8), inked=False))
    if kind != "tumbler":
        ring_y, ring = traits.between(0.35, 0.5) * height, traits.between(0.26, 0.4) * height
        line = arc(0.92, ring_y, traits.between(0.4, 0.65), ring, -95, 95, 20) * (side, 1)
        parts.append(Part(ribbon(line, traits.between(0.14, 0.22)), glaze))
    parts.append(Part(body, glaze, "tube"))
    if kind != "teacup":
        parts += _cup_pattern(traits, half_width, height, tilt, glaze)
    parts.append(Part(arc(0, 0, 1, tilt), lighter(glaze, 0.4)))
    parts.append(Part(arc(0, 0.05, 0.85, 0.8 * tilt), drink, inked=traits.chance(0.5)))
    return parts + _steam(traits)


def _cup_pattern(traits, half_width, height, tilt, glaze):
    """Bands, dots, uprights, or nothing."""
    pattern, n_marks = traits.choice("none", "bands", "dots", "uprights"), traits.count(2, 4)
    colour = lighter(glaze, 0.7) if sum(glaze) < 1.6 else darker(glaze, 0.4)
    parts = []
    for share in (np.arange(n_marks) + 0.5) / n_marks:
        if pattern == "bands" and share < 0.7:
            wide, y = half_width(0.35 + 0.55 * share), (0.35 + 0.55 * share) * height
            parts.append(Part(arc(0, y, wide, tilt * wide, 4, 176), colour, width=0.09))
        if pattern == "dots":
            x, y = (1.5 * share - 0.75) * half_width(0.6), (0.55 + 0.1 * np.sin(9 * share)) * height + tilt
            parts.append(Part(arc(x, y, 0.13, 0.15, n_points=18), colour))
        if pattern == "uprights":
            x = 1.6 * share - 0.8
            sag = tilt * np.sqrt(1 - x**2)
            ends = [(x * half_width(d), d * height + sag) for d in (0.12, 0.5, 0.95)]
            parts.append(Part(np.array(ends), colour, width=0.09))
    return parts


def _steam(traits):
    n_wisps, rise = traits.choice(0, 0, 1, 2, 3), traits.between(0.5, 0.9)
    wave = np.linspace(0, 1, 14)
    parts = []
    for x in (np.arange(n_wisps) - (n_wisps - 1) / 2) * 0.5:
        line = np.stack([x + 0.13 * np.sin(2 * np.pi * wave), -0.25 - rise * wave], axis=-1)
        parts.append(Part(line, (0.93, 0.93, 0.95), width=0.07))
    return parts


# House ---------------------------------------------------------------------------------------


def house(traits):
    """Gabled, hipped, lean-to and flat roofs; one or two storeys; the end wall to one side."""
    wall = traits.colour((0, 360), (0.05, 0.6), (0.55, 0.98))
    roof = traits.colour((0, 360), (0.2, 0.8), (0.25, 0.7))
    form, n_storeys = traits.choice("gable", "gable", "hip", "lean", "flat", "side"), traits.choice(1, 1, 2)
    half, storey = traits.between(0.65, 1.05), traits.between(0.65, 0.85)
    height, rise, eaves = n_storeys * storey, traits.between(0.45, 0.9), traits.between(0.05, 0.15)
    wood, glass = traits.colour((0, 360)), traits.colour((180, 240), (0.1, 0.5), (0.25, 0.6))
    top, lean = -height, traits.choice(-1, 1)
    outline = _roof(form, half + eaves, top, rise, lean)
    parts = []
    if traits.chance(0.55):
        x = traits.choice(-1, 1) * traits.between(0.3, 0.6) * half
        above = top - rise - traits.between(0.1, 0.25)
        parts.append(Part(box(x - 0.12, above, x + 0.12, top), darker(roof, 0.8), texture="wood"))
    if form == "side":
        near, far = lean * half, lean * (half + traits.between(0.4, 0.7))
        ridge = ((near + far) / 2, top - 0.8 * rise)
        gable = [(near, 0), (near, top), ridge, (far, top - 0.08), (far, -0.12)]
        parts.append(Part(np.array(gable), darker(wall, 0.75)))
        # The roof's edge on that side is the end wall's.
        outline[1 if lean < 0 else 2] = ridge
        outline[0 if lean < 0 else 3] = (near, top)
    parts.append(Part(box(-half, top, half, 0), wall, texture="wood"))
    parts.append(Part(np.array(outline), roof, texture="wood"))
    if form == "gable" and traits.chance(0.4):
        parts.append(Part(arc(0, top - 0.36 * rise, 0.13, 0.13, n_points=18), glass))
    return parts + _openings(traits, half, storey, n_storeys, wood, glass)


def _roof(form, half, top, rise, lean):
    """The corners of a roof front from the lower left one to the lower right one."""
    if form == "gable":
        return [(-half, top), (0, top - rise), (half, top)]
    inset = {"hip": 0.5, "side": 0.85, "lean": 1.0, "flat": 1.0}[form]
    rises = {"lean": (0.9 * rise, 0.15)[::-lean], "flat": (0.16, 0.16)}.get(form, (0.8 * rise,) * 2)
    return [(-half, top), (-inset * half, top - rises[0]), (inset * half, top - rises[1]), (half, top)]


def _openings(traits, half, storey, n_storeys, wood, glass):
    """The door at one of three places and a window in some of the other bays."""
    door_bay, bars = traits.count(0, 2), traits.choice("cross", "bar", "none", "none")
    open_width, tall = traits.between(0.17, 0.24) * half, traits.between(0.38, 0.5) * storey
    parts = []
    for level in range(n_storeys):
        for bay in range(3):
            x, y = (bay - 1) * 0.64 * half, -(level + 0.58) * storey
            filled = traits.chance(0.5)
            if level == 0 and bay == door_bay:
                up = -0.78 * storey
                parts.append(Part(box(x - open_width, up, x + open_width, 0), wood, texture="wood"))
                knob = arc(x + 0.5 * open_width, up / 2, 0.03, 0.03, n_points=8)
                parts.append(Part(knob, lighter(wood, 0.8)))
            elif filled:
                parts.append(Part(box(x - open_width, y - tall / 2, x + open_width, y + tall / 2), glass))
                if bars != "none":
                    upright = np.array([(x, y - tall / 2), (x, y + tall / 2)])
                    parts.append(Part(upright, (0.9, 0.9, 0.88), width=0.04))
                if bars == "cross":
                    level_bar = np.array([(x - open_width, y), (x + open_width, y)])
                    parts.append(Part(level_bar, (0.9, 0.9, 0.88), width=0.04))
    return parts
