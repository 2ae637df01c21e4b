-- In how many chunks each of the words (a JSON array, ?1) stands.
SELECT chunk_word.term, chunk_word.doc AS chunks
FROM json_each(?1) AS asked CROSS JOIN chunk_word ON chunk_word.term = asked.value
