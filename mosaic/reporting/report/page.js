"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);

  // --- tables -----------------------------------------------------------------------------------------------------
  const number = (text) => {
    const found = text.replace(/\u2212/g, "-").replace(/,/g, "").match(/^[>\s]*([+-]?\d+(\.\d+)?(e[+-]?\d+)?)/i);
    return found ? parseFloat(found[1]) : NaN;
  };
  const sort = (table, column, heading) => {
    const falls = heading.getAttribute("aria-sort") === "descending";
    const rises = heading.getAttribute("aria-sort") === "ascending";
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [row.cells[column].textContent.trim(), row]);
    const numeric = rows.every(([text]) => text === "" || !Number.isNaN(number(text)));
    const up = numeric ? falls : !rises; // numbers: the largest first
    const compare = numeric
      ? (a, b) => number(a) - number(b)
      : (a, b) => a.localeCompare(b, undefined, { numeric: true });
    rows.sort(([a], [b]) => (a === "" || b === "" ? (a === "") - (b === "") : (up ? 1 : -1) * compare(a, b)));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    body.append(...rows.map(([, row]) => row));
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => sort(table, column, heading));
    });
  }

  // --- tokens: one stop of the Tab key a line, arrow keys within it ---------------------------------------------------
  document.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1 };
    const here = event.target;
    if (!(event.key in steps) || here.tagName !== "MARK") return;
    const marks = [...here.parentElement.querySelectorAll("mark")];
    const next = marks[marks.indexOf(here) + steps[event.key]];
    if (!next) return;
    event.preventDefault();
    here.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });

  // --- what is folded is printed all the same ------------------------------------------------------------------------
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const one of opened) one.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
  });

  // --- errors ---------------------------------------------------------------------------------------------------------
  const form = document.getElementById("filter");
  if (!data || !form) return;
  const PAGE = 20;
  const place = (id) => document.getElementById(id);
  const [ofTrue, ofPredicted, ofText] = ["of-true", "of-predicted", "of-text"].map(place);
  const [list, found, before, after] = ["list", "found", "before", "after"].map(place);
  const minus = (value) => (value < 0 ? "\u2212" : "+") + Math.abs(value).toFixed(3);
  const made = (tag, className, ...content) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...content); // strings become text, never markup
    return element;
  };
  const searched = data.errors.map((error) =>
    [error[1], ...error[7].map(([latent]) => data.latents[latent].join(" "))].join("\n").toLowerCase()
  );
  const named = (latent) => data.latents[latent].filter(Boolean).join(" ");
  const leading = (title, className, of) => {
    const line = made("p", "led", `${title}: `);
    if (!of.length) line.append("none");
    for (const [latent, value] of of) line.append(made("span", `chip ${className}`, `${named(latent)} ${minus(value)}`), " ");
    return line;
  };
  const shown = ([row, text, cut, truth, said, pSaid, pTrue, latents]) => {
    const head = made("p", "head", `test text ${row + 1}: `, made("bdi", "", data.classes[truth]), " read as ",
      made("bdi", "", data.classes[said]), ` (probability ${pSaid.toFixed(2)}; of the true class ${pTrue.toFixed(2)})`);
    const body = made("p", "said", cut ? `${text}\u2026` : text);
    body.dir = "auto";
    return made("li", "", head, body, leading("for", "for", latents.filter(([, value]) => value > 0)),
      leading("against", "against", latents.filter(([, value]) => value < 0)));
  };
  let matching = [];
  let first = 0;
  const draw = () => {
    const part = matching.slice(first, first + PAGE);
    list.replaceChildren(...part.map((i) => shown(data.errors[i])));
    const range = matching.length > PAGE ? `, ${first + 1} to ${first + part.length} shown` : "";
    found.textContent = `${matching.length.toLocaleString("en")} of ${data.errors.length.toLocaleString("en")} errors${range}`;
    before.hidden = first === 0;
    after.hidden = first + PAGE >= matching.length;
  };
  const filter = () => {
    const words = ofText.value.toLowerCase().trim();
    matching = [];
    data.errors.forEach((error, i) => {
      if (ofTrue.value !== "" && error[3] !== Number(ofTrue.value)) return;
      if (ofPredicted.value !== "" && error[4] !== Number(ofPredicted.value)) return;
      if (words && !searched[i].includes(words)) return;
      matching.push(i);
    });
    first = 0;
    draw();
  };
  const turn = (by) => {
    first += by;
    draw();
    place("errors").scrollIntoView();
    found.tabIndex = -1;
    found.focus({ preventScroll: true });
  };
  data.classes.forEach((label, i) => {
    ofTrue.append(new Option(label, i));
    ofPredicted.append(new Option(label, i));
  });
  for (const field of [ofTrue, ofPredicted]) field.addEventListener("change", filter);
  ofText.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  before.addEventListener("click", () => turn(-PAGE));
  after.addEventListener("click", () => turn(PAGE));
  for (const button of document.querySelectorAll("button.go")) {
    button.title = "show these errors";
    button.addEventListener("click", () => {
      ofTrue.value = button.dataset.true;
      ofPredicted.value = button.dataset.predicted;
      ofText.value = "";
      filter();
      place("errors").scrollIntoView();
      ofTrue.focus({ preventScroll: true });
    });
  }
  form.hidden = false;
  filter();
})();
