-- Detectors know what an address looks like; this knows what ours must look like.
SELECT id FROM shop.customers WHERE email NOT LIKE '%@masked.invalid' OR phone NOT LIKE '+00 %' LIMIT 100
