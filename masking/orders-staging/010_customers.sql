-- chunk: table=shop.customers key=id size=5000
-- Stays unique, reaches nobody: mail for .invalid is never delivered, and no country has the code 0.
UPDATE shop.customers
SET email = 'customer' || id || '@masked.invalid',
    phone = '+00 1' || lpad(id::text, 9, '0')
WHERE id BETWEEN :chunk_from AND :chunk_to;
