namespace Assay.Storage.Traces.Embedded;

/// <summary>
/// The tables of the run index. Times are UTC microseconds, money is nano-dollars, ids are big-endian bytes (key order), so that rows stay
/// narrow. <c>run</c> holds what lists, filters and sorts need; <c>detail</c> holds what a page shows. Payloads stay in the journal:
/// <c>detail.refs</c> says where.
/// </summary>
internal static class IndexSchema
{
    /// <summary>Raised when the tables change; an index of another version is rebuilt from the journal.</summary>
    public const int Version = 1;

    public const string Create = """
        CREATE TABLE IF NOT EXISTS state(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS project(no INTEGER PRIMARY KEY, id BLOB NOT NULL, workspace BLOB NOT NULL, UNIQUE(workspace, id));
        CREATE TABLE IF NOT EXISTS run(
            pk INTEGER PRIMARY KEY, project INTEGER NOT NULL, id BLOB NOT NULL, trace BLOB NOT NULL, parent BLOB,
            is_root INTEGER NOT NULL, kind INTEGER NOT NULL, status INTEGER NOT NULL, name TEXT NOT NULL,
            model TEXT, provider TEXT, thread TEXT, start_us INTEGER NOT NULL, end_us INTEGER, latency_us INTEGER,
            first_us INTEGER, ttft_us INTEGER, example BLOB, dotted TEXT,
            own_p INTEGER, own_c INTEGER, own_t INTEGER, own_pc INTEGER, own_cc INTEGER, own_tc INTEGER, own_src INTEGER,
            sum_p INTEGER NOT NULL, sum_c INTEGER NOT NULL, sum_t INTEGER NOT NULL,
            sum_pc INTEGER NOT NULL, sum_cc INTEGER NOT NULL, sum_tc INTEGER NOT NULL, sum_src INTEGER NOT NULL);
        CREATE UNIQUE INDEX IF NOT EXISTS run_id ON run(id, project);
        CREATE INDEX IF NOT EXISTS run_trace ON run(trace, project);
        CREATE INDEX IF NOT EXISTS run_start ON run(project, start_us, pk);
        CREATE INDEX IF NOT EXISTS run_root ON run(project, start_us, pk, status, latency_us, sum_t, sum_tc) WHERE is_root = 1;
        CREATE INDEX IF NOT EXISTS run_error ON run(project, start_us, pk) WHERE status = 2;
        CREATE INDEX IF NOT EXISTS run_thread ON run(project, thread, start_us) WHERE thread IS NOT NULL AND is_root = 1;
        CREATE INDEX IF NOT EXISTS run_example ON run(example) WHERE example IS NOT NULL;
        CREATE TABLE IF NOT EXISTS detail(
            pk INTEGER PRIMARY KEY, updated INTEGER NOT NULL, refs BLOB, inputs_preview TEXT, outputs_preview TEXT, error TEXT,
            failed INTEGER NOT NULL, tags TEXT, metadata TEXT, metadata_updated TEXT, attachments TEXT, usage TEXT, cost TEXT, warning TEXT,
            received_us INTEGER);
        CREATE TABLE IF NOT EXISTS feedback(
            id BLOB NOT NULL, workspace BLOB NOT NULL, run BLOB, trace BLOB, project BLOB, key TEXT NOT NULL, score REAL, value TEXT,
            comment TEXT, source TEXT NOT NULL, user BLOB, comparative BLOB, created_us INTEGER NOT NULL, record TEXT NOT NULL,
            PRIMARY KEY(workspace, id)) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS feedback_run ON feedback(run, key) WHERE run IS NOT NULL;
        CREATE INDEX IF NOT EXISTS feedback_project ON feedback(project) WHERE run IS NULL;
        CREATE INDEX IF NOT EXISTS feedback_time ON feedback(workspace, created_us);
        CREATE TABLE IF NOT EXISTS hourly(
            project INTEGER NOT NULL, hour INTEGER NOT NULL, is_root INTEGER NOT NULL, kind INTEGER NOT NULL, model TEXT NOT NULL,
            runs INTEGER NOT NULL, errors INTEGER NOT NULL, pending INTEGER NOT NULL,
            p INTEGER NOT NULL, c INTEGER NOT NULL, t INTEGER NOT NULL, pc INTEGER NOT NULL, cc INTEGER NOT NULL, tc INTEGER NOT NULL,
            latency BLOB, ttft BLOB, tokens BLOB, cost BLOB,
            PRIMARY KEY(project, hour, is_root, kind, model)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS pair(
            project INTEGER NOT NULL, hash INTEGER NOT NULL, start_us INTEGER NOT NULL, pk INTEGER NOT NULL,
            PRIMARY KEY(project, hash, start_us, pk)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS segment_use(segment INTEGER PRIMARY KEY, arrived INTEGER NOT NULL, live INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS blob_garbage(key TEXT PRIMARY KEY, pk INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS facet(
            project INTEGER NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, day INTEGER NOT NULL, runs INTEGER NOT NULL,
            PRIMARY KEY(project, field, value, day)) WITHOUT ROWID;
        """;
}
