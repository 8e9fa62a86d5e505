-- chunk: table=crm.contacts key=id size=5000
-- MySQL: no transaction holds DDL, so a file of several statements would be one transaction a statement.
UPDATE crm.contacts
SET email = CONCAT('contact', id, '@masked.invalid'),
    phone = CONCAT('+00 1', LPAD(id, 9, '0'))
WHERE id BETWEEN :chunk_from AND :chunk_to;
