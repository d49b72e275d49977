WITH dementia AS (
    SELECT patient_id, min(day) AS day FROM (
      SELECT patient_id, ADMISSION_DATE AS day FROM smr01 AS r WHERE {smr01 ICD-10 dementia.csv}
      UNION ALL SELECT patient_id, ADMISSION_DATE FROM smr04 AS r WHERE {smr04 ICD-10 dementia.csv}
      UNION ALL SELECT patient_id, PRESCRIBED_DATE FROM prescribing WHERE PI_BNF_ITEM_CODE LIKE '0411%')
    GROUP BY patient_id)
SELECT * FROM (
  SELECT *, count(*) OVER (PARTITION BY patient_id, StudyInstanceUID, SeriesInstanceUID) AS images
  FROM images
  WHERE modality = 'MR' AND body_part_label = 'head' AND MRAcquisitionType = '3D' AND SliceThickness <= 1.5) AS i
WHERE images >= 10 AND StudyDate IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM dementia AS d WHERE d.patient_id = i.patient_id AND d.day <= i.StudyDate)
