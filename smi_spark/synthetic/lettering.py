"""Text drawn into pictures, as devices burn it in: capitals of 5 by 7 dots, with room for accents above."""

import unicodedata

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Dots = npt.NDArray[np.bool_]
Box = tuple[int, int, int, int]  # left, top, right, bottom; right and bottom are the first pixels outside

WIDTH, HEIGHT = 6, 10  # dots of a letter with the gap behind it: two rows of accent, a gap, seven rows of letter

# Letters, each before its five columns, a byte each, the lowest bit on top.
_DRAWN = """
    A7e1111117e B7f49494936 C3e41414122 D7f4141413e E7f49494941 F7f09090901 G3e4149497a H7f0808087f I00417f4100
    J2040413f01 K7f08142241 L7f40404040 M7f020c027f N7f0608307f O3e4141413e P7f09090906 Q3e4151613e R7f09192946
    S4649494931 T01017f0101 U3f4040403f V0718601807 W3f4038403f X6314081463 Y0708700807 Z6151494543 ẞ7e01494936
    Œ3e417f4941 01c2241221c 100427f4000 24261514946 32141454b31 41814127f10 52745454539 63c4a494930 70171090503
    83649494936 9064949291e -0808080808 :0036360000 .0060600000 /2010080402 '0005030000 ,0050300000
"""
_LETTERS = {drawn[0]: bytes.fromhex(drawn[1:]) for drawn in _DRAWN.split()}
_ACCENTS = {  # combining mark → two rows of dots
    "\N{COMBINING DIAERESIS}": (".#.#.", "....."),
    "\N{COMBINING ACUTE ACCENT}": ("...#.", "..#.."),
    "\N{COMBINING RING ABOVE}": (".###.", ".#.#."),
    "\N{COMBINING TILDE}": (".#..#", "#.##."),
}


def lettered(text: str) -> bool:
    """Whether each letter of ``text`` can be drawn."""
    return all(part == " " or part in _LETTERS or part in _ACCENTS for part in _parts(text))


def write(picture: Picture, left: int, top: int, text: str, scale: int, level: int = 255) -> Box:
    """Draw ``text`` in capitals of ``scale`` pixels a dot, rows by columns of ``picture``; gives the box that it fills.

    Raises ValueError where the text does not fit.
    """
    dots = _dots(text)
    rows, columns = dots.shape[0] * scale, dots.shape[1] * scale
    box = (left, top, left + columns, top + rows)
    if box[2] > picture.shape[1] or box[3] > picture.shape[0]:
        raise ValueError(f"a text of {columns} by {rows} pixels does not fit into {picture.shape}")
    picture[top : box[3], left : box[2]][dots.repeat(scale, axis=0).repeat(scale, axis=1)] = level
    return box


def _dots(text: str) -> Dots:
    """The text as dots, HEIGHT rows, without the gap behind its last letter."""
    cells: list[Dots] = []
    for part in _parts(text):
        if part in _ACCENTS:
            cells[-1][:2, :5] = [[dot == "#" for dot in row] for row in _ACCENTS[part]]
            continue
        cell = np.zeros((HEIGHT, WIDTH), np.bool_)
        if part != " ":
            columns = np.frombuffer(_LETTERS[part], np.uint8)
            cell[3:, :5] = columns[None, :] >> np.arange(7, dtype=np.uint8)[:, None] & 1
        cells.append(cell)
    return np.concatenate(cells, axis=1)[:, : WIDTH * len(cells) - 1]


def _parts(text: str) -> str:
    return unicodedata.normalize("NFD", text.upper())
