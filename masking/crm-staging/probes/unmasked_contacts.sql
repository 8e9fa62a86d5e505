SELECT id FROM crm.contacts WHERE email NOT LIKE '%@masked.invalid' OR phone NOT LIKE '+00 %' LIMIT 100
