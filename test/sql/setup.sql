-- What every other test builds on: the extension, preloaded in this database,
-- and ordinary roles.  Tests run as sd_owner, who owns the tables, or sd_user,
-- who is granted what the test says; none of them is a superuser.
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION softdelete;
SELECT current_database() AS db \gset
ALTER DATABASE :"db" SET session_preload_libraries = 'softdelete';
ALTER DATABASE :"db" SET TimeZone = 'UTC';
DROP ROLE IF EXISTS sd_owner, sd_user;
CREATE ROLE sd_owner;
CREATE ROLE sd_user;
GRANT CREATE ON DATABASE :"db" TO sd_owner;
SELECT extname, extrelocatable, nspname
  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
 WHERE extname = 'softdelete';

-- every object has a comment
SELECT pg_describe_object(classid, objid, 0) AS without_comment
  FROM pg_depend d
 WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
   AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'softdelete')
   AND classid IN ('pg_proc'::regclass, 'pg_class'::regclass)
   AND obj_description(objid, (SELECT relname FROM pg_class WHERE oid = classid)) IS NULL
 ORDER BY 1;
