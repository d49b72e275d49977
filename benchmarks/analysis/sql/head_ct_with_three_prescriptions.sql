WITH days AS (
    SELECT patient_id, day, lead(day, 2) OVER (PARTITION BY patient_id ORDER BY day) AS third
    FROM (SELECT DISTINCT patient_id, PRESCRIBED_DATE AS day FROM prescribing
          WHERE PI_BNF_ITEM_CODE LIKE '0208020V0%'))
SELECT i.* FROM images AS i
WHERE modality = 'CT' AND year BETWEEN 2015 AND 2018 AND body_part_label = 'head'
  AND StudyDate BETWEEN DATE '2015-01-01' AND DATE '2018-12-31'
  AND EXISTS (SELECT 1 FROM days AS d WHERE d.patient_id = i.patient_id
              AND d.day >= add_months(i.StudyDate, -12) AND d.third <= i.StudyDate)
