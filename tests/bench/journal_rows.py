"""Fills a journal that a relay has made with rows as years leave them: accepted, one in a hundred
refused, every fourth to two recipients; the keys random, the times in order. Nobody may use it
meanwhile. Rows come in two parts, the second one after the indexes: trees that have grown have room
in their pages, those of rows that came in order have none."""

import sqlite3
import time
from contextlib import closing

YEARS = 3 * 365 * 86400 * 1_000_000  # microseconds
TABLES = ("hand_over", "submission", "recipient", "history")
ID = "'<' || substr(id, 4, 36) || '@provider.example>'"  # the provider's
TOLD = f"'Accepted by the De-Mail provider sandbox as ' || {ID}"

# From seed(i, n, id, at); where a submission is open, `open` is 1.
ROWS = (
    ("select n, n || n || n || n, 'firm', 'anna@firm.de-mail.de', at, 'anna@firm.example', '<' || "
     "substr(n, 1, 24) || '@client.example>', at from {seed}", "hand_over", "n"),
    ("select id, n, 'firm', case when open = 1 then '{state}' when i % 100 = 0 then 'refused' else "
     "'accepted' end, case when open = 1 then 0 else 250 end, case when open = 1 then '' else "
     f"'2.0.0' end, case when open = 1 then '' else {TOLD} end, case when open = 1 then '' else {ID} "
     "end, '4f' || {queue_id}, at, at + 300000, 0, 0, 0, '{relay}', at from {seed}",
     "submission", "id"),
    ("select n, 'bob@other.de-mail.de', id, 'to', 0, '', '' from {seed}", "recipient", "n"),
    ("select n, 'dora@other.de-mail.de', id, 'to', 0, '', '' from {seed} and i % 4 = 0",
     "recipient", "n"),
    ("select id, at, 'submitting', 0, '' from {seed}", "history", "id"),
    (f"select id, at + 300000, 'accepted', 250, {TOLD} from {{seed}} and open = 0", "history", "id"),
)


def insertions(part, order, **words):
    for text, table, key in ROWS:
        select = text.format(seed=f"seed where {part}", **words)
        yield f"insert into {table} {select}" + (f" order by {key}" if order else "")


def times(rows, state):
    """(time of row i as SQL, which rows are open): years ago up to now, or an hour ago all."""
    now = time.time_ns() // 1000
    if state:
        return f"{now - 3_600_000_000} + i", "1"
    return f"{now - YEARS} + i * {max(1, (YEARS - 60_000_000) // rows)}", "0"


def fill_sqlite(path, rows, state="", relay="filled"):
    """`state`: all of them are in it, last worked on by `relay`; else they are final."""
    at, is_open = times(rows, state)
    words = {"state": state, "relay": relay, "queue_id": "printf('%013x', at)"}
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        run = database.execute
        # A crash leaves no journal, and the bench no figures.
        for pragma in ("journal_mode = off", "synchronous = off", "cache_size = -3000000",
                       "foreign_keys = off", "threads = 2", "temp_store = file"):
            run(f"pragma {pragma}").fetchall()
        run("create temp table seed (i integer primary key, n, id, at, open)")
        run("begin")
        run("with recursive c(i) as (select 1 union all select i + 1 from c where i < ?) insert "
            "into seed select i, lower(hex(randomblob(16))), 'g1-' || lower(hex(randomblob(20))), "
            f"{at}, {is_open} from c", (rows,))
        indexes = run("select name, sql from sqlite_master where type = 'index' and sql is not "
                      "null").fetchall()
        for name, _ in indexes:
            run(f"drop index {name}")
        for insertion in insertions("i % 5 < 3", True, **words):
            run(insertion)
        for _, sql in indexes:
            run(sql)
        for insertion in insertions("i % 5 >= 3", True, **words):
            run(insertion)
        run("commit")
        if run("pragma journal_mode = wal").fetchone() != ("wal",):
            raise ValueError(f"{path} does not take its WAL again")


def fill_postgresql(sql, rows, state="", relay="filled"):
    """Rows lie in the order of their coming there. `sql`: runs it in that database."""
    at, is_open = times(rows, state)
    words = {"state": state, "relay": relay, "queue_id": "lpad(to_hex(at), 13, '0')"}
    tables = ", ".join(f"'{table}'::regclass" for table in TABLES)
    keys = sql(
        "select conrelid::regclass, conname, pg_get_constraintdef(oid) from pg_constraint where "
        f"conrelid in ({tables}) and contype in ('p', 'f') order by contype")  # foreign ones first
    indexes = sql(
        "select indexrelid::regclass, pg_get_indexdef(indexrelid) from pg_index where not "
        f"indisprimary and indrelid in ({tables})")
    sql("; ".join([
        "set synchronous_commit = off", "set maintenance_work_mem = '1GB'",
        "create unlogged table seed as select i, md5(random()::text || i) as n, 'g1-' || "
        "md5(random()::text || i) || substr(md5(random()::text), 1, 8) as id, "
        f"{at} as at, {is_open} as open from generate_series(1, {rows}::bigint) as c(i)",
        *(f"alter table {table} drop constraint {name}" for table, name, _ in keys),
        *(f"drop index {name}" for name, _ in indexes),
        *insertions("true", False, **words),
        *(f"alter table {table} add constraint {name} {text}"
          for table, name, text in reversed(keys)),
        *(text for _, text in indexes),
        "drop table seed"]))
    sql("vacuum analyze")
    sql("checkpoint")
