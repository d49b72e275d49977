SELECT i.* FROM images AS i
WHERE modality = 'CT' AND body_part_label = 'head' AND age_at_study <= 15
  AND EXISTS (SELECT 1 FROM ae AS r WHERE r.patient_id = i.patient_id AND {ae ICD-10 S0}
              AND r.ARRIVAL_DATE BETWEEN date_sub(i.StudyDate, 1) AND i.StudyDate)
  AND NOT EXISTS (SELECT 1 FROM smr01 AS r WHERE r.patient_id = i.patient_id
                  AND r.ADMISSION_DATE BETWEEN i.StudyDate AND date_add(i.StudyDate, 7))
