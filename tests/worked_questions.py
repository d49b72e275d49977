"""The questions of ``conf/cohorts`` in plain SQL over zone 1, with CHIs and true dates.

Each gives chi, StudyInstanceUID and SOPInstanceUID of the images meant, of the cases where controls are asked for too.
Views: ``images`` (with chi and, in whole years, age) and each table of records (with chi), as ``VIEWS`` makes them of
tables of zone 1 that are called secure_<table>.
"""

# A number stands for the person whom its newest row in the demography names.
_PERSONS = "SELECT CHI_NUMBER, max_by(UPI_NUMBER, DATE_FROM) AS chi FROM secure_demography GROUP BY CHI_NUMBER"
_ON = "year({0}) * 10000 + month({0}) * 100 + day({0})"
_AGE = f"({_ON.format('StudyDate')} - ({_ON.format('PatientBirthDate')})) DIV 10000"
_COLUMNS = (
    "StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID, StudyDate, modality_as_written, PatientSex, "
    "BodyPartExamined, StudyDescription, SeriesDescription, ImageType, SliceThickness, MRAcquisitionType, SequenceName"
)
RECORDS = ("ae", "deaths", "prescribing", "smr01", "smr02", "smr04", "smr06")
VIEWS = {
    "images": rf"""
        SELECT {_COLUMNS}, chi, {_AGE} AS age FROM secure_images i
        JOIN ({_PERSONS}) p ON p.CHI_NUMBER = lpad(regexp_replace(PatientID, '\\s', ''), 10, '0')""",
    **{
        of: f"SELECT r.*, p.chi FROM secure_{of} r JOIN ({_PERSONS}) p ON p.CHI_NUMBER = r.UPI_NUMBER" for of in RECORDS
    },
}

_UIDS = "chi, StudyInstanceUID, SOPInstanceUID"
_WORDS = "lower(concat_ws(' ', BodyPartExamined, StudyDescription, SeriesDescription))"
_HEAD = f"{_WORDS} RLIKE 'head|brain|skull'"
_CHEST = f"{_WORDS} RLIKE 'chest|lung|thorax'"
_DEMENTIA = "RLIKE '^(F00|F01|F02|F03|F051|G30|G311)'"
_DIAGNOSES = f"array(MAIN_CONDITION, {', '.join(f'OTHER_CONDITION_{n}' for n in range(1, 6))})"
_AT_ADMISSION = "array(ADMISSION_DIAGNOSIS_1, ADMISSION_DIAGNOSIS_2, ADMISSION_DIAGNOSIS_3, ADMISSION_DIAGNOSIS_4)"
_OTHERS = ", ".join(f"OTHER_OPERATION_{n}, OTHER_OPERATION_{n}B" for n in range(1, 4))
_OPERATIONS = f"array(MAIN_OPERATION, MAIN_OPERATION_B, {_OTHERS})"
_KNEE = f"exists({_OPERATIONS}, code -> code RLIKE '^W4[012]')"
_CHEMOTHERAPY = f"exists({_OPERATIONS}, code -> code LIKE 'X72%')"

QUESTIONS = {
    "head_ct_after_drug_then_admitted": f"""
        SELECT {_UIDS} FROM images i WHERE modality_as_written = 'CT' AND {_HEAD}
          AND EXISTS (
            SELECT 1 FROM prescribing p WHERE p.chi = i.chi AND p.PI_BNF_ITEM_CODE LIKE '0208020V0%'
              AND p.PRESCRIBED_DATE >= add_months(i.StudyDate, -6) AND p.PRESCRIBED_DATE <= i.StudyDate)
          AND EXISTS (
            SELECT 1 FROM smr01 a WHERE a.chi = i.chi
              AND a.ADMISSION_DATE > i.StudyDate AND a.ADMISSION_DATE <= add_months(i.StudyDate, 3))""",
    "mammogram_then_breast_cancer": f"""
        SELECT {_UIDS} FROM images i WHERE modality_as_written = 'MG' AND PatientSex = 'F'
          AND EXISTS (
            SELECT 1 FROM smr06 c WHERE c.chi = i.chi AND c.ICD10S_CANCER_SITE LIKE 'C50%'
              AND c.INCIDENCE_DATE >= i.StudyDate AND c.INCIDENCE_DATE <= add_months(i.StudyDate, 24))""",
    "head_ct_with_three_prescriptions": f"""
        SELECT i.chi, StudyInstanceUID, SOPInstanceUID FROM images i JOIN prescribing p ON p.chi = i.chi
        WHERE modality_as_written = 'CT' AND {_HEAD} AND StudyDate BETWEEN '2015-01-01' AND '2018-12-31'
          AND p.PI_BNF_ITEM_CODE LIKE '0208020V0%'
          AND p.PRESCRIBED_DATE BETWEEN add_months(i.StudyDate, -12) AND i.StudyDate
        GROUP BY i.chi, StudyInstanceUID, SOPInstanceUID HAVING count(DISTINCT p.PRESCRIBED_DATE) >= 3""",
    "chest_xray_then_lung_cancer": f"""
        SELECT {_UIDS} FROM (
          SELECT i.*, rank() OVER (PARTITION BY i.chi ORDER BY StudyDate) AS place
          FROM images i JOIN (
            SELECT chi, min(INCIDENCE_DATE) AS found FROM smr06 WHERE ICD10S_CANCER_SITE LIKE 'C34%' GROUP BY chi
          ) c ON c.chi = i.chi
          WHERE modality_as_written IN ('CR', 'DX') AND {_CHEST}
            AND c.found > StudyDate AND c.found <= add_months(StudyDate, 24))
        WHERE place = 1""",
    "head_mr_without_dementia": f"""
        SELECT {_UIDS} FROM (
          SELECT i.*, count(*) OVER (PARTITION BY chi, SeriesInstanceUID) AS slices FROM images i
          WHERE modality_as_written = 'MR' AND {_HEAD} AND MRAcquisitionType = '3D' AND SliceThickness <= 1.5) i
        WHERE slices >= 10 AND StudyDate IS NOT NULL
          AND NOT EXISTS (
            SELECT 1 FROM smr01 a WHERE a.chi = i.chi AND a.ADMISSION_DATE <= i.StudyDate
              AND exists({_DIAGNOSES}, code -> code {_DEMENTIA}))
          AND NOT EXISTS (
            SELECT 1 FROM smr04 a WHERE a.chi = i.chi AND a.ADMISSION_DATE <= i.StudyDate
              AND exists(concat({_DIAGNOSES}, {_AT_ADMISSION}), code -> code {_DEMENTIA}))
          AND NOT EXISTS (
            SELECT 1 FROM prescribing p WHERE p.chi = i.chi AND p.PRESCRIBED_DATE <= i.StudyDate
              AND p.PI_BNF_ITEM_CODE LIKE '0411%')""",
    "pregnancy_ultrasound_with_birth": f"""
        SELECT {_UIDS} FROM images i
        WHERE modality_as_written = 'US' AND PatientSex = 'F' AND age BETWEEN 15 AND 50
          AND NOT {_WORDS} RLIKE 'breast|neck'
          AND EXISTS (
            SELECT 1 FROM smr02 b WHERE b.chi = i.chi AND b.DATE_OF_DELIVERY IS NOT NULL
              AND b.NUM_OF_BIRTHS_THIS_PREGNANCY >= 1
              AND datediff(b.ADMISSION_DATE, i.StudyDate) BETWEEN 0 AND 210)""",
    "mammogram_cases_and_controls": f"""
        WITH screened AS (
          SELECT *, count(*) OVER (PARTITION BY chi, StudyInstanceUID) AS views FROM images
          WHERE modality_as_written = 'MG' AND PatientSex = 'F' AND age BETWEEN 50 AND 70),
        cancers AS (
          SELECT chi, INCIDENCE_DATE, min(INCIDENCE_DATE) OVER (PARTITION BY chi) AS found
          FROM smr06 WHERE ICD10S_CANCER_SITE LIKE 'C50%'),
        apart AS (
          SELECT s.chi, StudyInstanceUID, SOPInstanceUID, StudyDate, min(datediff(INCIDENCE_DATE, StudyDate)) AS days
          FROM screened s JOIN cancers c ON c.chi = s.chi
          WHERE views >= 4 AND found BETWEEN StudyDate AND add_months(StudyDate, 24)
            AND INCIDENCE_DATE BETWEEN StudyDate AND add_months(StudyDate, 24)
          GROUP BY s.chi, StudyInstanceUID, SOPInstanceUID, StudyDate)
        SELECT {_UIDS} FROM (SELECT *, rank() OVER (PARTITION BY chi ORDER BY days, StudyDate) AS place FROM apart)
        WHERE place = 1""",
    "stroke_imaging_then_death": f"""
        SELECT {_UIDS} FROM images i JOIN (
          SELECT chi AS person, min(ADMISSION_DATE) AS first FROM smr01
          WHERE MAIN_CONDITION RLIKE '^I6[134]' GROUP BY chi
        ) s ON s.person = i.chi
        WHERE {_HEAD} AND abs(datediff(s.first, StudyDate)) <= 1
          AND (modality_as_written = 'CT'
            OR modality_as_written = 'MR' AND (SequenceName LIKE '*ep_b%' OR lower(SeriesDescription) RLIKE 'dwi|diff'))
          AND EXISTS (
            SELECT 1 FROM deaths d WHERE d.chi = i.chi AND datediff(d.DATE_OF_DEATH, s.first) BETWEEN 0 AND 30)""",
    "knee_mr_before_replacement": f"""
        WITH replacements AS (
          SELECT chi, ADMISSION_DATE, min(ADMISSION_DATE) OVER (PARTITION BY chi) AS replaced FROM smr01 WHERE {_KNEE}),
        apart AS (
          SELECT i.chi, StudyInstanceUID, SOPInstanceUID, StudyDate, min(datediff(ADMISSION_DATE, StudyDate)) AS days
          FROM images i JOIN replacements r ON r.chi = i.chi
          WHERE modality_as_written = 'MR' AND {_WORDS} LIKE '%knee%'
            AND replaced BETWEEN StudyDate AND add_months(StudyDate, 60)
            AND ADMISSION_DATE BETWEEN StudyDate AND add_months(StudyDate, 60)
          GROUP BY i.chi, StudyInstanceUID, SOPInstanceUID, StudyDate)
        SELECT {_UIDS} FROM (SELECT *, rank() OVER (PARTITION BY chi ORDER BY days, StudyDate) AS place FROM apart)
        WHERE place = 1""",
    "pet_around_lymphoma_treatment": f"""
        SELECT {_UIDS} FROM images i
        WHERE modality_as_written = 'PT' AND {_WORDS} RLIKE 'whole ?body|thighs'
          AND EXISTS (
            SELECT 1 FROM smr06 c WHERE c.chi = i.chi AND c.ICD10S_CANCER_SITE RLIKE '^C8[1-6]'
              AND c.INCIDENCE_DATE <= add_months(i.StudyDate, 1))
          AND EXISTS (
            SELECT 1 FROM smr01 a WHERE a.chi = i.chi AND {_CHEMOTHERAPY} AND a.ADMISSION_DATE <> i.StudyDate
              AND a.ADMISSION_DATE BETWEEN add_months(i.StudyDate, -3) AND add_months(i.StudyDate, 2))""",
    "chest_ct_with_embolism_then_anticoagulant": f"""
        WITH embolisms AS (
          SELECT i.chi, StudyInstanceUID, SOPInstanceUID, min(ADMISSION_DATE) AS admitted
          FROM images i JOIN smr01 a ON a.chi = i.chi
          WHERE modality_as_written = 'CT' AND {_CHEST} AND array_contains(ImageType, 'AXIAL') AND SliceThickness <= 5
            AND MAIN_CONDITION LIKE 'I26%' AND abs(datediff(ADMISSION_DATE, StudyDate)) <= 1
          GROUP BY i.chi, StudyInstanceUID, SOPInstanceUID)
        SELECT {_UIDS} FROM embolisms e
        WHERE EXISTS (
            SELECT 1 FROM prescribing p WHERE p.chi = e.chi AND p.PI_BNF_ITEM_CODE RLIKE '^02080[12]'
              AND p.PRESCRIBED_DATE BETWEEN e.admitted AND date_add(e.admitted, 30))
          AND NOT EXISTS (
            SELECT 1 FROM prescribing p WHERE p.chi = e.chi AND p.PI_BNF_ITEM_CODE RLIKE '^02080[12]'
              AND p.PRESCRIBED_DATE >= add_months(e.admitted, -6) AND p.PRESCRIBED_DATE < e.admitted)""",
    "child_head_ct_sent_home": f"""
        SELECT {_UIDS} FROM images i WHERE modality_as_written = 'CT' AND {_HEAD} AND age < 16
          AND EXISTS (
            SELECT 1 FROM ae h WHERE h.chi = i.chi
              AND exists(array(DISEASE_1_CODE, DISEASE_2_CODE, DISEASE_3_CODE), code -> code LIKE 'S0%')
              AND datediff(i.StudyDate, h.ARRIVAL_DATE) BETWEEN 0 AND 1)
          AND NOT EXISTS (
            SELECT 1 FROM smr01 a WHERE a.chi = i.chi AND datediff(a.ADMISSION_DATE, i.StudyDate) BETWEEN 0 AND 7)""",
}
