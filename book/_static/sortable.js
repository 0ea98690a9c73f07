// Tables sort by the column whose head is pressed: numbers by size, text by letters; pressed again, the other way round.
// Rows that are equal keep their order. The whole row moves, so that a cell never leaves its line.
document.addEventListener("DOMContentLoaded", () => {
  const number = (text) => {
    const found = text.replace(/,/g, "").match(/^[\s(]*([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(k\b)?/i);
    return found ? parseFloat(found[1]) * (found[2] ? 1024 : 1) : NaN; // a width of 4k
  };
  for (const table of document.querySelectorAll("table.mosaic-table")) {
    const body = table.tBodies[0], heads = table.tHead ? [...table.tHead.rows[table.tHead.rows.length - 1].cells] : [];
    const plain = body && [...body.rows].every((row) => row.cells.length === heads.length && [...row.cells].every((c) => c.rowSpan === 1));
    if (!plain || body.rows.length < 3) continue;
    heads.forEach((head, column) => {
      head.tabIndex = 0;
      head.setAttribute("role", "columnheader");
      head.setAttribute("aria-sort", "none");
      const sort = () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach((other) => other.setAttribute("aria-sort", "none"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const keyed = [...body.rows].map((row) => ({ row, text: row.cells[column].innerText.trim() }));
        const numeric = keyed.every(({ text }) => text === "" || !Number.isNaN(number(text)));
        keyed.sort((a, b) => {
          if ((a.text === "") !== (b.text === "")) return a.text === "" ? 1 : -1; // what was not measured comes last
          const order = numeric ? number(a.text) - number(b.text) || 0 : a.text.localeCompare(b.text, "en");
          return up ? order : -order;
        });
        body.append(...keyed.map(({ row }) => row));
      };
      head.addEventListener("click", sort);
      head.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sort(); }
      });
    });
  }
});
