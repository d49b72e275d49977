WITH strokes AS (
    SELECT patient_id, min(ADMISSION_DATE) AS day FROM smr01 AS r WHERE {smr01 MAIN_CONDITION I61 I63 I64}
    GROUP BY patient_id),
  followed AS (
    SELECT * FROM strokes AS s WHERE EXISTS (SELECT 1 FROM deaths AS d WHERE d.patient_id = s.patient_id
                                             AND d.DATE_OF_DEATH BETWEEN s.day AND date_add(s.day, 30)))
SELECT i.* FROM images AS i
WHERE modality IN ('CT', 'MR') AND body_part_label = 'head' AND (modality = 'CT' OR mr_sequence_label = 'DWI')
  AND EXISTS (SELECT 1 FROM followed AS f WHERE f.patient_id = i.patient_id
              AND f.day BETWEEN date_sub(i.StudyDate, 1) AND date_add(i.StudyDate, 1))
