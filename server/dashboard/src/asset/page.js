// Links and forms without reloading, search as one types, copying, and the mark of new data.
// Without this file the page works all the same: it only makes what is there smoother.
import { enhance } from "./chart.js";
import { keep as keepShown, later } from "./later.js";

const POLL_MS = 15000;
let latest = 0;
let etag = null;

// Replaces what changed of the page by what another address shows.
async function show(href, { push = true, keep = null, to = href } = {}) {
  const turn = ++latest;
  let answer;
  try {
    answer = await fetch(href, { headers: { accept: "text/html" } });
  } catch {
    location.assign(to);
    return;
  }
  const text = await answer.text();
  if (turn !== latest) return;
  const page = new DOMParser().parseFromString(text, "text/html");
  // Elsewhere is the log-in page: it is no part of this one.
  if (answer.redirected || !page.querySelector("header")) { location.assign(to); return; }
  etag = keep ? null : answer.headers.get("etag");
  swap(page, keep);
  if (!push) return;
  // A search is one step of the history, however many letters it has.
  if (keep && history.state?.keep === keep) history.replaceState({ keep }, "", to);
  else history.pushState({ keep }, "", to);
}

function swap(page, keep) {
  document.title = page.title;
  document.body.dataset.snapshot = page.body.dataset.snapshot;
  const old = keep && document.getElementById(keep);
  const fresh = keep && page.getElementById(keep);
  if (old && fresh) {
    // The field that is typed in stays as it is.
    for (const part of ["div.scroll", "nav.pager"]) {
      const now = old.querySelector(part), next = fresh.querySelector(part);
      if (now && next) now.replaceWith(next);
      else if (now) now.remove();
      else if (next) old.querySelector("div.scroll").after(next);
    }
    return;
  }
  keepShown(document, page);
  for (const part of ["header", "main", "footer"]) document.querySelector(part).replaceWith(page.querySelector(part));
  prepare();
}

function prepare(root = document) {
  later(root, prepare);
  for (const figure of root.querySelectorAll("figure.chart")) enhance(figure, zoom);
  for (const code of root.querySelectorAll("code[data-copy]:not(:has(+ button))")) {
    code.textContent = code.textContent.replaceAll("ORIGIN", location.origin);
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", () => navigator.clipboard.writeText(code.textContent));
    code.after(" ", button);
  }
  for (const select of root.querySelectorAll("form.rule select")) {
    select.addEventListener("change", () => select.form.requestSubmit());
  }
}

function zoom(from, to) {
  const address = new URL(location.href);
  for (const name of ["range", "page"]) address.searchParams.delete(name);
  address.searchParams.set("range", `from ${from} to ${to}`);
  show(address.pathname + address.search);
}

function formAddress(form) {
  const fields = [...new FormData(form)].filter(([, value]) => value !== "");
  const search = new URLSearchParams(fields).toString();
  return form.getAttribute("action") + (search ? `?${search}` : "");
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !plain || link.origin !== location.origin || link.hasAttribute("download")) return;
  if (link.hash || link.classList.contains("plain")) return;
  event.preventDefault();
  show(link.pathname + link.search);
});

document.addEventListener("submit", (event) => {
  if (event.target.method !== "get") return;
  event.preventDefault();
  show(formAddress(event.target));
});

// One request at a time while somebody types, and the newest text last.
let typed = null;
async function search(form) {
  const isAsking = typed !== null;
  typed = formAddress(form);
  if (isAsking) return;
  for (let shown = null; shown !== typed;) {
    shown = typed;
    // The panel alone, which is quicker drawn; the address stays that of the page.
    carry(new URLSearchParams(shown.split("?")[1]).get("q"));
    await show(`${shown}${shown.includes("?") ? "&" : "?"}panel=repos`, { keep: "repos", to: shown });
  }
  typed = null;
}

// What leads on from the page leads on from what is searched for.
function carry(text) {
  for (const link of document.querySelectorAll("header a[href], main a[href]")) {
    if (link.pathname !== location.pathname || link.hash) continue;
    const address = new URL(link.href);
    if (text) address.searchParams.set("q", text);
    else address.searchParams.delete("q");
    link.href = address.pathname + address.search;
  }
  for (const form of document.querySelectorAll("header form[method=get]")) {
    form.querySelector("input[name=q]")?.remove();
    const field = Object.assign(document.createElement("input"), { type: "hidden", name: "q", value: text ?? "" });
    form.append(field);
  }
}

document.addEventListener("input", (event) => {
  if (event.target.type === "search") search(event.target.form);
});

addEventListener("popstate", () => show(location.pathname + location.search, { push: false }));

// Of which commit a page is, and how far an ingest was then.
const moment = (page) => page.body.dataset.snapshot + (page.getElementById("taking")?.textContent ?? "");

// Follows new commits: asks with the tag of what is shown, and takes the new page in when it differs.
setInterval(async () => {
  if (document.hidden) return;
  const headers = etag ? { "if-none-match": etag } : {};
  const answer = await fetch(location.pathname + location.search, { headers, cache: "no-store" }).catch(() => null);
  if (answer?.redirected) location.reload();
  if (!answer || answer.redirected || answer.status !== 200) return;
  etag = answer.headers.get("etag");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (moment(page) === moment(document) || document.activeElement?.matches("input, select")) return;
  swap(page, null);
  const live = document.querySelector(".live");
  live.textContent = "New data";
  live.classList.add("fresh");
}, POLL_MS);

prepare();
