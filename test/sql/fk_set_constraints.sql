-- SET CONSTRAINTS says the same to softdelete's checks as to PostgreSQL's: a name
-- means the keys of its schema, or of the first one in the search path that has
-- one.  Two tenants have the same tables; "plain" is not managed.
\set VERBOSITY terse
SET SESSION AUTHORIZATION sd_owner;
CREATE SCHEMA "Tenant 1";
CREATE SCHEMA tenant_2;
CREATE SCHEMA plain;
CREATE SCHEMA fk_set_constraints;
CREATE FUNCTION fk_set_constraints.build(schema text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE %1$I.p (id int PRIMARY KEY);
		CREATE TABLE %1$I.c (id int PRIMARY KEY, up int CONSTRAINT "Key" REFERENCES %1$I.p DEFERRABLE);
		INSERT INTO %1$I.p VALUES (1), (2);
		INSERT INTO %1$I.c VALUES (1, 1)', schema);
END $$;
SELECT fk_set_constraints.build(s) FROM unnest('{Tenant 1,tenant_2,plain}'::text[]) s;
SELECT softdelete.enable('"Tenant 1".p'), softdelete.enable('"Tenant 1".c'),
       softdelete.enable('tenant_2.p'), softdelete.enable('tenant_2.c');

-- another schema's key becomes immediate: this one's has until the commit
BEGIN;
SET LOCAL softdelete.deletion_scope = statement;
SET CONSTRAINTS ALL DEFERRED;
SET CONSTRAINTS "Tenant 1"."Key" IMMEDIATE;
DELETE FROM tenant_2.p WHERE id = 1;
DELETE FROM tenant_2.c;
COMMIT;
SELECT softdelete.undo(max(id)) FROM softdelete.deletions WHERE target = 'tenant_2.p'::regclass;
SELECT softdelete.restore('tenant_2.c', 1);
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
SET CONSTRAINTS "Tenant 1"."Key" IMMEDIATE;
DELETE FROM plain.p WHERE id = 1;
DELETE FROM plain.c;
ROLLBACK;

-- another schema's key is deferred: this one's is not
BEGIN;
SET CONSTRAINTS "Tenant 1"."Key" DEFERRED;
SAVEPOINT s;
DELETE FROM tenant_2.p WHERE id = 1;
ROLLBACK TO s;
DELETE FROM plain.p WHERE id = 1;
ROLLBACK TO s;
DELETE FROM "Tenant 1".p WHERE id = 1;
DELETE FROM "Tenant 1".c WHERE id = 1;
COMMIT;

-- without a schema: the first one in the search path that has the name
SET search_path = fk_set_constraints, tenant_2, "Tenant 1", plain;
BEGIN;
SET CONSTRAINTS "Key" DEFERRED;
SAVEPOINT s;
DELETE FROM plain.p WHERE id = 1;
ROLLBACK TO s;
DELETE FROM tenant_2.p WHERE id = 1;
SET CONSTRAINTS "Tenant 1"."Key" IMMEDIATE;
SET CONSTRAINTS plain."Key" IMMEDIATE;
SET CONSTRAINTS "Key" IMMEDIATE;
ROLLBACK;

-- several keys, a savepoint that is rolled back
BEGIN;
SAVEPOINT s;
SET CONSTRAINTS tenant_2."Key", plain."Key" DEFERRED;
ROLLBACK TO s;
DELETE FROM tenant_2.p WHERE id = 1;
ROLLBACK;
BEGIN;
SET CONSTRAINTS tenant_2."Key", plain."Key" DEFERRED;
DELETE FROM tenant_2.p WHERE id = 1;
DELETE FROM tenant_2.c WHERE id = 1;
DELETE FROM plain.p WHERE id = 1;
DELETE FROM plain.c WHERE id = 1;
COMMIT;

-- a partitioned child: the key that was declared stands for its copies
CREATE TABLE tenant_2.parts (id int, up int, CONSTRAINT "Parts key" FOREIGN KEY (up) REFERENCES tenant_2.p DEFERRABLE)
	PARTITION BY RANGE (id);
CREATE TABLE tenant_2.parts_1 PARTITION OF tenant_2.parts FOR VALUES FROM (1) TO (10);
INSERT INTO tenant_2.parts VALUES (1, 2);
SELECT softdelete.enable('tenant_2.parts');
DELETE FROM tenant_2.p WHERE id = 2;
BEGIN;
SET CONSTRAINTS tenant_2."Parts key" DEFERRED;
DELETE FROM tenant_2.p WHERE id = 2;
DELETE FROM tenant_2.parts;
COMMIT;

-- the first schema that has the name, be it of a key that cannot wait
CREATE TABLE fk_set_constraints.p (id int CONSTRAINT "Key" PRIMARY KEY);
BEGIN;
SET CONSTRAINTS tenant_2."Key" DEFERRED;
SET CONSTRAINTS "Key" IMMEDIATE;
UPDATE tenant_2.c SET up = 2;
INSERT INTO tenant_2.c VALUES (5, 1);
DELETE FROM tenant_2.p;
ROLLBACK;
