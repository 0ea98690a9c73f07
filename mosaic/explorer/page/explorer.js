/* The explorer's page. Data come as scripts that call mosaic.index, mosaic.list and mosaic.latents (a page opened from the disk
   may run scripts of its folder, but fetch nothing). Every text is set as text: nothing of a data set becomes markup.

   Addresses: #LAYER/WIDTH is an SAE's list, #LAYER/WIDTH/NUMBER a latent. */
"use strict";
const mosaic = (() => {
  const PAGE = 100; // lines of the list at a time
  const lists = new Map(), records = new Map(), scripts = new Map();
  const state = { query: "", show: "all", sort: "number", shown: PAGE, beside: new Set() }; // beside: titles of panels shown beside a random latent's
  let index = null, order = [], turn = 0;

  // ---- small tools
  const $ = id => document.getElementById(id);
  const el = (tag, properties = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (value === null || value === undefined || value === false) continue;
      if (name === "class") node.className = value;
      else if (name === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
      else node.setAttribute(name, value === true ? "" : String(value));
    }
    node.append(...children.filter(child => child !== null && child !== undefined));
    return node;
  };
  const svg = (tag, attributes, ...children) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const percent = x => x === 0 ? "0 %" : x < 0.001 ? "< 0.1 %" : `${(100 * x).toFixed(x < 0.1 ? 1 : 0)} %`;
  const score = x => x === null || x === undefined ? "–" : x.toFixed(2);
  const signed = x => (x < 0 ? "−" : "") + Math.abs(x).toFixed(2);
  const amount = x => String(Number(x.toPrecision(3)));
  const plural = (n, what) => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;
  const listed = tokens => tokens.map(t => `“${t}”`).join(", ");
  const visible = token => token.replace(/\r?\n/g, "↵").replace(/\t/g, "⇥");
  const address = (sae, n) => `#${sae.layer}/${encodeURIComponent(sae.width)}${n === undefined ? "" : `/${n}`}`;
  const tell = text => { $("status").textContent = text; };
  const draw = (...children) => $("main").replaceChildren(...children.filter(child => child !== null));

  // ---- data
  const load = file => {
    if (!scripts.has(file)) scripts.set(file, new Promise((done, failed) => {
      const script = el("script", { src: `data/${file}` });
      script.addEventListener("load", done);
      script.addEventListener("error", () => { scripts.delete(file); script.remove(); failed(Object.assign(new Error(file), { file })); });
      document.head.append(script);
    }));
    return scripts.get(file);
  };
  const rowsOf = async sae => {
    await load(sae.list);
    return lists.get(sae.key);
  };
  const recordIn = async (key, shards, n) => {
    let file = null;
    for (const [first, name] of shards) if (first <= n) file = name;
    if (file !== null) await load(file);
    return records.get(`${key}/${n}`) || null;
  };
  const recordOf = (sae, n) => recordIn(sae.key, sae.shards, n);
  const randomOf = (sae, n) => recordIn(`${sae.key}/random`, sae.random, n);

  // ---- the list
  const SORTS = {
    number: ["number", (a, b) => a[0] - b[0]],
    detection: ["detection, best first", (a, b) => (b[4] ?? -1) - (a[4] ?? -1) || a[0] - b[0]],
    worst: ["detection, worst first", (a, b) => (a[4] ?? 2) - (b[4] ?? 2) || a[0] - b[0]],
    often: ["fires most", (a, b) => b[5] - a[5] || a[0] - b[0]],
    seldom: ["fires least", (a, b) => a[5] - b[5] || a[0] - b[0]],
    factor: ["AUROC of its factor", (a, b) => (b[3] ?? -1) - (a[3] ?? -1) || a[0] - b[0]],
  };
  const SHOWS = {
    all: ["all", () => true],
    named: ["with a factor or name", row => row[2] !== ""],
    unnamed: ["without a factor or name", row => row[2] === ""],
    good: ["detection .80 and more", row => row[4] !== null && row[4] >= 0.8],
    poor: ["detection below .65", row => row[4] !== null && row[4] < 0.65],
    rare: ["on fewer than 1 % of tokens", row => row[5] < 0.01],
    common: ["on 10 % of tokens and more", row => row[5] >= 0.1],
  };
  const matches = query => {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 1 && /^#?\d+$/.test(words[0])) {
      const n = Number(words[0].replace("#", ""));
      return row => row[0] === n || row[1].includes(`“${words[0]}”`);
    }
    return row => {
      const text = `${row[1]}\n${row[2]}\n${row[6]}`.toLowerCase();
      return words.every(word => text.includes(word));
    };
  };
  const sift = rows => {
    const wanted = matches(state.query);
    return rows.filter(row => SHOWS[state.show][1](row) && wanted(row)).sort(SORTS[state.sort][1]);
  };
  const line = (sae, row) => el("li", {}, el("a", { href: address(sae, row[0]) },
    el("b", {}, String(row[0])),
    el("span", {}, row[1] || "fires too seldom to be described"),
    el("span", {}, row[2] + (row[3] === null ? "" : ` (${score(row[3])})`)),
    el("span", { class: "number" }, el("i", {}, "detection "), score(row[4])),
    el("span", { class: "number" }, el("i", {}, "fires on "), percent(row[5]))));

  const drawList = async sae => {
    const mine = ++turn;
    const rows = await rowsOf(sae);
    if (mine !== turn) return;
    document.title = `Latents of layer ${sae.layer}, ${sae.width}: ${index.title}`;
    const box = el("ol", { class: "latents" }), count = el("p", { class: "quiet" });
    const more = el("button", { type: "button", class: "more", on: { click: () => {
      const before = state.shown;
      state.shown += PAGE;
      fill();
      box.children[before]?.querySelector("a").focus();
    } } }, "Show more");
    const fill = () => {
      order = sift(rows);
      box.replaceChildren(...order.slice(0, state.shown).map(row => line(sae, row)));
      count.textContent = `${plural(order.length, "latent")} of ${rows.length.toLocaleString("en")}`
        + (order.length ? "" : ": search looks in what latents are described by, in factors and names, not in all texts");
      tell(count.textContent);
      more.hidden = order.length <= state.shown;
    };
    const choice = (name, options, key) => el("label", {}, name, el("select", { id: key, on: { change: event => {
      state[key] = event.target.value; state.shown = PAGE; fill();
    } } }, ...Object.entries(options).map(([value, [said]]) => el("option", { value, selected: state[key] === value }, said))));
    const search = el("input", { type: "search", id: "search", autocomplete: "off", spellcheck: "false", maxlength: "200", placeholder: "token, factor, name or number", on: {
      input: event => { state.query = event.target.value; state.shown = PAGE; fill(); },
      keydown: event => { if (event.key === "Enter" && !event.isComposing && order.length) location.hash = address(sae, order[0][0]); },
    } });
    search.value = state.query;
    draw(
      el("h1", { tabindex: "-1" }, `Latents of layer ${sae.layer}, width ${sae.width}`),
      el("p", {}, `${rows.length.toLocaleString("en")} of ${sae.latents.toLocaleString("en")} latents fire on the texts that were read; each has a page.`),
      el("div", { class: "filters", role: "search" },
        el("label", { class: "wide" }, "Search", search), choice("Show", SHOWS, "show"), choice("Order", SORTS, "sort")),
      count,
      el("div", { class: "columns", "aria-hidden": "true" }, el("span", {}, "latent"), el("span", {}, "it fires"),
        el("span", {}, index.truth ? "factor it tracks (AUROC)" : "name"), el("span", { class: "number" }, "detection"), el("span", { class: "number" }, "of tokens")),
      box, more, keys());
    fill();
    [...box.querySelectorAll("a")].find(link => link.getAttribute("href") === address(sae, show.last))?.scrollIntoView({ block: "center" });
  };
  const keys = () => el("p", { class: "quiet" }, "Keys: ", el("kbd", {}, "/"), " search, ", el("kbd", {}, "Enter"), " the first found, ", el("kbd", {}, "k"),
    " or ", el("kbd", {}, "←"), " the latent before, ", el("kbd", {}, "j"), " or ", el("kbd", {}, "→"), " the one after, ", el("kbd", {}, "Esc"), " the list, ", el("kbd", {}, "r"), " every panel beside a random latent's.");

  // ---- one latent
  // A panel is {title, whole, table, body}: body(one, of) gives what stands in it, or null. of: {sae, rows, probes, random}.
  const panel = (shape, one, of) => {
    const body = shape.body(one, of);
    if (!body) return null;
    const own = el("div", { class: "own" }, ...body), head = el("div", { class: "head" }, el("h2", {}, shape.title));
    const section = el("section", { class: [shape.whole && "whole", shape.table && "table"].filter(Boolean).join(" ") || null }, head, own);
    if (one.beside === null) return section;
    const button = el("button", { type: "button", "aria-expanded": "false", on: { click: () => {
      state.beside[state.beside.has(shape.title) ? "delete" : "add"](shape.title);
      fill();
    } } }, "Beside a random latent");
    let drawn = null;
    const fill = async () => {
      const open = state.beside.has(shape.title);
      button.setAttribute("aria-expanded", String(open));
      drawn?.remove();
      drawn = null;
      section.classList.toggle("doubled", open);
      if (!open) return;
      const mine = drawn = el("div", { class: "random", role: "group", "aria-label": `${shape.title}: a random latent` }, el("h3", {}, "…"));
      section.append(mine);
      try {
        const other = await randomOf(of.sae, one.beside);
        if (drawn !== mine) return;
        mine.replaceChildren(el("h3", {}, `A random dictionary's latent, ${one.beside}, on ${percent(other.rate)} of tokens`),
          ...(shape.body(other, { ...of, rows: [], probes: of.sae.chance, random: true }) ?? []));
        tell(`${shape.title}: a random latent beside it`);
      } catch (error) {
        mine.replaceChildren(el("p", {}, `${lost(error)}`));
      }
    };
    head.append(button);
    section.fill = fill;
    if (state.beside.has(shape.title)) fill();
    return section;
  };
  const lost = error => `${error.file ? `data/${error.file} could not be read` : "The page and its data are not of one version"}. Write the pages again with mosaic explore.`;
  const facts = (...pairs) => el("dl", { class: "facts" }, ...pairs.filter(Boolean).flatMap(([name, ...value]) => [el("dt", {}, name), el("dd", {}, ...value)]));
  const grid = (heads, rows) => el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `table: ${heads.filter(Boolean).join(", ")}` }, el("table", {},
    el("thead", {}, el("tr", {}, ...heads.map(head => el("th", { scope: "col" }, head)))),
    el("tbody", {}, ...rows.map(cells => el("tr", {}, ...cells.map(cell => el("td", { class: /^[−\d.]+$/.test(cell) ? "number" : null }, cell)))))));
  const note = text => el("p", { class: "quiet" }, text);

  const tokens = found => el("ul", { class: "chips" }, ...found.map(token => el("li", { dir: "auto" }, visible(token))));
  const summary = (one, of) => [facts(
    one.label ? ["Fires", one.label.place, tokens(one.label.tokens)] : ["Fires", "too seldom to be described by counting"],
    one.name && ["Name", one.name],
    index.truth && ["Factor", one.factor ? (one.factor.named ? "" : "tracks none; the nearest is ") + `${one.factor.name} (AUROC ${score(one.factor.auroc)})` : "none"],
    ["Detection", one.scores ? `${score(one.scores.detection)}; among alike contexts ${score(one.scores.near)}` : "fires in too few contexts, or too many, to be judged"],
    one.scores && ["Fuzzing", score(one.scores.fuzzing)],
    ["Fires on", `${percent(one.rate)} of tokens, in ${percent(one.texts)} of texts`],
  ), of.random ? note("A random dictionary is as wide and as sparse as the SAE, with directions that nothing was learned for. Of its latents, one that fires about as often.") : note("“Fires” is learned by counting on every second text. Detection is the balanced accuracy with which it tells, in the other texts, contexts where the latent is active from silent ones; fuzzing, with which it tells the tokens it fires on from others in those contexts; 0.50 is chance." +
    (index.truth ? ` A factor is chosen on half of the texts, where it must reach ${index.named.toFixed(2)}; the AUROC is the other half's.` : ""))];

  const histogram = one => {
    const top = Math.max(...one.bins), width = 100 / one.bins.length;
    const bars = one.bins.map((n, i) => {
      const height = n ? Math.max(1.5, 98 * Math.log1p(n) / Math.log1p(top)) : 0;
      return svg("rect", { x: i * width + 0.2, y: 100 - height, width: width - 0.4, height },
        (() => { const t = svg("title", {}); t.textContent = `${amount(one.max * i / one.bins.length)} to ${amount(one.max * (i + 1) / one.bins.length)}: ${plural(n, "token")}`; return t; })());
    });
    return [
      svg("svg", { class: "histogram", viewBox: "0 0 100 100", preserveAspectRatio: "none", role: "img",
        "aria-label": `Histogram of ${one.bins.reduce((a, b) => a + b, 0)} activations from 0 to ${amount(one.max)}; their mean is ${amount(one.mean)}.` }, ...bars),
      el("div", { class: "axis quiet" }, el("span", {}, "0"), el("span", {}, amount(one.max))),
      note(`Activations of the ${plural(one.bins.reduce((a, b) => a + b, 0), "token")} on which it fires, ${amount(one.mean)} in the mean; heights are logarithmic.`)];
  };

  const chips = (side, title, found) => el("div", {}, el("h3", { class: side }, title), tokens(found));
  const writes = one => index.head ? [
    el("div", { class: "two" }, chips("up", "▲ Tokens it raises", one.raised), chips("down", "▼ Tokens it lowers", one.lowered)),
    note("Its decoder row, scaled by the last norm, times the unembedding."),
  ] : [note("This model has no head that writes tokens.")];

  const near = (one, of) => {
    const byNumber = new Map(of.rows.map(row => [row[0], row]));
    const side = (title, said, pairs) => el("div", {}, el("h3", {}, title), el("ol", { class: "near" }, ...pairs.map(([n, value]) => {
      const row = byNumber.get(n), text = row ? row[2] || row[1] || "too seldom to be described" : "";
      return el("li", {}, of.random ? el("span", {}, String(n)) : el("a", { href: address(of.sae, n) }, String(n)), el("span", { title: text }, text), el("span", { class: "number" }, signed(value)));
    })), note(said));
    return [el("div", { class: "two" },
      side("By what they write", "Cosine of the decoder rows.", one.near[0]),
      side("By where they fire", "Correlation of firing, token by token (phi).", one.near[1]))];
  };

  const seeds = (one, of) => {
    if (!one.seeds.length) return null;
    const shared = one.seeds.filter(found => found[5]).length, saes = plural(one.seeds.length, "SAE");
    return [
      el("p", {}, of.random ? `Shared with ${shared} of the same ${saes}.` : shared ? `Shared with ${shared} of ${saes} that differ from this one in their seed alone.` : `An orphan: shared with none of ${saes} that differ from this one in their seed alone.`),
      grid(["seed", "shared", "partner there", "decoder cosine", "encoder cosine", "largest decoder cosine there"], one.seeds.map(([seed, partner, decoder, encoder, nearest, both]) =>
        [String(seed), both ? "✓ yes" : "no", partner === null ? "none" : String(partner), signed(decoder), signed(encoder), signed(nearest)])),
      of.random ? note("A random dictionary's rows serve as both directions; it differs from these SAEs in more than its seed.") : note("Decoder rows and encoder rows are matched one to one with the other SAE's, each so that the sum of cosines is largest. A latent is shared where both matchings give it the same partner and both cosines are at least 0.70; a partner has each latent, shared or not.")];
  };

  const probes = (one, of) => {
    if (!one.probes.length) return null;
    const about = new Map(of.probes.map(found => [found[0], found]));
    const read = one.probes.filter(([, label]) => label !== null).sort((a, b) => a[3] - b[3]);
    return [
      read.length ? grid(["set", "speaks for", "coefficient", "its place by size", "among the 20 largest", "sign kept", "the probe's macro-F1"], read.map(([title, label, coefficient, rank, top, same]) => {
        const [, macro, low, high, columns, folds] = about.get(title);
        return [title, `${coefficient < 0 ? "against " : ""}${label}`, signed(coefficient), `${rank} of ${columns.toLocaleString("en")}`, `${top} of ${folds} folds`, `${same} of ${folds} folds`, `${macro.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`];
      })) : el("p", {}, "None: it fires in no training text of the labelled sets."),
      of.random ? note("The same probes on all latents of the random dictionary.") : note("The linear probe of each labelled set on every latent's largest activation in a text. Coefficients are those of columns scaled to unit variance, largest first; of several classes, the one with the largest. The probe is fitted again without each fold of its training texts: in how many of these the latent is among the 20 largest, and in how many its coefficient has the same sign. Macro-F1 with its 95 % interval is of texts that no probe learned from.")];
  };

  const classes = one => one.classes.length ? [
    el("div", { class: "sets" }, ...one.classes.map(([title, found]) => el("div", {}, el("h3", {}, title), ...found.map(([name, share, low, high, n]) =>
      el("div", { class: "class" }, el("span", { title: name }, name),
        svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", role: "img", "aria-label": `${percent(share)} of ${plural(n, "text")}, 95 % interval ${percent(low)} to ${percent(high)}` },
          svg("rect", { x: 0, y: 0, width: 100 * share, height: 10 }), svg("line", { x1: 100 * low, x2: 100 * high, y1: 5, y2: 5 })),
        el("span", { class: "number" }, percent(share))))))),
    note("Share of a class's texts in which it fires on at least one token, with Wilson's 95 % interval.")] : null;

  const contexts = (one, of) => {
    const readout = el("p", { class: "readout quiet", role: "status" }, "Point at a token, or step through a context with the arrow keys, to read its activation.");
    let chosen = null;
    const choose = token => {
      if (chosen) chosen.classList.remove("chosen");
      chosen = token;
      token.classList.add("chosen");
      readout.textContent = `“${token.textContent}”: ${token.dataset.value}, ${Math.round(100 * Number(token.dataset.value) / one.max)} % of the largest`;
    };
    let before = null;
    const lines = one.contexts.map(([decile, tokens, values]) => {
      const spans = tokens.map((text, i) => {
        const value = values[i], fires = value > 0;
        const span = el("span", { class: fires ? "token fires" : "token", title: fires ? amount(value) : null, "data-value": fires ? amount(value) : "0",
          on: { pointerenter: event => choose(event.currentTarget) } }, visible(i ? text : text.trimStart() || text));
        if (fires) span.style.backgroundColor = `rgb(var(--mark) / calc(var(--strength) * ${(0.15 + 0.85 * value / one.max).toFixed(3)}))`;
        return span;
      });
      const active = spans.filter(span => span.classList.contains("fires"));
      let at = -1;
      const strip = el("p", { dir: "auto", tabindex: "0", role: "group", "aria-label": `tenth ${decile + 1}: ${tokens.join("")}`, on: {
        focus: () => { if (at < 0 && active.length) { at = values.filter(v => v > 0).indexOf(Math.max(...values)); choose(active[at]); } },
        keydown: event => {
          const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
          if (!step || !active.length) return;
          event.preventDefault();
          event.stopPropagation();
          at = (at + step + active.length) % active.length;
          choose(active[at]);
        },
      } }, ...spans);
      const head = decile === before ? "" : `tenth ${decile + 1}`;
      before = decile;
      return el("li", {}, el("span", { class: "quiet" }, head), strip);
    });
    return [
      of.random ? null : note(`Windows of at most ${index.context} tokens in which it fires, ordered by their largest activation and cut into ten tenths; a few of each, drawn at random. The deeper the colour, the stronger.`),
      el("ol", { class: "contexts" }, ...lines), readout].filter(Boolean);
  };

  const PANELS = [
    { title: "What it is", body: summary },
    { title: "How strongly it fires", body: histogram },
    { title: "Where it fires, from the strongest tenth to the weakest", whole: true, body: contexts },
    { title: "What it makes the model write", whole: true, body: writes },
    { title: "Latents near it", whole: true, body: near },
    { title: "Probes that use it", whole: true, table: true, body: probes },
    { title: "In SAEs of other seeds", whole: true, table: true, body: seeds },
    { title: "How often it fires in each class", whole: true, body: classes },
  ];

  const drawLatent = async (sae, n) => {
    const mine = ++turn;
    const [rows, one] = await Promise.all([rowsOf(sae), recordOf(sae, n)]);
    if (mine !== turn) return;
    if (!order.some(row => row[0] === n)) order = [...rows].sort(SORTS[state.sort][1]);
    if (!order.length) order = rows;
    document.title = `Latent ${n}, layer ${sae.layer}, ${sae.width}: ${index.title}`;
    const back = el("a", { href: address(sae) }, "All latents");
    if (one === null) {
      draw(el("div", { class: "steps" }, back), el("h1", { tabindex: "-1" }, `Latent ${n}`),
        el("p", {}, n < sae.latents ? "It fires on none of the texts that were read, so there is nothing to show." : `This SAE has ${plural(sae.latents, "latent")}, counted from 0.`));
      return;
    }
    const at = order.findIndex(row => row[0] === n);
    const step = (said, by, id) => el("button", { type: "button", id, disabled: !order[at + by], on: { click: () => go(by) } }, said);
    draw(
      el("div", { class: "steps" }, back, step("← Before", -1, "before"), step("After →", 1, "after"), el("span", { class: "quiet" }, `${at + 1} of ${order.length.toLocaleString("en")}`)),
      el("h1", { tabindex: "-1" }, `Latent ${n}: ${one.name || (one.factor && one.factor.named ? one.factor.name : one.label ? `${one.label.place} ${listed(one.label.tokens.slice(0, 3))}` : "seldom active")}`),
      note(`Layer ${sae.layer}, width ${sae.width}`),
      el("div", { class: "panels" }, ...PANELS.map(shape => panel(shape, one, { sae, rows, probes: sae.probes, random: false })).filter(Boolean)),
      keys());
  };

  const drawLacking = (sae, lacking) => draw(
    el("p", {}, el("a", { href: address(sae) }, `Latents of layer ${sae.layer}, width ${sae.width}`)),
    el("h1", { tabindex: "-1" }, "No page for this latent"),
    el("p", {}, `These pages have no SAE of ${lacking}. \`mosaic explore --all\` makes pages for every SAE of a profile, and `
      + "`mosaic reproduce --every-latent` puts them beside the book."));

  // ---- where one is
  const place = () => {
    const parts = location.hash.slice(1).split("/");
    let width = parts[1] ?? "";
    try { width = decodeURIComponent(width); } catch { /* a broken address leads to the first SAE */ }
    const found = index.saes.find(one => String(one.layer) === parts[0] && one.width === width);
    const n = /^\d{1,9}$/.test(parts[2] ?? "") ? Number(parts[2]) : null;
    return { sae: found || index.saes[0], n, lacking: found || n === null ? null : `layer ${parts[0]}, width ${width}` };
  };
  const show = async (event) => {
    const { sae, n, lacking } = place();
    $("sae").value = sae.key;
    if (show.key !== sae.key) { order = []; show.key = sae.key; }
    try {
      await (lacking ? drawLacking(sae, lacking) : n === null ? drawList(sae) : drawLatent(sae, n));
    } catch (error) {
      draw(el("h1", { tabindex: "-1" }, error.file ? "A file of this page is missing" : "This page cannot be shown"), el("p", {}, lost(error)));
    }
    if (event && n !== null) { window.scrollTo(0, 0); tell(document.title); }
    if (event) document.querySelector("h1")?.focus({ preventScroll: true });
    show.last = n ?? undefined;
  };
  const go = by => {
    const { sae, n } = place();
    const next = order[order.findIndex(row => row[0] === n) + by];
    if (next) location.hash = address(sae, next[0]);
  };
  const pressed = event => {
    if (event.ctrlKey || event.metaKey || event.altKey || !index) return;
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName), { sae, n } = place();
    if (event.key === "Escape" && n !== null) { location.hash = address(sae); return; }
    if (typing) return;
    if (event.key === "/") {
      event.preventDefault();
      if (n === null) $("search")?.focus();
      else { show.search = true; location.hash = address(sae); }
      return;
    }
    if (event.key === "r" && n !== null) {
      const titles = PANELS.map(shape => shape.title);
      state.beside = new Set(titles.every(title => state.beside.has(title)) ? [] : titles);
      for (const section of document.querySelectorAll(".panels > section")) section.fill?.();
      return;
    }
    const by = { j: 1, k: -1, ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    if (n !== null) { go(by); return; }
    const links = [...document.querySelectorAll("ol.latents a")], at = links.indexOf(document.activeElement);
    links[Math.min(Math.max(at + by, 0), links.length - 1)]?.focus();
  };
  const theme = () => { // what the book's reader chose there, where the browser lets a page of the same place read it
    try {
      const mode = localStorage.getItem("mode");
      if (mode === "light" || mode === "dark") document.documentElement.dataset.theme = mode;
    } catch { /* no storage: the system's choice holds */ }
  };

  theme();
  addEventListener("keydown", pressed);
  addEventListener("hashchange", async event => { await show(event); if (show.search) { show.search = false; $("search")?.focus(); } });
  addEventListener("DOMContentLoaded", () => {
    $("skip").addEventListener("click", event => { event.preventDefault(); $("main").focus(); });
    if (!index) draw(el("h1", {}, "A file of this page is missing"), el("p", {}, "data/index.js could not be read. Write the pages again with mosaic explore."));
  });

  return {
    index: found => {
      index = found;
      $("about").textContent = `${found.title} (${found.model}), read on ${plural(found.texts, "text")}, ${plural(found.tokens, "token")}`;
      if (found.home) $("home").append(el("a", { href: found.home }, "← The book"));
      $("sae").append(...found.saes.map(sae => el("option", { value: sae.key }, `layer ${sae.layer}, ${sae.width}`)));
      $("sae").addEventListener("change", event => { location.hash = address(found.saes.find(sae => sae.key === event.target.value)); });
      $("which").hidden = found.saes.length < 2;
      show();
    },
    list: (key, rows) => { lists.set(key, rows); },
    latents: (key, found) => { for (const one of found) records.set(`${key}/${one.n}`, one); },
  };
})();
