// How fast the dashboard of a store is, in the server and in the browser: `npm run speed`, or parts of it:
// `npm run speed -- server painting weight interactions`.
//
// It serves the store itself, from a fresh start. "first": the first time that the server is asked. "again": the same
// address again, the median of ROUNDS. "range": each time other days of the whole store, 7, 30 or 90 of them, that were
// not asked before. "filter": likewise, and one of the overview's own filters. Of these two the median and the worst of
// ANEW_ROUNDS are given; the same states are drawn in every run. Times are as a client on this machine has them,
// connection and compression included.
import { browse, serve, STORE } from "./scene.mjs";

const PARTS = process.argv.slice(2);
const wants = (part) => PARTS.length === 0 || PARTS.includes(part);
const ROUNDS = 5;
const ANEW_ROUNDS = 15;
const PLACES = { overview: "/", counting: "/counting", data: "/data" };
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const ms = (time) => time.toFixed(1).padStart(8);

async function timed(href) {
  const begin = performance.now();
  const answer = await fetch(href, { headers: { accept: "text/html", "accept-encoding": "gzip" } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${href}: ${answer.status} ${text}`);
  return [performance.now() - begin, text];
}

async function several(href) {
  const times = [];
  for (let round = 0; round < ROUNDS; round += 1) times.push((await timed(href(round)))[0]);
  return median(times);
}

/** Numbers that look like chance and are the same in every run: each call gives one from 0 to `below` - 1. */
function drawing(seed) {
  let at = seed;
  return (below) => {
    at = (Math.imul(at, 1664525) + 1013904223) >>> 0;
    return Math.floor((at / 2 ** 32) * below);
  };
}

/** Days that were not drawn before. */
function otherDays(draw, [first, last], drawn) {
  for (;;) {
    const length = [7, 30, 90][draw(3)];
    const most = (Date.parse(last) - Date.parse(first)) / 86_400_000 - length;
    const at = (day) => new Date(Date.parse(first) + day * 86_400_000).toISOString().slice(0, 10);
    const from = draw(most);
    const range = `from ${at(from)} to ${at(from + length - 1)}`;
    if (drawn.has(range)) continue;
    drawn.add(range);
    return `range=${encodeURIComponent(range)}`;
  }
}

/** The filters that the overview offers, as they stand in an address. */
async function filtersOf(origin) {
  const ids = ["repos", "places", "clients"];
  const pages = await Promise.all(ids.map((id) => timed(`${origin}/?panel=${id}`)));
  const found = pages.flatMap(([, text]) => [...text.matchAll(/href="[^"]*?(where=[^"&]*)"/g)].map(([, where]) => where));
  return [...new Set(found)];
}

async function ofServer(origin) {
  const [, overview] = await timed(`${origin}/`);
  const stored = (await (await fetch(`${origin}/api/v1/query?q=calendar`, { headers: { accept: "application/json" } })).json())
    .rows.filter(([source]) => source === "logs");
  const days = [stored[0][2], stored.at(-1)[3]];
  const repo = overview.match(/href="(\/repo\/[^"?]*)/)[1];
  const filters = await filtersOf(origin);
  const [draw, drawn] = [drawing(7), new Set()];
  const anew = async (href) => {
    const times = [];
    for (let round = 0; round < ANEW_ROUNDS; round += 1) times.push((await timed(href()))[0]);
    return `${ms(median(times))} ${ms(Math.max(...times))}`;
  };
  console.log(`server, ms                 first    again    range    worst   filter    worst   (${filters.length} filters)`);
  for (const [name, path] of Object.entries({ ...PLACES, repo })) {
    const ids = [...(await timed(origin + path))[1].matchAll(/<section[^>]* id="(\w+)"/g)].map(([, id]) => id);
    for (const panel of ["", ...ids]) {
      const query = `${origin}${path}${panel ? `?panel=${panel}&` : "?"}`;
      const same = `${query}${otherDays(draw, days, drawn)}`;
      const [first] = await timed(same);
      const again = await several(() => same);
      const range = await anew(() => `${query}${otherDays(draw, days, drawn)}`);
      const filter = await anew(() => `${query}${otherDays(draw, days, drawn)}&${filters[draw(filters.length)]}`);
      console.log(`${`${name} ${panel || "(whole)"}`.padEnd(24)}${ms(first)} ${ms(again)} ${range} ${filter}`);
    }
  }
}

/** A page that notes when the frame after something was drawn. */
async function watched(browser) {
  const page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 4000 });
  await page.evaluateOnNewDocument(() => {
    window.drawn = (then) => requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => then(performance.now());
      port2.postMessage(0);
    });
    addEventListener("load", () => drawn((at) => { window.full = at; }));
  });
  return page;
}

async function ofPainting(browser, origin) {
  console.log("painted, ms after the request   first paint     all");
  for (const [name, isKept] of [["nothing kept in the browser", false], ["style and scripts kept", true]]) {
    const [firsts, alls] = [[], []];
    const page = await watched(browser);
    for (let round = 0; round < ROUNDS; round += 1) {
      await page.setCacheEnabled(isKept);
      await page.goto("about:blank");
      await page.goto(`${origin}/`, { waitUntil: "load" });
      await page.waitForFunction(() => window.full !== undefined && performance.getEntriesByName("first-contentful-paint").length > 0);
      const [first, all] = await page.evaluate(() =>
        [performance.getEntriesByName("first-contentful-paint")[0].startTime, window.full]);
      firsts.push(first);
      alls.push(all);
    }
    console.log(`${name.padEnd(32)}${ms(median(firsts))} ${ms(median(alls))}`);
    await page.close();
  }
}

async function ofWeight(browser, origin) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  const network = await page.createCDPSession();
  await network.send("Network.enable");
  const [names, bytes] = [new Map(), []];
  network.on("Network.responseReceived", ({ requestId, response }) => names.set(requestId, response.url));
  network.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => bytes.push([names.get(requestId), encodedDataLength]));
  await page.goto(`${origin}/`, { waitUntil: "networkidle0" });
  for (const [url, count] of bytes) console.log(`weight, kB  ${(count / 1000).toFixed(1).padStart(8)}  ${new URL(url).pathname}`);
  console.log(`weight, kB  ${(bytes.reduce((sum, [, count]) => sum + count, 0) / 1000).toFixed(1).padStart(8)}  in all, compressed`);
  await context.close();
}

/** What a person does, and what shows that it was drawn. */
const INTERACTIONS = {
  "hover over the chart": ["#trend svg.line", "hover"],
  "other tab of the chart": ["#trend a.tab:not([aria-current])", "click"],
  "sort by all time": ["#repos thead a[href*='sort=all']", "click"],
  "next page of repos": ["#repos .pager a", "click"],
  "a letter of a search": ["#repos input[type=search]", "type"],
  "filter by a country": ["#places tbody th a", "click"],
  "other range": [".range a[href*='range=last+7d']", "click"],
};

async function ofInteractions(browser, origin) {
  console.log("interaction to repaint, ms           first    again");
  for (const [name, [selector, how]] of Object.entries(INTERACTIONS)) {
    const times = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const page = await watched(browser);
      await page.goto(`${origin}/`, { waitUntil: "networkidle0" });
      const target = await page.$(selector);
      if (!target) { await page.close(); break; }
      await target.scrollIntoView();
      await page.evaluate(() => {
        let begin = null;
        const type = ["pointermove", "click", "keydown"];
        for (const name of type) addEventListener(name, (event) => { begin = event.timeStamp; }, { capture: true });
        new MutationObserver(() => {
          if (begin !== null) drawn((at) => { window.took ??= at - begin; });
        }).observe(document.body, { childList: true, subtree: true, characterData: true });
      });
      if (how === "type") { await target.focus(); await page.keyboard.press("a"); }
      else if (how === "hover") await target.hover();
      else await target.click();
      await page.waitForFunction(() => window.took !== undefined);
      times.push(await page.evaluate(() => window.took));
      await page.close();
    }
    if (times.length) console.log(`${name.padEnd(32)}${ms(times[0])} ${ms(median(times))}`);
  }
}

const server = await serve(STORE);
const browser = await browse();
try {
  if (wants("server")) await ofServer(server.origin);
  if (wants("painting")) await ofPainting(browser, server.origin);
  if (wants("weight")) await ofWeight(browser, server.origin);
  if (wants("interactions")) await ofInteractions(browser, server.origin);
} finally {
  await browser.close();
  server.end();
}
