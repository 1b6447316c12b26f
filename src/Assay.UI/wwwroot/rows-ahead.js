// Asks for the rows of a trace as soon as the head of its page is read, long before the modules that draw them are there. A <link rel="preload">
// would say the same, but Chromium does not hand its answer to fetch() here: the rows were read twice.
// When those came first after all, they have asked themselves.
if (!("rowsAhead" in globalThis)) {
  const url = document.currentScript.dataset.rows;
  const answer = fetch(url);
  answer.catch(() => {}); // Whoever takes it over says what went wrong.
  globalThis.rowsAhead = { url, answer };
}
