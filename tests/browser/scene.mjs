// A running server and a real browser to pages that are looked at: what every test starts from.
//
// FOOTFALL_URL   where the dashboard is, unless the test starts a server of its own
// FOOTFALL_STORE the store that it serves, likewise
// FOOTFALL       the program, to ask the same store from outside and to put files in
// CHROMIUM       the browser
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import puppeteer from "puppeteer-core";

const need = (name) => process.env[name] ?? assert.fail(`${name} is not set`);
const ORIGIN = (process.env.FOOTFALL_URL ?? "").replace(/\/$/, "");
export const STORE = process.env.FOOTFALL_STORE ?? "";
const PROGRAM = need("FOOTFALL");

/** Starts a browser for the tests of one file. */
export async function browse() {
  // A container without user namespaces cannot have the browser's own sandbox; the pages are ours alone.
  // Its shared memory is often small.
  const args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--force-color-profile=srgb"];
  return puppeteer.launch({ executablePath: need("CHROMIUM"), args });
}

/** A page on which errors and requests to other hosts are counted; `check` fails if there were any. */
export async function open(browser, path, { width = 1280, dark = false, script = true, origin = ORIGIN } = {}) {
  assert.ok(origin, "FOOTFALL_URL is not set");
  const page = await browser.newPage();
  const wrong = [];
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) wrong.push(message.text());
  });
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("requestfailed", (request) => {
    // What a newer page made needless is given up on purpose.
    if (request.failure()?.errorText !== "net::ERR_ABORTED") wrong.push(`${request.url()} failed`);
  });
  page.on("request", (request) => {
    // The browser draws its own date fields from data: addresses, which leave nothing.
    if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith("data:")) wrong.push(`asks ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) wrong.push(`${response.status()} ${response.url()}`);
  });
  await page.setViewport({ width, height: 900 });
  await page.setJavaScriptEnabled(script);
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }]);
  await page.goto(origin + path, { waitUntil: "load" });
  page.check = (expected = []) =>
    assert.deepEqual(wrong.filter((text) => !expected.some((known) => text.includes(known))), [], "no error and no request to another host");
  return page;
}

/** Waits for the panels that come after the page, each when it comes near the window. */
export async function whole(page) {
  const late = () => page.$("[data-later]");
  for (let section = await late(); section; section = await late()) {
    const id = await section.evaluate((element) => { element.scrollIntoView(); return element.id; });
    await page.waitForFunction((id) => !document.getElementById(id)?.dataset.later, { timeout: 10000 }, id);
  }
  await page.evaluate(() => scrollTo(0, 0));
}

/** What the program says about the same store. */
export function ask(query) {
  const text = execFileSync(PROGRAM, ["--store", STORE, "query", "--json", query], { encoding: "utf8" });
  return JSON.parse(text);
}

/** What the program does with another store. */
export function program(store, ...words) {
  return execFileSync(PROGRAM, ["--store", store, ...words], { encoding: "utf8" });
}

/** Makes logs and puts them into a store; `words` are options of `generate`. */
export function fill(store, logs, ...words) {
  program(store, "-q", "generate", logs, ...words);
  // Fresh files of a directory are left for later; named ones are not.
  program(store, "-q", "ingest", ...readdirSync(logs).map((name) => join(logs, name)));
}

/** The store of `footfall demo`. */
export function demo() {
  const place = mkdtempSync(join(tmpdir(), "footfall-"));
  execFileSync(PROGRAM, ["-q", "demo"], { cwd: place, stdio: "ignore" });
  return join(place, "demo-store");
}

/** A server of another store; `end` ends it. */
export async function serve(store, ...words) {
  const where = ["serve", "--listen", "none", "--http", "127.0.0.1:0"];
  const server = spawn(PROGRAM, ["--store", store, ...where, ...words], { stdio: ["ignore", "ignore", "pipe"] });
  for await (const line of createInterface({ input: server.stderr })) {
    if (!line.startsWith("http: ")) continue;
    server.stderr.resume();
    return { origin: line.slice("http: ".length).replace(/\/$/, ""), end: () => server.kill() };
  }
  return assert.fail("the server ended");
}

/** Puts a file into the store that is served. */
export function ingest(file) {
  execFileSync(PROGRAM, ["--store", STORE, "ingest", "-q", file]);
}

/** The text of the first element that matches, without the blanks around it. */
export const text = (page, selector) => page.$eval(selector, (element) => element.textContent.trim());

/** The texts of all elements that match. */
export const texts = (page, selector) =>
  page.$$eval(selector, (elements) => elements.map((element) => element.textContent.trim()));

/** A number as it is shown to the number that it is. */
export const number = (shown) => Number(shown.replaceAll(/[,  ]/g, ""));

/** Does something that shows another page, and waits until that is there. */
export async function turn(page, action, wanted) {
  await action();
  await page.waitForFunction(wanted.is, { timeout: 5000 }, ...(wanted.of ?? []));
}

/** Waits until the address contains a text. */
export const at = (part) => ({ is: (part) => decodeURIComponent(location.href.replaceAll("+", " ")).includes(part), of: [part] });
