"""Headers of a planned study: one data set a series, then what each of its images changes."""

import random
from datetime import date
from typing import Any

from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag
from pydicom.uid import UID

from smi_spark.synthetic.chance import pick, stream
from smi_spark.synthetic.days import whole_years
from smi_spark.synthetic.modalities import PIXELS, SLICES, SOP_CLASSES, TABLES
from smi_spark.synthetic.people import Person
from smi_spark.synthetic.private import add_private
from smi_spark.synthetic.scanners import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, OPERATORS
from smi_spark.synthetic.sequences import add_sequences
from smi_spark.synthetic.studies import Series, Study

_IMPLEMENTATION = "1.3.6.1.4.1.99999.7"
_FULLNESS = (1.0, 1.0, 0.9, 0.5, 0.1)  # share of the optional elements that a series gives: some scanners say little
# These, and all that is the modality's own.
_OPTIONAL = {
    "PatientSize", "PatientComments", "EthnicGroup", "PregnancyStatus", "SmokingStatus", "AdditionalPatientHistory",
    "StudyID", "PhysiciansOfRecord", "RequestingPhysician", "RequestingService", "ReasonForTheRequestedProcedure",
    "AdmissionID", "NumberOfStudyRelatedInstances", "ModalitiesInStudy", "PerformingPhysicianName",
    "PerformedProcedureStepID", "PerformedProcedureStepDescription", "PerformedProcedureStepStartTime",
    "InstitutionAddress", "InstitutionalDepartmentName", "TimeOfLastCalibration", "Laterality",
}  # fmt: skip
