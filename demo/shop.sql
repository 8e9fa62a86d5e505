-- The shop: a small schema and rows made by a seeded generator, so that every demo holds the same data.
-- {customers}, {orders}, {lines}: how many rows; {until}: the day of the newest order.
SELECT setseed(0.20261123);
DROP SCHEMA IF EXISTS shop CASCADE;
CREATE SCHEMA shop;
CREATE TABLE shop.customers (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    email text NOT NULL UNIQUE,
    phone text NOT NULL
);
CREATE TABLE shop.orders (
    id bigint PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES shop.customers,
    placed_at timestamptz NOT NULL,
    status text NOT NULL
);
CREATE TABLE shop.order_lines (
    order_id bigint NOT NULL REFERENCES shop.orders,
    line integer NOT NULL,
    product text NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    price numeric(10, 2) NOT NULL,
    PRIMARY KEY (order_id, line)
);
INSERT INTO shop.customers
SELECT n,
       (ARRAY['Ada', 'Bela', 'Chen', 'Dora', 'Emre', 'Fay', 'Gus', 'Hana'])[1 + floor(random() * 8)::int]
           || ' ' || (ARRAY['Abel', 'Berg', 'Cruz', 'Diaz', 'Eder', 'Ford'])[1 + floor(random() * 6)::int],
       'customer' || n || '@example.com',
       '+49 30 ' || lpad(floor(random() * 10000000)::text, 7, '0')
FROM generate_series(1, {customers}) AS n;
INSERT INTO shop.orders
SELECT n,
       1 + floor(random() * {customers})::bigint,
       timestamptz '{until}' - random() * interval '365 days',
       (ARRAY['placed', 'paid', 'shipped', 'returned'])[1 + floor(random() * 4)::int]
FROM generate_series(1, {orders}) AS n;
INSERT INTO shop.order_lines
SELECT 1 + (n - 1) / 2, 1 + (n - 1) % 2, 'product-' || floor(random() * 500)::int, 1 + floor(random() * 5)::int,
       round((1 + random() * 200)::numeric, 2)
FROM generate_series(1, {lines}) AS n;
ANALYZE shop.customers, shop.orders, shop.order_lines;
