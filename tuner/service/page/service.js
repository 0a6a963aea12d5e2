"use strict";
// The page is made by the service: this script asks for its live part again whenever an event says that it has changed,
// and sends forms as the same requests that any other program sends.
const body = document.body, live = document.getElementById("live"), said = document.getElementById("said");
const connection = document.getElementById("connection");
const API = "/api/v1/";

let asked = false, waiting = false;
async function refresh() {
  if (waiting) { asked = true; return; }
  waiting = true;
  try {
    const answer = await fetch(body.dataset.part);
    if (answer.redirected || answer.status === 401) { location.reload(); return; }
    if (answer.status === 404) { location.assign("/"); return; }
    if (answer.ok) show(await answer.text());
  } catch { /* the stream says when the service is back */ }
  waiting = false;
  if (asked) { asked = false; setTimeout(refresh, 300); }
}

function show(text) {
  const focused = live.contains(document.activeElement) ? document.activeElement.id : "";
  const log = live.querySelector(".log");
  const bottom = log && log.scrollTop + log.clientHeight >= log.scrollHeight - 4, at = log ? log.scrollTop : 0;
  live.innerHTML = text;
  const now = live.querySelector(".log");
  if (now) now.scrollTop = bottom || !log ? now.scrollHeight : at;
  if (focused) document.getElementById(focused)?.focus();
  settle();
}

function settle() {
  const part = document.getElementById("part");
  if (part) body.dataset.active = part.dataset.active;
  body.dataset.shown = Number(body.dataset.shown || 0) + 1;
}

async function send(path, method, content, type) {
  const options = { method, headers: type ? { "Content-Type": type } : {} };
  if (content !== undefined) options.body = content;
  said.className = "";
  said.textContent = "one moment ...";
  try {
    const answer = await fetch(API + path, options), found = await answer.json();
    said.className = answer.ok ? "" : "problem";
    said.textContent = answer.ok ? "" : found.detail;
    return answer.ok ? found : null;
  } catch {
    said.className = "problem";
    said.textContent = "the service does not answer";
    return null;
  }
}

const form = document.getElementById("new");
if (form) {
  const toml = document.getElementById("toml"), file = document.getElementById("file");
  const take = async (chosen) => {
    if (!chosen) return;
    toml.value = await chosen.text();
    document.getElementById("start").open = true;
    toml.focus();
  };
  file.addEventListener("change", () => take(file.files[0]));
  addEventListener("dragover", (event) => { event.preventDefault(); body.classList.add("over"); });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) body.classList.remove("over"); });
  addEventListener("drop", (event) => {
    event.preventDefault();
    body.classList.remove("over");
    take(event.dataTransfer.files[0]);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const go = event.submitter?.value || "studies", priority = document.getElementById("priority").value || "0";
    const query = go === "studies" ? `?priority=${encodeURIComponent(priority)}` : "";
    const found = await send(go + query, "POST", toml.value, "application/toml");
    if (found && go === "studies") location.assign(`/studies/${encodeURIComponent(found.study)}`);
    else if (found) said.textContent = ["This can be run.", ...found.notes].join("\n");
  });
}

const study = body.dataset.study;
if (study !== undefined) {
  const place = `studies/${encodeURIComponent(study)}`, sure = document.getElementById("sure");
  for (const button of document.querySelectorAll("[data-do]")) {
    button.addEventListener("click", async () => {
      const what = button.dataset.do, trials = Number(document.getElementById("trials").value);
      const content = what === "resume" ? { trials } : {};
      if (await send(`${place}/${what}`, "POST", JSON.stringify(content), "application/json")) refresh();
    });
  }
  document.getElementById("remove").addEventListener("click", () => sure.showModal());
  sure.addEventListener("close", async () => {
    const again = document.getElementById("again").value;
    if (sure.returnValue !== "yes") return;
    if (await send(`${place}?confirm=${encodeURIComponent(again)}`, "DELETE")) location.assign("/");
  });
}

settle();
const events = new EventSource(body.dataset.events);
events.onmessage = refresh;
events.onopen = () => { connection.textContent = ""; };
events.onerror = () => { connection.textContent = "The service does not answer; looking again ..."; };
events.addEventListener("gone", () => location.assign("/"));
