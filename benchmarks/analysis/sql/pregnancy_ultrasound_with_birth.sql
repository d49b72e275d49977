SELECT i.* FROM images AS i
WHERE modality = 'US' AND PatientSex = 'F' AND age_at_study BETWEEN 15 AND 50
  AND (body_part_label IS NULL OR body_part_label NOT IN ('breast', 'neck'))
  AND EXISTS (SELECT 1 FROM smr02 AS r WHERE r.patient_id = i.patient_id AND r.DATE_OF_DELIVERY IS NOT NULL
              AND r.NUM_OF_BIRTHS_THIS_PREGNANCY >= 1
              AND r.ADMISSION_DATE BETWEEN i.StudyDate AND date_add(i.StudyDate, 210))
