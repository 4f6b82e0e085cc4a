-- The same by the day (UTC, 'YYYY-MM-DD') on which a letter first came back or was first complained of, for reports.
CREATE TABLE return_days (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    day TEXT NOT NULL,
    returned INTEGER NOT NULL,
    complained INTEGER NOT NULL,
    PRIMARY KEY (run_id, day)
);
INSERT INTO return_days (run_id, day, returned, complained)
    SELECT run_id, SUBSTR(at, 1, 10), SUM(returned), SUM(complained) FROM (
        SELECT run_id, MIN(received_at) AS at, 1 AS returned, 0 AS complained FROM returns
        WHERE run_id IS NOT NULL AND class IN ('no_address', 'full', 'passing', 'letter', 'policy')
        GROUP BY run_id, delivery_id
        UNION ALL
        SELECT run_id, MIN(received_at), 0, 1 FROM returns WHERE run_id IS NOT NULL AND class = 'complaint'
        GROUP BY run_id, delivery_id
    ) AS firsts GROUP BY run_id, SUBSTR(at, 1, 10);
