"""What each image of a series says otherwise than the rest of it: its identity, its time and place, its pixels."""

import numpy as np

from smi_spark.synthetic import captures, frames
from smi_spark.synthetic.chance import stream
from smi_spark.synthetic.encoding import ENCAPSULATED, JPEG, PIXEL_DATA, Element, Elements, data_set
from smi_spark.synthetic.headers import series_syntax
from smi_spark.synthetic.modalities import SLICES, THIN
from smi_spark.synthetic.pixels import Pixels, body, encoded, head, scan_of_probe
from smi_spark.synthetic.series import REPORTS, SCREENS, Content, Series
from smi_spark.synthetic.studies import Study

_SIDE = 16  # pixels of a plain image


def image_elements(study: Study, series: Series, seed: int, number: int) -> Elements:
    """The elements that the image of that number, from 1, has for itself; the same tags in all images of a series."""
    seconds = 9 * 3600 + 300 * series.number + 2 * number
    time = f"{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}.{number * 7919 % 10**6:06d}"
    values = {
        "SOPInstanceUID": series.sop_uid(number),
        "InstanceNumber": number,
        "ContentTime": time,
        "InstanceCreationTime": time,
    }
    if series.content in REPORTS:
        return data_set(values)
    values |= {"AcquisitionNumber": 1, "AcquisitionTime": time}
    if series.modality in SLICES and series.content in (Content.IMAGES, Content.THIN):
        place = f"{-20 + (1 if series.content is Content.THIN else 2.5) * number:.2f}"
        values |= {"SliceLocation": place, "ImagePositionPatient": ["-124.75", "-118.5", place]}
    syntax = series_syntax(study, series)
    elements = data_set(values)
    vr = "OB" if syntax in ENCAPSULATED else "OW"
    elements[PIXEL_DATA] = Element(vr, encoded(_frames(study, series, seed, number, syntax), syntax))
    return elements


def _frames(study: Study, series: Series, seed: int, number: int, syntax: str) -> Pixels:
    if series.content in SCREENS:
        return captures.picture(study, series)[np.newaxis]
    rng = stream(seed, "pixels", series.uid, number)
    if series.content is Content.ENHANCED:
        return np.stack([body(_SIDE, _SIDE, place, frames.FRAMES, rng) for place in range(1, frames.FRAMES + 1)])
    if series.content is Content.THIN:
        side = THIN[series.modality]["Rows"]
        return head(side, side, number, series.images, rng)[np.newaxis]
    if series.modality == "US":
        grey = scan_of_probe(_SIDE, _SIDE, rng)[np.newaxis]
        return grey if syntax == JPEG else np.repeat(grey[..., np.newaxis], 3, axis=-1)
    return body(_SIDE, _SIDE, number, series.images, rng)[np.newaxis]
