WITH operations AS (
    SELECT patient_id, ADMISSION_DATE AS day FROM smr01 AS r WHERE {smr01 OPCS-4 W40 W41 W42}),
  near AS (
    SELECT i.patient_id, i.StudyInstanceUID, i.StudyDate, min(datediff(o.day, i.StudyDate)) AS days
    FROM images AS i
      JOIN (SELECT patient_id, min(day) AS day FROM operations GROUP BY patient_id) AS f
        ON f.patient_id = i.patient_id AND f.day BETWEEN i.StudyDate AND add_months(i.StudyDate, 60)
      JOIN operations AS o
        ON o.patient_id = i.patient_id AND o.day BETWEEN i.StudyDate AND add_months(i.StudyDate, 60)
    WHERE modality = 'MR' AND body_part_label = 'knee'
    GROUP BY i.patient_id, i.StudyInstanceUID, i.StudyDate),
  kept AS (
    SELECT patient_id, min_by(StudyInstanceUID, struct(days, StudyDate, StudyInstanceUID)) AS study
    FROM near GROUP BY patient_id)
SELECT i.* FROM images AS i
WHERE modality = 'MR' AND body_part_label = 'knee'
  AND EXISTS (SELECT 1 FROM kept AS k WHERE k.patient_id = i.patient_id AND k.study = i.StudyInstanceUID)
