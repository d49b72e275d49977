SELECT i.* FROM images AS i
WHERE modality = 'PT' AND body_part_label = 'wholebody'
  AND EXISTS (SELECT 1 FROM smr06 AS r WHERE r.patient_id = i.patient_id AND {smr06 ICD-10 C81 C82 C83 C84 C85 C86}
              AND r.INCIDENCE_DATE <= add_months(i.StudyDate, 1))
  AND EXISTS (SELECT 1 FROM smr01 AS r WHERE r.patient_id = i.patient_id AND {smr01 OPCS-4 X72}
              AND (r.ADMISSION_DATE BETWEEN date_add(i.StudyDate, 1) AND add_months(i.StudyDate, 2)
                   OR r.ADMISSION_DATE BETWEEN add_months(i.StudyDate, -3) AND date_sub(i.StudyDate, 1)))
