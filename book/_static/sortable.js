// Tables sort by the column whose head is pressed: numbers by size, text by letters; pressed again, the other way round.
// Rows that are equal keep their order. The whole row moves, so that a cell never leaves its line. A table of many rows has
// a field above it: rows without its words are hidden.
document.addEventListener("DOMContentLoaded", () => {
  const LONG = 12;
  const number = (text) => {
    const plain = text.replace(/,/g, "").replace(/\u2212/g, "-")
      .replace(/ × 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)/, (all, power) => "e" + [...power].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(c)).join("").replace("-1", "-"));
    const found = plain.match(/^[\s(]*(?:below |above |[<>≥≤] ?)?([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(k\b)?/i);
    return found ? parseFloat(found[1]) * (found[2] ? 1024 : 1) : NaN; // a width of 4k
  };
  const numeric = (text) => /^[+\u2212-]?\d[\d.,]*( ?%)?$/.test(text);
  const sorts = (table, body, heads) => heads.forEach((head, column) => {
    head.tabIndex = 0;
    head.setAttribute("role", "columnheader");
    head.setAttribute("aria-sort", "none");
    const sort = () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const keyed = [...body.rows].map((row) => ({ row, text: row.cells[column].textContent.trim() }));
      const all = keyed.every(({ text }) => text === "" || !Number.isNaN(number(text)));
      keyed.sort((a, b) => {
        if ((a.text === "") !== (b.text === "")) return a.text === "" ? 1 : -1; // what was not measured comes last
        const order = all ? number(a.text) - number(b.text) || 0 : a.text.localeCompare(b.text, "en");
        return up ? order : -order;
      });
      body.append(...keyed.map(({ row }) => row));
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sort(); }
    });
  });
  const filters = (table, body) => {
    const rows = [...body.rows], label = document.createElement("label");
    const field = document.createElement("input"), said = document.createElement("output");
    label.className = "table-filter";
    field.type = "search";
    field.autocomplete = "off";
    label.append("Filter the rows ", field, said);
    field.addEventListener("input", () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      let left = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        left += !row.hidden;
      }
      said.value = words.length ? `${left} of ${rows.length} rows` : "";
    });
    (table.closest(".table-scroll") || table).before(label);
  };
  for (const table of document.querySelectorAll("table.mosaic-table")) {
    const body = table.tBodies[0], heads = table.tHead ? [...table.tHead.rows[table.tHead.rows.length - 1].cells] : [];
    const plain = body && [...body.rows].every((row) => row.cells.length === heads.length && [...row.cells].every((c) => c.rowSpan === 1));
    if (!plain) continue;
    heads.forEach((head, column) => { // tables of the prose pages
      const cells = [...body.rows].map((row) => row.cells[column]);
      const filled = cells.map((cell) => cell.textContent.trim()).filter(Boolean);
      if (filled.length && filled.every(numeric)) [head, ...cells].forEach((cell) => cell.classList.add("number"));
    });
    if (body.rows.length >= 3) sorts(table, body, heads);
    if (body.rows.length > LONG) filters(table, body);
  }
});
