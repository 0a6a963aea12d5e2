"use strict";
(() => {
  const one = (query, root = document) => root.querySelector(query);
  const all = (query, root = document) => [...root.querySelectorAll(query)];
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const data = read("data"), specs = read("specs"), settings = read("settings");
  const root = document.documentElement;
  const FORMULA = ["=", "+", "-", "@", "\t", "\r"]; // what a spreadsheet takes for the start of one
  const MOST_ROWS = 200, SVG_UP_TO = 1500;

  // ---- frames: columns as they were written, rows as charts want them
  const columnsOf = (frame) => {
    const columns = {};
    for (const name of frame.names) {
      if (name in frame.all) columns[name] = Array(frame.rows).fill(frame.all[name]);
      else if (name in frame.coded) columns[name] = frame.coded[name][1].map((code) => frame.coded[name][0][code]);
      else columns[name] = frame.lists[name];
    }
    return columns;
  };
  const rowsOf = (frame, wanted = () => true) => {
    const columns = Object.entries(columnsOf(frame)).filter(([name]) => wanted(name));
    return Array.from({ length: frame.rows }, (_, i) => {
      const row = {};
      for (const [name, cells] of columns) row[name] = cells[i];
      return row;
    });
  };
  let trials = [], byNumber = new Map(); // for the table: made once the first chart is there

  // ---- words
  const visible = (text) =>
    text.slice(0, 2000).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (char) => `\\u${char.codePointAt(0).toString(16).padStart(4, "0")}`);
  const short = (value) => {
    if (value === null || value === undefined) return "";
    if (value === true) return "yes";
    if (value === false) return "no";
    if (typeof value !== "number") return visible(String(value));
    if (Number.isInteger(value)) return String(value);
    const size = Math.abs(value);
    return size >= 1e-4 && size < 1e4 ? String(Number(value.toPrecision(4))) : value.toExponential(3).replace(/\.?0+e/, "e").replace(/([+-])(\d)$/, "$10$2");
  };
  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  };

  // ---- what draws charts travels packed; where it cannot be unpacked, pictures stand in for charts
  const unpack = async () => {
    const packed = Uint8Array.from(atob(one("#bundle").textContent), (char) => char.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = element("script", await new Response(stream).text());
    document.head.append(script);
  };
  const showPictures = () => {
    for (const place of all("noscript.static")) {
      const picture = element("div", undefined, "static");
      picture.innerHTML = place.textContent;
      place.replaceWith(picture);
    }
  };
  const ready = unpack().then(() => true, (error) => {
    console.info("charts are pictures here:", error);
    showPictures();
    root.classList.add("pictures");
    return false;
  });

  // ---- charts, drawn one by one so that the first is there at once
  const views = new Map();
  let theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  let marked = -1, pinned = -1, focus = "", drawing = 0;
  const renderer = data.trials.rows > SVG_UP_TO ? "canvas" : "svg";
  const draw = async (place) => {
    if (!(await ready)) return;
    const spec = specs[place.dataset.figure], text = JSON.stringify(spec.chart);
    // what a chart does not name it does not need; names with dots and the like are written in more ways than one
    const named = (name) => !/^[\w ]+$/.test(name) || text.includes(name);
    const datasets = Object.fromEntries(spec.frames.map((name) => [name, rowsOf(data[name], named)]));
    const { view } = await vegaEmbed(place, { ...spec.chart, datasets }, {
      ast: true, renderer, config: settings.themes[theme], downloadFileName: place.dataset.figure,
      actions: { export: true, source: false, compiled: false, editor: false },
      i18n: { CLICK_TO_VIEW_ACTIONS: "Save the chart" },
      tooltip: { theme: theme === "dark" ? "dark" : "custom" },
    });
    speak(place);
    views.get(place)?.finalize();
    views.set(place, view);
    view.addEventListener("mouseover", (event, item) => {
      const number = item?.datum?.trial;
      if (Number.isInteger(number) && byNumber.has(number)) mark(number);
    });
    view.addEventListener("mouseout", () => mark(pinned));
    if (marked >= 0 || focus) view.signal("marked", marked).signal("focus", focus).run();
    place.dataset.drawn = theme;
  };
  // a picture with one name, for those who listen: not hundreds of nameless marks, and no menu inside a picture
  const speak = (place) => {
    const title = one("h3", place.parentElement).textContent, picture = one("svg.marks, canvas.marks", place);
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", title);
    for (const part of picture.children) part.setAttribute("aria-hidden", "true");
    one("summary", place)?.setAttribute("aria-label", `Save the chart: ${title}`);
  };
  const drawAll = async () => {
    const round = ++drawing;
    for (const place of all(".chart")) {
      if (round !== drawing) return;
      try {
        await draw(place);
      } catch (error) {
        console.error(place.dataset.figure, error);
      }
      await shown();
      if (!trials.length) tabulate();
    }
    if (!trials.length) tabulate();
    root.dataset.drawn = theme;
  };
  // a moment for the browser to paint, and to take in what its reader does; a page in the background is not painted
  const shown = () => new Promise((done) => {
    const next = () => setTimeout(done);
    document.hidden ? next() : requestAnimationFrame(next);
  });
  const signals = (name, value) => {
    for (const view of views.values()) view.signal(name, value).runAsync();
  };

  // ---- pointing at a trial marks it everywhere
  let asked = null;
  const mark = (number) => {
    asked = number;
    requestAnimationFrame(() => {
      if (asked === marked) return;
      marked = asked;
      signals("marked", marked);
      markRow();
      tell();
    });
  };
  const markRow = () => {
    all("#trials tr.marked").forEach((row) => row.classList.remove("marked"));
    const row = one(`#trials tr[data-trial="${marked}"]`);
    if (!row) return;
    row.classList.add("marked");
    const box = one("#ranking .tall");
    if (!box.matches(":hover") && (row.offsetTop < box.scrollTop + 30 || row.offsetTop > box.scrollTop + box.clientHeight - 30))
      box.scrollTop = row.offsetTop - box.clientHeight / 2;
  };
  const tell = () => {
    const strip = one("#pointed"), row = byNumber.get(marked);
    strip.hidden = !row;
    if (!row) return;
    const rank = row.rank === null ? row.state : `rank ${row.rank}`;
    strip.replaceChildren(element("b", `trial ${row.trial}, ${rank}`));
    for (const name of settings.told)
      if (row[name] !== null && row[name] !== undefined) strip.append(element("span", `${name} ${short(row[name])}`), " ");
  };

  // ---- the table: its cells are numbers wherever they can be compared, and become text only to be shown
  const columns = all("#trials thead th").map((head) => head.dataset.column);
  const body = one("#trials tbody");
  let order = { column: null, down: false }, listed = trials, room = MOST_ROWS;
  const compare = (a, b) => {
    if (a === b) return 0;
    if (a === null || a === undefined) return 1;
    if (b === null || b === undefined) return -1;
    const way = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
    return order.down ? -way : way;
  };
  const text = (trial, name) => {
    if (name === "rank" && trial.tie && trial.tie !== trial.rank) return `${trial.tie}=`;
    return name === "check" ? settings.confirmed[trial.trial]?.text ?? "" : short(trial[name]);
  };
  const test = (word) => {
    const found = word.match(/^([^<>=]+)(<=|>=|<|>|=)(.+)$/);
    const column = found && Object.keys(data.trials.all).concat(columns).find((name) => name.toLowerCase() === found[1].toLowerCase());
    if (!column) return (row) => columns.some((name) => text(row, name).toLowerCase().includes(word));
    const [, , sign, wanted] = found, number = Number(wanted);
    const signs = { "<": (v) => v < number, ">": (v) => v > number, "<=": (v) => v <= number, ">=": (v) => v >= number };
    if (sign === "=") return (row) => text(row, column).toLowerCase() === wanted || row[column] === number;
    return (row) => typeof row[column] === "number" && signs[sign](row[column]);
  };
  const tabulate = () => {
    performance.mark("first chart");
    trials = rowsOf(data.trials);
    for (const trial of trials) trial.check = settings.confirmed[trial.trial]?.value ?? null;
    byNumber = new Map(trials.map((row) => [row.trial, row]));
    fill();
  };
  const fill = () => {
    const words = one("#filter").value.toLowerCase().split(/\s+/).filter(Boolean).map(test), state = one("#state").value;
    listed = trials.filter((row) => (!state || row.state === state) && words.every((fits) => fits(row)));
    if (order.column) listed = [...listed].sort((a, b) => compare(a[order.column], b[order.column]));
    body.replaceChildren(...listed.slice(0, room).map(rowOf), ...(listed.length > room ? [more()] : []));
    one("#shown").textContent = `${listed.length.toLocaleString("en")} of ${trials.length.toLocaleString("en")}`;
    markRow();
  };
  const rowOf = (trial) => {
    const row = element("tr");
    row.dataset.trial = trial.trial;
    if (trial.trial === pinned) row.className = "pinned";
    for (const name of columns) {
      const cell = element("td", text(trial, name));
      cell.title = visible(String(trial[name] ?? ""));
      row.append(cell);
    }
    return row;
  };
  const more = () => {
    const row = element("tr"), cell = element("td"), button = element("button", `show ${Math.min(MOST_ROWS, listed.length - room)} more`);
    cell.colSpan = columns.length;
    button.addEventListener("click", () => { room += MOST_ROWS; fill(); });
    cell.append(button);
    row.append(cell);
    return row;
  };
  const sortBy = (head) => {
    const column = head.dataset.column;
    order = order.column !== column ? { column, down: false } : order.down ? { column: null, down: false } : { column, down: true };
    all("#trials thead th").forEach((other) => other.removeAttribute("aria-sort"));
    if (order.column) head.setAttribute("aria-sort", order.down ? "descending" : "ascending");
    fill();
  };
  const csv = () => {
    const names = data.trials.names;
    const cell = (value) => {
      if (value === null || value === undefined) return "";
      const text = typeof value === "string" && FORMULA.includes(value[0]) ? `'${value}` : String(value);
      return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    return [names, ...listed.map((row) => names.map((name) => row[name]))].map((row) => row.map(cell).join(",")).join("\n") + "\n";
  };
  const download = () => {
    const link = element("a");
    link.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
    link.download = "trials.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  // ---- copying, tabs, legends, light and dark
  const copy = async (button) => {
    const text = one("code", button.parentElement).textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = element("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    button.textContent = "copied";
    setTimeout(() => (button.textContent = "copy"), 1500);
  };
  const openTab = (name) => {
    all(".tab").forEach((tab) => tab.classList.toggle("open", tab.dataset.tab === name));
    all(".names button").forEach((button) => button.setAttribute("aria-selected", button.dataset.tab === name));
  };
  const setFocus = (name) => {
    focus = focus === name ? "" : name;
    all(".legend button").forEach((button) => button.setAttribute("aria-pressed", button.dataset.focus === focus));
    signals("focus", focus);
  };
  const setTheme = (name) => {
    theme = name;
    root.dataset.theme = name;
    drawAll();
  };

  // ---- on paper: the pictures that stand in for scripts
  addEventListener("beforeprint", () => {
    all("details").forEach((part) => (part.open = !part.closest(".chart")));
    showPictures();
  });

  root.classList.add("js");
  all(".controls, .legend, .copy, .names, #theme").forEach((part) => (part.hidden = false));
  all(".copy").forEach((button) => button.addEventListener("click", () => copy(button)));
  all(".names button").forEach((button) => button.addEventListener("click", () => openTab(button.dataset.tab)));
  all(".legend button").forEach((button) => button.addEventListener("click", () => setFocus(button.dataset.focus)));
  const first = one(".names button");
  if (first) openTab(first.dataset.tab);
  one("#theme").addEventListener("click", () => setTheme(theme === "dark" ? "light" : "dark"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => setTheme(event.matches ? "dark" : "light"));
  all("#trials thead th").forEach((head) => {
    head.addEventListener("click", () => sortBy(head));
    head.addEventListener("keydown", (event) => event.key === "Enter" && sortBy(head));
  });
  body.addEventListener("mouseover", (event) => {
    const row = event.target.closest("tr[data-trial]");
    if (row) mark(Number(row.dataset.trial));
  });
  body.addEventListener("mouseleave", () => mark(pinned));
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-trial]");
    if (!row) return;
    const number = Number(row.dataset.trial);
    pinned = pinned === number ? -1 : number;
    all("#trials tr.pinned").forEach((other) => other.classList.remove("pinned"));
    row.classList.toggle("pinned", pinned === number);
    mark(number);
  });
  one("#filter").addEventListener("input", () => { room = MOST_ROWS; fill(); });
  one("#state").addEventListener("change", () => { room = MOST_ROWS; fill(); });
  one("#csv").addEventListener("click", download);
  all("details").forEach((part) => {
    part.addEventListener("toggle", () => all(".chart", part).forEach((place) => part.open && draw(place)));
  });
  drawAll();
})();
