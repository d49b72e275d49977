SELECT i.* FROM images AS i
WHERE modality = 'MG' AND PatientSex = 'F'
  AND EXISTS (SELECT 1 FROM smr06 AS r WHERE r.patient_id = i.patient_id AND {smr06 ICD-10 C50}
              AND r.INCIDENCE_DATE BETWEEN i.StudyDate AND add_months(i.StudyDate, 24))
