WITH embolisms AS (
  SELECT patient_id, day, lag(day) OVER (PARTITION BY patient_id ORDER BY day) AS before
  FROM (SELECT DISTINCT patient_id, ADMISSION_DATE AS day FROM smr01 AS r WHERE r.MAIN_CONDITION LIKE 'I26%')),
  anticoagulants AS (
    SELECT patient_id, PRESCRIBED_DATE AS day FROM prescribing AS r WHERE {prescribing BNF 020801 020802}),
  treated AS (
    SELECT * FROM embolisms AS e
    WHERE EXISTS (SELECT 1 FROM anticoagulants AS a WHERE a.patient_id = e.patient_id
                  AND a.day BETWEEN e.day AND date_add(e.day, 30))
      AND NOT EXISTS (SELECT 1 FROM anticoagulants AS a WHERE a.patient_id = e.patient_id
                      AND a.day BETWEEN add_months(e.day, -6) AND date_sub(e.day, 1)))
SELECT i.* FROM images AS i
WHERE modality = 'CT' AND body_part_label = 'chest' AND array_contains(ImageType, 'AXIAL') AND SliceThickness <= 5
  AND EXISTS (SELECT 1 FROM treated AS t WHERE t.patient_id = i.patient_id
              AND t.day BETWEEN date_sub(i.StudyDate, 1) AND date_add(i.StudyDate, 1)
              AND (t.before IS NULL OR t.before < date_sub(i.StudyDate, 1)))
