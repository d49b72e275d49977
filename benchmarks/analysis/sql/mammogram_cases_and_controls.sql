-- The cases: who is matched with whom is no question for one query.
WITH cancers AS (
    SELECT patient_id, INCIDENCE_DATE AS day FROM smr06 AS r WHERE {smr06 ICD-10 C50}),
  studies AS (
    SELECT patient_id, StudyInstanceUID, StudyDate FROM images
    WHERE modality = 'MG' AND PatientSex = 'F' AND age_at_study BETWEEN 50 AND 70
    GROUP BY patient_id, StudyInstanceUID, StudyDate HAVING count(*) >= 4),
  near AS (
    SELECT s.patient_id, s.StudyInstanceUID, s.StudyDate, min(datediff(c.day, s.StudyDate)) AS days
    FROM studies AS s
      JOIN (SELECT patient_id, min(day) AS day FROM cancers GROUP BY patient_id) AS f
        ON f.patient_id = s.patient_id AND f.day BETWEEN s.StudyDate AND add_months(s.StudyDate, 24)
      JOIN cancers AS c
        ON c.patient_id = s.patient_id AND c.day BETWEEN s.StudyDate AND add_months(s.StudyDate, 24)
    GROUP BY s.patient_id, s.StudyInstanceUID, s.StudyDate),
  kept AS (
    SELECT patient_id, min_by(StudyInstanceUID, struct(days, StudyDate, StudyInstanceUID)) AS study
    FROM near GROUP BY patient_id)
SELECT i.* FROM images AS i
WHERE modality = 'MG' AND PatientSex = 'F' AND age_at_study BETWEEN 50 AND 70
  AND EXISTS (SELECT 1 FROM kept AS k WHERE k.patient_id = i.patient_id AND k.study = i.StudyInstanceUID)
