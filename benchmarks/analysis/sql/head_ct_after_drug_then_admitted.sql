SELECT i.* FROM images AS i
WHERE modality = 'CT' AND body_part_label = 'head'
  AND EXISTS (SELECT 1 FROM prescribing AS r WHERE r.patient_id = i.patient_id AND r.PI_BNF_ITEM_CODE LIKE '0208020V0%'
              AND r.PRESCRIBED_DATE BETWEEN add_months(i.StudyDate, -6) AND i.StudyDate)
  AND EXISTS (SELECT 1 FROM smr01 AS r WHERE r.patient_id = i.patient_id
              AND r.ADMISSION_DATE BETWEEN date_add(i.StudyDate, 1) AND add_months(i.StudyDate, 3))
