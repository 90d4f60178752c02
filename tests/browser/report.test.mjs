// The report: one file that a browser opens from disk, asks nobody for anything, and that says what queries say.
import assert from "node:assert/strict";
import { mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { browse, fill, number, program, texts } from "./scene.mjs";

const BYTES_MAX = 1_000_000;
const CATALOG = "where repo_type in (model, dataset)";

let browser, store, file;
before(async () => {
  browser = await browse();
  const place = mkdtempSync(join(tmpdir(), "footfall-"));
  const [logs, hub] = [join(place, "logs"), join(place, "hub.csv")];
  [store, file] = [join(place, "store"), join(place, "report.html")];
  fill(store, logs, "--rows", "200k", "--days", "365", "--repos", "300", "--header", "v2", "--hub-csv", hub);
  program(store, "-q", "ingest", hub);
  program(store, "-q", "report", "-o", file);
});
after(() => browser.close());

const ask = (query) => JSON.parse(program(store, "query", "--json", query)).rows;

/** Opens the file where there is no network; `check` fails if something else was asked for. */
async function read({ width = 1280, script = true } = {}) {
  const page = await browser.newPage();
  const [wrong, asked] = [[], []];
  page.on("console", (message) => wrong.push(message.text()));
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("request", (request) => asked.push(request.url()));
  await page.setOfflineMode(true);
  await page.setJavaScriptEnabled(script);
  await page.setViewport({ width, height: 900 });
  const url = pathToFileURL(file).href;
  await page.goto(url, { waitUntil: "load" });
  page.check = () => {
    assert.deepEqual(wrong, []);
    assert.deepEqual(asked.filter((one) => !one.startsWith("data:")), [url]);
  };
  return page;
}

test("a report of 300 repos and a year is at most 1 MB", () => {
  const { size } = statSync(file);
  console.log(`report of 300 repos and 365 days: ${(size / 1000).toFixed(0)} kB`);
  assert.ok(size <= BYTES_MAX, `${size}`);
});

test("it opens from disk without network, and its numbers are those of queries", async () => {
  const page = await read();
  const names = await texts(page, "#summary .figure h3, #headline .figure h3");
  const values = (await texts(page, "#summary .figure .value, #headline .figure .value")).map(number);
  const months = ["hub_downloads", "downloaders", "downloads"].map((metric) => ask(`${metric} ${CATALOG} last 30d`)[0][0]);
  const years = ["hub_total", "downloaders", "downloads"].map((metric) => ask(`${metric} ${CATALOG}`)[0][0]);
  const shown = ["Downloads (Hub)", "Unique downloaders", "Downloads (5-minute rule)"];
  const of = (part) => shown.map((name) => values[names.indexOf(name, part * (names.length / 2))]);
  assert.deepEqual([of(0), of(1)], [months, years]);
  const repos = await page.$$eval("#repos tbody tr", (rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent.trim())));
  const totals = new Map(ask("hub_total by repo_type, repo").map(([kind, name, total]) => [`${kind} ${name.replace(`${kind}:`, "")}`, total]));
  assert.ok(repos.length >= 300);
  for (const [name, kind, , all] of repos) assert.equal(number(all), totals.get(`${kind} ${name}`) ?? 0, name);
  const series = await page.$eval("#trend table.series", (table) => [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent.trim())));
  const days = new Map(ask("hub_downloads by day"));
  assert.equal(series.length, days.size);
  for (const [day, value] of series) assert.equal(value === "–" ? null : number(value), days.get(day), day);
  page.check();
  await page.close();
});

test("it needs no script, and nothing stands out of a narrow window", async () => {
  const page = await read({ width: 360, script: false });
  assert.equal(await page.$("script, link, a[href^='http'], img"), null);
  const narrow = await read({ width: 360 });
  assert.ok((await narrow.evaluate(() => document.documentElement.scrollWidth)) <= 360);
  narrow.check();
  page.check();
});
