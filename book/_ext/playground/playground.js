/* The playground: a sentence's tokens, latents and a probe's answer, computed in this browser.

   A text runs through the model once (onnxruntime-web, one thread, files beside this page); what follows is arithmetic on
   the latents' values: pooling, switching off, binarising, adding up. Nothing is sent anywhere.

     x_j     = pool_t f_tj          the pooled value of latent j (1 or 0 where binarised)
     score_c = b_c + sum_j w_cj x_j what a probe adds up; w_cj x_j is what latent j adds

   Text reaches the page as text nodes only. A classic script, because a page opened as a file may run no module: it says so. */
(() => {
  "use strict";

  // --- arithmetic: no page, no network ---------------------------------------------------------------------------

  /* rows: for each token its active latents, [[latent, value], ...]. Map latent -> {value, parts}: the pooled value, and
     what each token brings to it (parts add up to it). */
  function pool(rows, pooling) {
    const found = new Map();
    const last = rows.length - 1;
    rows.forEach((row, t) => {
      if (pooling === "last" && t !== last) return;
      for (const [latent, value] of row) {
        if (!found.has(latent)) found.set(latent, { value: 0, parts: new Float64Array(rows.length) });
        const one = found.get(latent);
        if (pooling === "max") {
          if (value > one.value) { one.parts.fill(0); one.value = one.parts[t] = value; }
        } else {
          const part = pooling === "mean" ? value / rows.length : pooling === "count" ? 1 : value;
          one.value += part;
          one.parts[t] = part;
        }
      }
    });
    return found;
  }

  /* What a probe says of pooled latents. off: latents that are held at zero. threshold: null where values are read as they are.
     {scores, probabilities, best, adds: Map latent -> {x, weights: [class]}}; adds holds every latent that the probe reads and
     that is active, switched off or not; only those that are on count. */
  function answer(pooled, probe, nClasses, threshold, off) {
    const two = nClasses === 2;
    const scores = probe.intercept.slice();
    const adds = new Map();
    for (const [latent, { value }] of pooled) {
      const place = probe.place.get(latent);
      const x = threshold === null ? value : value > threshold ? 1 : 0;
      if (place === undefined || x === 0) continue;
      const row = probe.weights.map(weights => weights[place] * x);
      adds.set(latent, { x, adds: two ? [-row[0], row[0]] : row });
      if (!off.has(latent)) row.forEach((v, c) => { scores[c] += v; });
    }
    const probabilities = two ? [1 / (1 + Math.exp(scores[0])), 1 / (1 + Math.exp(-scores[0]))] : softmax(scores);
    return { scores, probabilities, best: probabilities.indexOf(Math.max(...probabilities)), adds };
  }

  function softmax(scores) {
    const top = Math.max(...scores);
    const powers = scores.map(s => Math.exp(s - top));
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers.map(p => p / sum);
  }

  /* [T, D] numbers laid flat -> for each token but the special ones its active latents. */
  function sparse(flat, width, from, to) {
    const rows = [];
    for (let t = from; t < to; t++) {
      const row = [];
      for (let j = 0; j < width; j++) { const v = flat[t * width + j]; if (v > 0) row.push([j, v]); }
      rows.push(row);
    }
    return rows;
  }

  /* Token ids cut at the model's longest text; special tokens behind it stay. */
  function cut(ids, longest, ending) {
    return ids.length <= longest ? ids : [...ids.slice(0, longest - ending), ...ids.slice(ids.length - ending)];
  }

  // --- files beside this page ------------------------------------------------------------------------------------

  const at = path => new URL(`playground/${path}`, document.baseURI).href;
  const kept = new Map();

  function json(path) {
    if (!kept.has(path)) {
      const asked = fetch(at(path)).then(r => { if (!r.ok) throw new Error(`${path}: ${r.status}`); return r.json(); });
      asked.catch(() => kept.delete(path));
      kept.set(path, asked);
    }
    return kept.get(path);
  }

  let runtime = null;
  function loadRuntime() {
    runtime ??= Promise.all([import(at("runtime/ort.wasm.min.mjs")), import(at("runtime/tokenizers.min.mjs"))])
      .then(([ort, tokenizers]) => {
        ort.env.wasm.wasmPaths = at("runtime/");
        ort.env.wasm.numThreads = 1;
        return { ort, tokenizers };
      });
    runtime.catch(() => { runtime = null; });
    return runtime;
  }

  /* One model: `analyse(text)` gives {text, tokens, codes: {layer: rows}, cut, ms}. Texts of this visit are kept. */
  class Model {
    constructor(about) {
      this.about = about;
      this.texts = new Map();
      this.opened = null;
      this.running = Promise.resolve();
    }

    get ready() { return this.session !== undefined; }

    keep(analysed) { for (const one of analysed) this.texts.set(one.text, one); }

    open() {
      this.opened ??= this.load();
      this.opened.catch(() => { this.opened = null; });
      return this.opened;
    }

    async load() {
      const { ort, tokenizers } = await loadRuntime();
      const { tokenizer, config } = await json(`${this.about.name}/tokenizer.json`);
      this.tokenizer = new tokenizers.Tokenizer(tokenizer, config);
      this.ort = ort;
      const session = await ort.InferenceSession.create(at(`${this.about.name}/model.onnx`), { executionProviders: ["wasm"] });
      const { ids } = this.tokenize("a b c"); // once, so that a reader's first sentence does not wait for the compiler
      await session.run({ input_ids: new ort.Tensor("int64", BigInt64Array.from(ids, BigInt), [1, ids.length]) });
      this.session = session;
    }

    tokenize(text) {
      const [before, behind] = this.about.special;
      const whole = this.tokenizer.encode(text).ids;
      const ids = cut(whole, this.about.max_length, behind);
      const real = ids.slice(before, ids.length - behind);
      return { ids, before, behind, cut: ids.length < whole.length, real,
               tokens: real.map(id => this.tokenizer.id_to_token(id)) };
    }

    analyse(text) {
      if (this.texts.has(text)) return Promise.resolve(this.texts.get(text));
      const result = this.running.then(() => this.run(text));
      this.running = result.catch(() => {}); // a session runs one text at a time
      return result;
    }

    async run(text) {
      await this.open();
      const start = performance.now();
      const { ids, before, behind, cut, real, tokens } = this.tokenize(text);
      const codes = {};
      if (real.length) {
        const input = new this.ort.Tensor("int64", BigInt64Array.from(ids, BigInt), [1, ids.length]);
        const output = await this.session.run({ input_ids: input });
        for (const { layer, latents } of this.about.layers) {
          codes[layer] = sparse(output[`layer_${layer}`].data, latents, before, ids.length - behind);
        }
      }
      const found = { text, ids: real, tokens, codes, cut, ms: performance.now() - start };
      if (this.texts.size > 200) this.texts.delete(this.texts.keys().next().value);
      this.texts.set(text, found);
      return found;
    }
  }

  async function probeOf(model, setting) {
    const read = await json(`${model.about.name}/${setting.file}`);
    read.place ??= new Map(read.columns.map((latent, i) => [latent, i]));
    return read;
  }

  window.mosaicPlayground = { pool, answer, sparse, cut, Model, probeOf, json };

  // --- the page --------------------------------------------------------------------------------------------------

  const root = document.querySelector(".playground");
  if (!root) return;
  const about = JSON.parse(root.querySelector("script").textContent);

  function h(tag, attributes = {}, ...children) {
    const e = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) e.addEventListener(name.slice(2), value);
      else if (name === "style") for (const [k, v] of Object.entries(value)) e.style.setProperty(k, v);
      else if (value === true) e.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) e.setAttribute(name, value);
    }
    e.append(...children.flat().filter(c => c !== null && c !== undefined));
    return e;
  }

  const note = (...words) => h("div", { class: "pg-note", role: "note" }, ...words);
  if (location.protocol === "file:") {
    root.append(note(h("p", {}, "This page was opened as a file, and browsers do not let a file load a model. In the project’s folder run ",
      h("code", {}, `mosaic serve --profile ${about.profile}`), ", and open the address that it prints.")));
    return;
  }
  if (!about.models.length) {
    root.append(note(...about.missing.map(text => h("p", {}, text))));
    return;
  }

  const MEGABYTE = 1e6, ASK_FROM = 40 * MEGABYTE, TYPED = 120; // ms without a key before a text runs
  const LETTERS = ["A", "B"];
  const models = new Map(about.models.map(one => [one.name, new Model(one)]));
  const state = { row: 10, off: new Set(), texts: ["", ""], two: true, token: null, latent: null, focus: null };
  const model = () => models.get(state.model);
  const question = () => model().about.questions.find(q => q.name === state.question);
  const setting = () => question().settings.find(s =>
    s.layer === state.layer && s.pooling === state.pooling && s.binarized === state.binarized);
  const threshold = () => setting().binarized ? state.threshold ?? setting().threshold : null;
  const sentences = () => state.two ? [0, 1] : [0];

  const number = (v, digits = 2) => {
    const text = Math.abs(v).toFixed(digits);
    return Number(text) === 0 ? text : `${v < 0 ? "−" : ""}${text}`;
  };
  const signed = (v, digits = 2) => (Number(v.toFixed(digits)) > 0 ? "+" : "") + number(v, digits);
  const percent = p => p > 0.999 ? "> 99.9 %" : p < 0.001 ? "< 0.1 %" : `${(100 * p).toFixed(p > 0.99 || p < 0.01 ? 1 : 0)} %`;
  const size = bytes => `${Math.round(bytes / MEGABYTE)} MB`;
  const shownToken = token => token.replace(/^▁(?=.)/, "").replace(/^##/, "").replaceAll("▁", "␣").replace(/\n/g, "⏎");
  /* Whether a token goes on with the word before it: "##ing", or one without the mark of a space behind a letter. */
  const joined = (tokens, t) => t > 0 && (tokens[t].startsWith("##") ||
    (tokens.some(token => token.startsWith("▁")) && /^\p{L}/u.test(tokens[t]) && /\p{L}$/u.test(tokens[t - 1])));

  // The frame: made once, so that a reader's cursor and focus stay where they are.
  const place = {};
  for (const name of ["models", "questions", "settings", "scores", "examples", "sentences", "changes", "latents"]) {
    place[name] = h("div", { class: `pg-${name}` });
  }
  const status = h("p", { class: "pg-status" });
  const spoken = h("p", { class: "pg-spoken", role: "status", "aria-live": "polite" });
  const boxes = LETTERS.map((letter, i) => {
    const area = h("textarea", { id: `pg-text-${i}`, rows: 2, spellcheck: "false", autocomplete: "off", oninput: () => typed(i) });
    const said = h("div", { class: "pg-answer" });
    const strip = h("div", { class: "pg-tokens", role: "group", "aria-label": `Tokens of sentence ${letter}` });
    return { area, said, strip, all: h("section", { class: "pg-sentence", "aria-label": `Sentence ${letter}` },
      h("label", { for: `pg-text-${i}` }, `Sentence ${letter}`), area, said, strip) };
  });
  const second = h("input", { type: "checkbox", id: "pg-two", onchange: e => { state.two = e.target.checked; update(); } });
  place.sentences.append(...boxes.map(b => b.all));
  const chosenNow = h("span", { class: "pg-now" });
  const copied = h("button", { type: "button", class: "pg-small", onclick: copyLink }, "Copy a link to this");
  root.append(place.models, place.examples, h("div", { class: "pg-controls" }, place.questions,
    h("details", { class: "pg-folded", open: matchMedia("(min-width: 768px)").matches }, h("summary", {}, "Settings: ", chosenNow),
      place.settings, place.scores)),
    h("p", { class: "pg-line" }, h("label", { class: "pg-check", for: "pg-two" }, second, " Two sentences, side by side"), copied),
    ...about.missing.map(text => note(h("p", {}, text))),
    place.sentences, status, place.changes, place.latents, spoken);

  const choices = (name, legend, options, chosen, choose, marked) => h("fieldset", { class: "pg-choices" }, h("legend", {}, legend),
    h("div", {}, options.map(([value, text]) => h("label", { class: "pg-choice" },
      h("input", { type: "radio", name: `pg-${name}`, value, checked: value === chosen, onchange: () => choose(value) }),
      h("span", {}, text, marked === value ? h("span", { class: "pg-star", title: "chosen on validation" }, " ★") : null)))));

  /* Put new contents in place; what had the focus has it again. */
  function fill(where, ...contents) {
    const active = document.activeElement;
    const key = where.contains(active) && (active.id || active.dataset.key || (active.name && `${active.name}=${active.value}`));
    where.replaceChildren(...contents.filter(Boolean));
    if (!key) return;
    for (const e of where.querySelectorAll("input, button")) {
      if (key === e.id || key === e.dataset.key || key === `${e.name}=${e.value}`) { e.focus({ preventScroll: true }); return; }
    }
  }

  function useSetting(index) {
    const { layer, pooling, binarized } = question().settings[index];
    Object.assign(state, { layer, pooling, binarized, threshold: null });
    state.off.clear();
    state.latent = state.token = null;
  }

  function useQuestion(name) {
    state.question = name;
    state.focus = null;
    useSetting(question().opening);
  }

  function usePair(pair) {
    useQuestion(pair.question);
    state.texts = [...pair.texts];
    state.two = true;
  }

  function useModel(name) {
    state.model = name;
    state.texts = ["", ""];
    state.two = false;
    const { pairs, questions } = model().about;
    if (pairs.length) usePair(pairs[0]); else useQuestion(questions[0].name);
  }

  function drawControls() {
    const m = model().about, q = question(), s = setting(), best = q.settings[q.chosen];
    fill(place.models, about.models.length > 1 ? choices("model", "Model",
      about.models.map(one => [one.name, `${one.title} (${one.bytes === null ? "examples only" : size(one.bytes)})`]),
      state.model, name => { useModel(name); show(); }) : null, h("p", { class: "pg-hint" }, m.note));
    fill(place.questions, choices("question", "Question", m.questions.map(one => [one.name, one.asks]), state.question,
      name => { useQuestion(name); if (!state.texts[0]) state.texts[0] = question().examples[0]?.text ?? ""; show(); }));
    const layers = m.layers.map(one => [String(one.layer), String(one.layer)]);
    const change = what => { Object.assign(state, what); state.threshold = null; state.token = state.latent = null;
      if ("layer" in what) state.off.clear(); update(); };
    const slider = s.binarized ? h("label", { class: "pg-threshold" }, "Threshold ",
      h("input", { type: "range", id: "pg-threshold", min: 0, max: s.highest, step: s.highest / 200, value: threshold(),
        "aria-valuetext": `on above ${number(threshold())}`, oninput: e => { state.threshold = Number(e.target.value); update(true); } }),
      h("output", { for: "pg-threshold" }, number(threshold())),
      state.threshold !== null && h("button", { type: "button", class: "pg-small", "data-key": "trained",
        onclick: () => { state.threshold = null; update(); } }, `back to ${number(s.threshold)}`) || null) : null;
    fill(place.settings,
      choices("layer", "Layer", layers, String(state.layer), v => change({ layer: Number(v) }), String(best.layer)),
      choices("pooling", "Pooling", about.poolings.map(p => [p, p]), state.pooling, v => change({ pooling: v }), best.pooling),
      choices("binarized", "Values", [["no", "as they are"], ["yes", "on or off"]], state.binarized ? "yes" : "no",
        v => change({ binarized: v === "yes" }), best.binarized ? "yes" : "no"),
      slider);
    const parts = Object.entries(s.parts).map(([part, one]) =>
      `${one.macro_f1.toFixed(2)} (95 % ${one.low.toFixed(2)} to ${one.high.toFixed(2)})${part === "test" ? "" : ` in ${part}`}`);
    const chosen = q.settings.indexOf(s) === q.chosen;
    fill(place.scores, h("p", {}, `This probe learned from ${s.n_train} texts. On texts it never saw, its macro-F1 is ${parts.join(", ")}. `,
      chosen ? "It is the setting that validation chose (★)." : h("button", { type: "button", class: "pg-small", "data-key": "chosen",
        onclick: () => { useSetting(question().chosen); update(); } }, "Use the setting that validation chose (★)")));
    chosenNow.textContent = `layer ${s.layer}, ${s.pooling}, ${s.binarized ? `on above ${number(threshold())}` : "values as they are"}`;
    second.checked = state.two;
    place.sentences.classList.toggle("pg-side", state.two);
    boxes[1].all.hidden = !state.two;
    boxes.forEach((box, i) => { if (box.area.value !== state.texts[i]) box.area.value = state.texts[i]; });
    boxes.forEach(box => { box.area.disabled = !about.runtime || m.bytes === null; });
  }

  function drawExamples() {
    const chip = (text, title, click, key) => h("button", { type: "button", class: "pg-example", title, "data-key": key, onclick: click }, text);
    const pairs = model().about.pairs.map(p => chip(p.title, `${p.texts[0]} | ${p.texts[1]}`, () => { usePair(p); show(); }, `pair ${p.title}`));
    const own = question().examples.map((one, i) => chip(one.text, `labelled ${one.label}`, () => {
      state.texts[0] = one.text; state.two = false; state.off.clear(); state.token = state.latent = state.focus = null; show();
    }, `example ${i}`));
    fill(place.examples,
      pairs.length ? h("div", {}, h("span", { class: "pg-legend" }, "Start with two that differ in one thing"), h("div", { class: "pg-row" }, pairs)) : null,
      about.runtime && model().about.bytes !== null && own.length ? h("details", {}, h("summary", {}, `Sentences from the test of “${question().asks}”`), h("div", { class: "pg-row" }, own)) : null);
  }

  // --- results

  let latest = 0;
  let acted = false; // a page that was only opened loads no model
  for (const act of ["click", "input"]) root.addEventListener(act, () => { acted = true; }, { capture: true });

  async function update(quick = false) {
    const turn = ++latest;
    drawControls();
    if (!quick) drawExamples();
    try {
      const m = model(), [probe, names] = await Promise.all([probeOf(m, setting()), json(`${m.about.name}/names-${state.layer}.json`)]);
      const found = [];
      for (const i of sentences()) {
        const text = state.texts[i];
        if (!text.trim()) { found.push(null); continue; }
        if (!m.texts.has(text) && !m.ready) {
          if (!about.runtime || m.about.bytes === null) { found.push(null); continue; }
          if (!m.opened && (m.about.bytes > ASK_FROM || !acted)) { askToLoad(m); return; }
          say(`Loading the model once: ${size(m.about.bytes + (runtime ? 0 : about.runtime.bytes))} from this site…`);
        }
        found.push(await m.analyse(text));
        if (turn !== latest) return;
      }
      if (turn === latest) draw(probe, names, found);
    } catch (error) {
      if (turn === latest) say(`That did not work: ${error.message}. Reload the page; if it stays, build the site again.`, true);
    }
  }

  function askToLoad(m) {
    place.latents.replaceChildren();
    boxes.forEach(box => { box.said.replaceChildren(); box.strip.replaceChildren(); });
    const bytes = m.about.bytes + (runtime ? 0 : about.runtime.bytes);
    status.replaceChildren("To read this, the model loads once, from this site. ", h("button", { type: "button", class: "pg-main",
      onclick: () => { m.open().catch(() => {}); update(); } }, `Load it (${size(bytes)})`));
  }

  function say(text, wrong = false) {
    status.textContent = text;
    status.classList.toggle("pg-wrong", wrong);
  }

  function draw(probe, names, found) {
    const q = question(), n = q.classes.length, at = threshold();
    const results = found.map(one => {
      if (!one || !one.tokens.length) return null;
      const pooled = pool(one.codes[state.layer], state.pooling);
      return { one, pooled, now: answer(pooled, probe, n, at, state.off),
               before: answer(pooled, probe, n, setting().binarized ? setting().threshold : null, new Set()) };
    });
    const first = results.find(Boolean);
    if (n === 2 && first) state.focus ??= first.before.best; // of two classes the signs stay those of the first answer while one types
    const focus = state.focus ?? (first ? first.before.best : 0);
    const view = { q, probe, names, results, focus, at };
    boxes.forEach((box, i) => drawSentence(box, results[i] ?? null, i, view));
    drawLatents(view);
    const ran = results.filter(r => r && r.one.ms !== undefined);
    const short = results.find(r => r && r.one.cut);
    say([ran.length ? `Computed in this browser in ${Math.max(1, Math.round(ran.at(-1).one.ms))} ms.` : "",
      short ? ` Only the first ${model().about.max_length} tokens are read.` : "",
      !first && about.runtime ? "Type a sentence, or choose one above." : "",
      first && !ran.length && about.runtime ? `Type: the model (${size(model().about.bytes + about.runtime.bytes)} with its runtime, from this site) then loads once, and nothing you type leaves this machine.` : ""].join(""));
    speak(results, q);
    remember();
  }

  function speak(results, q) {
    const words = results.map((r, i) => r && `Sentence ${LETTERS[i]}: ${q.classes[r.now.best]}, ${percent(r.now.probabilities[r.now.best])}`
      + (r.now.best !== r.before.best ? `; before the change it was ${q.classes[r.before.best]}` : ""));
    const text = words.filter(Boolean).join(". ");
    if (spoken.textContent !== text) spoken.textContent = text;
  }

  function drawSentence(box, result, i, view) {
    if (!result) { box.said.replaceChildren(); box.strip.replaceChildren(); return; }
    const { q, focus } = view, { now, before, one } = result;
    const order = q.classes.map((_, c) => c);
    if (q.classes.length > 4) order.sort((a, b) => now.probabilities[b] - now.probabilities[a]);
    const bars = order.slice(0, 4).map(c => h("button", { type: "button", class: "pg-class", "data-key": `class ${i} ${c}`,
      "aria-pressed": String(c === focus), title: `show what speaks for ${q.classes[c]}`, onclick: () => { state.focus = c; update(); } },
      h("span", { class: "pg-class-name" }, q.classes[c]),
      h("span", { class: "pg-bar", "aria-hidden": "true" }, h("span", { style: { width: `${100 * now.probabilities[c]}%` } })),
      h("span", { class: "pg-value" }, percent(now.probabilities[c]))));
    const changed = Math.abs(now.probabilities[before.best] - before.probabilities[before.best]) > 5e-4;
    fill(box.said, h("p", { class: "pg-verdict" }, h("strong", {}, q.classes[now.best]), ` ${percent(now.probabilities[now.best])}`,
      changed ? h("span", { class: "pg-was" }, now.best === before.best ? ` (was ${percent(before.probabilities[before.best])})`
        : ` (was ${q.classes[before.best]}, ${percent(before.probabilities[before.best])})`) : null),
      h("div", { class: "pg-classes", role: "group", "aria-label": `What each class gets, sentence ${LETTERS[i]}` }, bars),
      order.length > 4 ? h("p", { class: "pg-hint" }, `and ${order.length - 4} more classes below ${percent(now.probabilities[order[3]])}`) : null);
    const values = state.latent === null ? perToken(result, view) : activations(one, state.latent);
    const top = Math.max(1e-9, ...view.results.filter(Boolean).flatMap(r =>
      Array.from(state.latent === null ? perToken(r, view) : activations(r.one, state.latent), Math.abs)));
    const legend = `What each token ${state.latent === null ? `adds: + speaks for “${q.classes[focus]}”, − against it` : "has of the latent"}.`;
    fill(box.strip, h("p", { class: "pg-hint pg-signs" }, legend), ...one.tokens.map((token, t) => {
      const v = values[t], share = Math.abs(v) / top, on = state.token && state.token[0] === i && state.token[1] === t;
      return h("button", { type: "button", class: `pg-token ${v < 0 ? "pg-against" : "pg-for"}${joined(one.tokens, t) ? " pg-joined" : ""}`, "data-key": `token ${i} ${t}`, "aria-pressed": String(Boolean(on)),
        style: { "--share": `${Math.round(45 * share)}%` }, onclick: () => { state.token = on ? null : [i, t]; state.latent = null; update(); } },
        h("span", { class: "pg-piece" }, shownToken(token)), h("span", { class: "pg-spoken" }, `, ${state.latent === null ? "adds" : "activation"} ${signed(v)}`),
        h("span", { class: "pg-number", "aria-hidden": "true" }, Math.abs(v) < 0.005 ? "·" : signed(v, Math.abs(v) >= 10 ? 0 : 1)));
    }));
  }

  /* What each token brings to the score of the class in focus: each latent's contribution, divided as its pooled value is. */
  function perToken({ one, pooled, now }, { focus }) {
    const sums = new Float64Array(one.tokens.length);
    for (const [latent, { adds }] of now.adds) {
      if (state.off.has(latent)) continue;
      const { value, parts } = pooled.get(latent);
      for (let t = 0; t < sums.length; t++) sums[t] += adds[focus] * parts[t] / value;
    }
    return sums;
  }

  const activations = (one, latent) => Float64Array.from(one.codes[state.layer], row => row.find(([j]) => j === latent)?.[1] ?? 0);

  function drawLatents(view) {
    const { q, results, focus, names } = view;
    const on = state.token && results[state.token[0]];
    const token = on ? on.one.tokens[state.token[1]] : null;
    const here = on ? new Map(on.one.codes[state.layer][state.token[1]] ?? []) : null;
    const all = new Map();
    results.forEach((r, i) => { if (r) for (const [latent, { adds, x }] of r.now.adds) {
      if (here && !here.has(latent)) continue;
      if (!all.has(latent)) all.set(latent, []);
      all.get(latent)[i] = { adds: adds[focus], x, pooled: r.pooled.get(latent).value };
    } });
    const strength = entry => Math.max(...[0, 1].map(i => Math.abs(entry[i]?.adds ?? 0)));
    const sorted = [...all].sort((a, b) => strength(b[1]) - strength(a[1]) || a[0] - b[0]);
    const top = sorted.length ? strength(sorted[0][1]) : 1;
    const columns = sentences().filter(i => results[i]);
    const changes = state.off.size ? [h("p", {}, `${state.off.size} ${state.off.size > 1 ? "latents are" : "latent is"} switched off. `,
      h("button", { type: "button", class: "pg-small", "data-key": "all on", onclick: () => { state.off.clear(); update(); } }, "Switch all on"))] : [];
    fill(place.changes, ...changes);
    if (!columns.length) { place.latents.replaceChildren(); return; }
    const heading = token === null ? `What speaks for “${q.classes[focus]}”, latent by latent`
      : `Latents on “${shownToken(token)}” of sentence ${LETTERS[state.token[0]]}, and what they add for “${q.classes[focus]}”`;
    const cell = (entry, off) => h("td", { class: "pg-adds" }, entry === undefined ? h("span", { class: "pg-none" }, "not active") :
      h("span", { class: `pg-signed ${entry.adds < 0 ? "pg-against" : "pg-for"}${off ? " pg-out" : ""}` },
        h("span", { class: "pg-value", title: `pooled value ${number(entry.pooled)}` }, off ? `off (${signed(entry.adds)})` : signed(entry.adds)),
        h("span", { class: "pg-half", "aria-hidden": "true" }, h("span", { style: { width: `${50 * Math.abs(entry.adds) / top}%` } }))));
    const rows = sorted.slice(0, state.row).map(([latent, entry]) => {
      const off = state.off.has(latent), [name, from] = names[latent] ?? ["no description: it fires too seldom", "none"];
      return h("tr", { class: off ? "pg-off" : null },
        h("td", {}, h("input", { type: "checkbox", role: "switch", class: "pg-switch", "data-key": `switch ${latent}`, checked: !off, "aria-label": `latent ${latent}, ${name}`,
          onchange: e => { if (e.target.checked) state.off.delete(latent); else state.off.add(latent); update(true); } })),
        h("td", { class: "pg-name" }, h("button", { type: "button", class: "pg-latent", "data-key": `latent ${latent}`, "aria-pressed": String(state.latent === latent),
          title: "show where it is active", onclick: () => { state.latent = state.latent === latent ? null : latent; update(true); } }, String(latent)),
          " ", h("span", { class: `pg-from-${from}` }, name)),
        here ? h("td", { class: "pg-num" }, number(here.get(latent))) : null,
        ...columns.map(i => cell(entry[i], off)));
    });
    const more = sorted.length - state.row;
    fill(place.latents, h("h2", { class: "pg-heading" }, heading),
      h("p", { class: "pg-hint" }, state.latent !== null ? `The tokens above show where latent ${state.latent} is active. ` :
        token !== null ? "Press the token again to see all latents. " : "The number under a token is what it brings to this sum. Press a token to see its latents, a latent’s number to see where it is active, and switch latents off to see what changes. "),
      sorted.length ? h("div", { class: "pg-scroll", tabindex: "0", role: "group", "aria-label": "Latents, scrolls sideways" }, h("table", { class: "pg-table" },
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "on"), h("th", { scope: "col" }, "latent"),
          here ? h("th", { scope: "col", class: "pg-num" }, "on this token") : null,
          ...columns.map(i => h("th", { scope: "col" }, columns.length > 1 ? `adds in ${LETTERS[i]}` : "adds")))),
        h("tbody", {}, ...rows))) : h("p", {}, "No latent that this probe reads is active here."),
      more > 0 ? h("button", { type: "button", class: "pg-small", "data-key": "more", onclick: () => { state.row = 1000; update(true); } }, `Show ${more} more`) :
        state.row > 10 && sorted.length > 10 ? h("button", { type: "button", class: "pg-small", "data-key": "more", onclick: () => { state.row = 10; update(true); } }, "Show fewer") : null,
      h("p", { class: "pg-hint" }, ...columns.map(i => {
        const r = results[i], rest = intercept(view, focus);
        let sum = rest;
        for (const [latent, { adds }] of r.now.adds) if (!state.off.has(latent)) sum += adds[focus];
        return h("span", { class: "pg-sum" }, `${columns.length > 1 ? `${LETTERS[i]}: ` : ""}all latents ${signed(sum - rest)}, the probe’s constant ${signed(rest)}, together ${signed(sum)}. `);
      })));
  }

  const intercept = ({ probe, q }, focus) => q.classes.length > 2 ? probe.intercept[focus] : (focus ? 1 : -1) * probe.intercept[0];

  // --- what is typed, and the address

  let waiting = null;
  function typed(i) {
    state.texts[i] = boxes[i].area.value;
    state.token = null;
    const m = model();
    if (about.runtime && m.about.bytes !== null && m.about.bytes <= ASK_FROM) m.open().catch(() => {}); // while the reader goes on typing
    clearTimeout(waiting);
    waiting = setTimeout(() => update(true), TYPED);
  }

  /* The address holds what is seen, behind #, which no browser sends to a server. */
  let remembering = null;
  function remember() {
    clearTimeout(remembering); // browsers refuse more than a few a second
    remembering = setTimeout(writeAddress, 250);
  }

  function writeAddress() {
    const s = state, now = new URLSearchParams({ m: s.model, q: s.question, l: s.layer, p: s.pooling });
    if (s.binarized) now.set("b", threshold());
    if (s.off.size) now.set("off", [...s.off].join("."));
    now.set("a", s.texts[0]);
    if (s.two) now.set("c", s.texts[1]);
    try { history.replaceState(null, "", `#${now}`); } catch { /* the address stays as it was */ }
  }

  async function copyLink() {
    writeAddress();
    try {
      await navigator.clipboard.writeText(location.href);
      copied.textContent = "Copied";
    } catch {
      copied.textContent = "Copy the address above";
    }
    setTimeout(() => { copied.textContent = "Copy a link to this"; }, 2000);
  }

  function restore() {
    const given = new URLSearchParams(location.hash.slice(1));
    useModel(models.has(given.get("m")) ? given.get("m") : about.models[0].name);
    if (!model().about.questions.some(q => q.name === given.get("q"))) return;
    useQuestion(given.get("q"));
    const wanted = { layer: Number(given.get("l")), pooling: given.get("p"), binarized: given.has("b") };
    if (question().settings.some(s => Object.keys(wanted).every(k => s[k] === wanted[k]))) {
      Object.assign(state, wanted);
      const t = Number(given.get("b"));
      if (given.has("b") && Number.isFinite(t) && t !== setting().threshold) state.threshold = t;
      (given.get("off") ?? "").split(".").filter(Boolean).map(Number).filter(Number.isInteger).forEach(j => state.off.add(j));
    }
    if (given.has("a")) { state.texts = [given.get("a"), given.get("c") ?? ""]; state.two = given.has("c"); }
  }

  /* Pairs are computed with the book: they need no model here. */
  async function show() {
    const m = model(), there = () => sentences().every(i => m.texts.has(state.texts[i]));
    try {
      m.keep(await json(`${m.about.name}/opening.json`));
      const given = m.about.pairs.some(p => sentences().every(i => p.texts.includes(state.texts[i])));
      if (given && !there()) m.keep(await json(`${m.about.name}/pairs.json`));
    } catch { /* they are computed when asked for */ }
    return update();
  }

  restore();
  window.addEventListener("hashchange", () => { restore(); show(); });
  window.mosaicPlayground.models = models;
  show();
})();
