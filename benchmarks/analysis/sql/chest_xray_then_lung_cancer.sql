WITH cancers AS (
    SELECT patient_id, min(INCIDENCE_DATE) AS day FROM smr06 AS r WHERE {smr06 ICD-10 C34}
    GROUP BY patient_id),
  chosen AS (
    SELECT i.*, rank() OVER (PARTITION BY i.patient_id ORDER BY i.StudyDate, i.StudyInstanceUID) AS place
    FROM images AS i JOIN cancers AS c
      ON c.patient_id = i.patient_id AND c.day BETWEEN date_add(i.StudyDate, 1) AND add_months(i.StudyDate, 24)
    WHERE modality IN ('CR', 'DX') AND body_part_label = 'chest')
SELECT * FROM chosen WHERE place = 1
