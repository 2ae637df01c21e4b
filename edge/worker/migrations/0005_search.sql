-- Search in any language: the words of the index are made by edge/core/src/search, SQLite only finds them.

-- Its words are of another kind. What was indexed before is found again when it is indexed again.
DROP TABLE chunk_fts;

-- Every word begins with the scope, a word made from tenant and bot: a search meets, and reads, the rows of one bot
-- only. `scope` holds that word alone, so that the number of a bot's rows is known. To the tokenizer `ascii` every
-- character that is not ASCII is a letter. Nothing is stored but the index: the text is in `chunk`.
CREATE VIRTUAL TABLE chunk_fts USING fts5 (
  scope, title, heading, body,
  content = '', contentless_delete = 1,
  tokenize = 'ascii'
);

INSERT INTO chunk_fts (chunk_fts, rank) VALUES ('rank', 'bm25(0.0, 2.0, 2.0, 1.0)');

-- In how many rows each word stands.
CREATE VIRTUAL TABLE chunk_word USING fts5vocab (chunk_fts, row);
