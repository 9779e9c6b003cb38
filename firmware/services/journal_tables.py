"""The tables of a journal's database, and what is asked of them in more than one place."""

FORMAT = 1  #: the database's user_version

TABLES = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE kept(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE events(seq INTEGER PRIMARY KEY, body TEXT NOT NULL, urgent INTEGER NOT NULL,
                    sent INTEGER NOT NULL);
CREATE INDEX events_unsent ON events(urgent DESC, seq) WHERE sent = 0;
CREATE TABLE former(id INTEGER PRIMARY KEY, body TEXT NOT NULL, urgent INTEGER NOT NULL);
"""

# What came later, for older files too. What an older program wrote or reads stays as it was.
LATER = """
CREATE INDEX IF NOT EXISTS events_taken ON events(urgent, seq) WHERE sent = 2;
"""
FORMER_SENT = "ALTER TABLE former ADD COLUMN sent INTEGER NOT NULL DEFAULT 0"

#: Where the last checkpoint is, looked for no further back than it can be.
LAST_CHECKPOINT = (
    'SELECT seq FROM events WHERE seq > ? AND body LIKE \'%"type":"system.checkpoint"%\''
    " ORDER BY seq DESC LIMIT 1"
)
